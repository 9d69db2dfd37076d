/** Owns running a program on a terminal, by the `script` of util-linux; others have other arguments. */
import {spawnSync} from 'node:child_process';
import {formatCommand} from '../../src/text/shell-words.ts';
import {type Ended, type RunOptions, runCommand} from './programs.ts';

const SCRIPT = '/usr/bin/script';

/** More than any test shows. */
const ROWS = 100;

export const hasTerminal =
  spawnSync(SCRIPT, ['--version'], {encoding: 'utf8'}).stdout?.includes('util-linux') ?? false;

export interface TerminalOptions extends Pick<RunOptions, 'env' | 'cwd' | 'typedAt'> {
  readonly columns: number;
}

/** Standard output has all that the terminal was sent. The program comes from PATH of `env`. */
export async function runOnTerminal(
  command: readonly string[],
  {columns, env, ...options}: TerminalOptions,
): Promise<Ended> {
  const line = `/bin/stty cols ${columns} rows ${ROWS}; exec ${formatCommand(command)}`;
  return await runCommand(SCRIPT, ['-qec', line, '/dev/null'], {
    ...options,
    env: {...env, SHELL: '/bin/sh', TERM: 'xterm'},
  });
}
