/** Owns the call of Bun's compiler: one self-contained program of the source, for this machine or for another one. */
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {ROOT} from './generated-file.ts';

// The npm package calls the program bun.exe on every platform.
const BUN = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');
const OPTIONS = ['--compile', '--minify', '--bytecode', '--format=esm'];

/**
 * Compiles to `outfile`. `target` is Bun's name for a platform, e.g. `bun-darwin-arm64`; its runtime comes from the
 * npm registry. Throws with what Bun said.
 */
export function compileBinary(outfile: string, target?: string): void {
  const args = ['build', ...OPTIONS, ...(target === undefined ? [] : [`--target=${target}`])];
  // A relative path, since Bun writes the path of the source into the program.
  const result = spawnSync(BUN, [...args, join('src', 'main.ts'), '--outfile', outfile], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  if (result.status === 0) return;
  throw new Error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`);
}
