/** Owns the archive for this machine that the tests unpack: that of `npm run release -- --only own`. */
import {spawnSync} from 'node:child_process';
import {existsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import pjson from '../../package.json' with {type: 'json'};
import {archiveName, ownPlatform, type Platform} from '../../scripts/release/platforms.ts';

const root = join(import.meta.dirname, '..', '..');
const platform = ownPlatform(process.platform, process.arch);

/** Made anew where there is none, or one that is older than the compiled program. */
export function dryRunArchive(): {readonly path: string; readonly platform: Platform} {
  if (platform === undefined) throw new Error('There is no release for this platform.');
  const path = join(root, 'dist', 'dry-run', archiveName(platform, pjson.version));
  if (!isCurrent(path)) {
    const {status, stderr} = spawnSync(process.execPath, ['scripts/release.ts', '--only', 'own'], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`The release's dry run failed:\n${stderr}`);
  }
  return {path, platform};
}

function isCurrent(path: string): boolean {
  if (!existsSync(path)) return false;
  const program = join(root, 'dist', 'kubectl-tiltbuild');
  return !existsSync(program) || statSync(path).mtimeMs >= statSync(program).mtimeMs;
}
