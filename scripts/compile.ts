/** Owns the compiled binary: one self-contained program for this machine, in dist/. */
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {ROOT} from './generated-file.ts';

const extension = process.platform === 'win32' ? '.exe' : '';
// The npm package calls the program bun.exe on every platform.
const bun = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');
const args = ['build', '--compile', '--minify', '--bytecode', '--format=esm'];
const outfile = join(ROOT, 'dist', `kubectl-tiltbuild${extension}`);

const result = spawnSync(bun, [...args, join(ROOT, 'src', 'main.ts'), '--outfile', outfile], {
  encoding: 'utf8',
});
if (result.status !== 0) {
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}\n`);
  process.exitCode = 1;
}
