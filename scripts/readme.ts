/** Owns the generated parts of the pages: flag table, exit codes, and the release of the Tilt extension. `--check` compares only. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import pjson from '../package.json' with {type: 'json'};
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

/** Tilt would otherwise load the extension from the newest commit. */
function pinExtension(page: string): string {
  const pin = /(extension_repo\([^)]*\bref=')[^']*'/g;
  if (!pin.test(page)) throw new Error('The page loads no extension by a ref.');
  return page.replaceAll(pin, `$1v${pjson.version}'`);
}

const PAGES: Readonly<Record<string, (page: string) => string>> = {
  'README.md': pinExtension,
  'docs/reference.md': (page) =>
    fillPart(fillPart(page, 'flags', flagTable()), 'exit codes', exitCodeTable()),
};

for (const [name, fill] of Object.entries(PAGES)) {
  const path = join(ROOT, name);
  settleGeneratedFile(path, fill(readFileSync(path, 'utf8')), 'npm run readme');
}
