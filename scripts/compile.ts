/** Owns `npm run build`: the program for this machine, in dist/. */
import {join} from 'node:path';
import {compileBinary} from './bun-compile.ts';
import {ROOT} from './generated-file.ts';

const extension = process.platform === 'win32' ? '.exe' : '';
try {
  compileBinary(join(ROOT, 'dist', `kubectl-tiltbuild${extension}`));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
