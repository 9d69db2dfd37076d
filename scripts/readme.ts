/** Owns the generated parts of README.md: the flag table and the exit codes. `--check` compares only. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {commands} from '../src/cli/commands/commands.ts';
import {EXIT_CODE_TABLE} from '../src/cli/render/exit-codes.ts';
import {fillPart, ROOT, settleGeneratedFile} from './generated-file.ts';

const cell = (text: string) => text.replaceAll('|', '\\|');

function flagTable(): string {
  const rows = Object.entries(commands.build.flags).map(([name, flag]) => {
    const value = flag.type === 'switch' ? '' : ` ${flag.value}${flag.type === 'list' ? '...' : ''}`;
    const label = `${flag.char ? `-${flag.char}, ` : ''}--${name}${value}`;
    return `| \`${cell(label)}\` | ${flag.group ?? ''} | ${cell(flag.summary)} |`;
  });
  return ['| Flag | Group | Meaning |', '|---|---|---|', ...rows].join('\n');
}

function exitCodeTable(): string {
  return [
    '| Exit code | Meaning |',
    '|---|---|',
    ...EXIT_CODE_TABLE.map(([codes, meaning]) => `| ${codes} | ${meaning} |`),
  ].join('\n');
}

const path = join(ROOT, 'README.md');
const filled = fillPart(
  fillPart(readFileSync(path, 'utf8'), 'flags', flagTable()),
  'exit codes',
  exitCodeTable(),
);
settleGeneratedFile(path, filled, 'npm run readme');
