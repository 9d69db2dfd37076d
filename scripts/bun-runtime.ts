/** Owns where Bun's runtime for a platform comes from: its npm package, by the checksum in package-lock.json. */
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs';
import {join} from 'node:path';
import {list} from 'tar';
import {ROOT} from './generated-file.ts';

/** Bun for this machine. The npm package calls the program bun.exe on every platform. */
export const BUN = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');

const CACHE = join(ROOT, 'dist', 'runtimes');

/**
 * The runtime for `target`, Bun's name for a platform such as `bun-darwin-arm64`; for this machine without a target. Bun
 * itself would take whatever lies in the user's cache. Throws with npm's output.
 */
export function readRuntime(target: string | undefined, timeout: number): Buffer {
  if (target === undefined) return readFileSync(BUN);
  const name = `@oven/${target.replace('arm64', 'aarch64')}`;
  const {version, integrity} = readLock(name);
  const packed = join(CACHE, `${target}-${version}.tgz`);
  if (!existsSync(packed)) download(`${name}@${version}`, packed, timeout);
  if (`sha512-${createHash('sha512').update(readFileSync(packed)).digest('base64')}` !== integrity) {
    rmSync(packed);
    throw new Error(`${name}@${version} is not the package that package-lock.json names.`);
  }
  return readPacked(packed, /^package\/bin\/bun(\.exe)?$/);
}

function readPacked(packed: string, path: RegExp): Buffer {
  const chunks: Buffer[] = [];
  list({
    file: packed,
    sync: true,
    onReadEntry: (entry) => {
      if (path.test(entry.path)) entry.on('data', (chunk) => chunks.push(chunk));
    },
  });
  if (chunks.length === 0) throw new Error(`${packed} contains no runtime.`);
  return Buffer.concat(chunks);
}

function readLock(name: string): {readonly version: string; readonly integrity: string} {
  const {packages} = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'));
  const found = packages[`node_modules/${name}`];
  if (found === undefined) throw new Error(`package-lock.json has no ${name}.`);
  return found;
}

function download(spec: string, packed: string, timeout: number): void {
  mkdirSync(CACHE, {recursive: true});
  const {status, stdout, stderr, error} = spawnSync('npm', ['pack', '--json', spec], {
    cwd: CACHE,
    encoding: 'utf8',
    timeout,
    shell: process.platform === 'win32',
  });
  if (status !== 0) throw new Error(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
  renameSync(join(CACHE, JSON.parse(stdout)[0].filename), packed);
}
