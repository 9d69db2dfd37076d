/** Owns `npm run build`: compiles the program for this machine to dist/, and copies the completion program there. */
import {chmodSync, copyFileSync} from 'node:fs';
import {join} from 'node:path';
import {compileBinary} from './bun-compile.ts';
import {findCommit} from './commit.ts';
import {ROOT} from './generated-file.ts';
import {completionName, programName} from './release/platforms.ts';

const platform = {os: process.platform === 'win32' ? 'windows' : 'linux'} as const;
const completion = completionName(platform);
try {
  compileBinary(join(ROOT, 'dist', programName(platform)), findCommit());
  copyFileSync(join(ROOT, 'bin', completion), join(ROOT, 'dist', completion));
  chmodSync(join(ROOT, 'dist', completion), 0o755);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
