/** Owns the generated parts of README.md: the flag table and the exit codes. `--check` compares only. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {flags} from '../src/cli/argv/flags.ts';
import {EXIT_CODE_TABLE} from '../src/cli/render/exit-codes.ts';
import {fillPart, ROOT, settleGeneratedFile} from './generated-file.ts';

interface ShownFlag {
  readonly char?: string;
  readonly helpGroup?: string;
  readonly helpValue?: string | string[];
  readonly summary?: string;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

function flagTable(): string {
  const rows = Object.entries(flags as Readonly<Record<string, ShownFlag>>).map(([name, flag]) => {
    const label = `${flag.char ? `-${flag.char}, ` : ''}--${name}${flag.helpValue ? ` ${flag.helpValue}` : ''}`;
    return `| \`${cell(label)}\` | ${flag.helpGroup ?? ''} | ${cell(flag.summary ?? '')} |`;
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
