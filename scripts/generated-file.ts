/** Owns files that are generated and checked in: written by default, compared with `--check`. */
import {readFileSync, writeFileSync} from 'node:fs';
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Writes `text` to `path`. With `--check`, sets exit code 1 if the file differs. */
export function settleGeneratedFile(path: string, text: string, command: string): void {
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
    return;
  }
  if (readFileSync(path, 'utf8') === text) return;
  process.stderr.write(`${relative(ROOT, path)} is out of date. Run: ${command}\n`);
  process.exitCode = 1;
}

/** Replaces the part of a page between the two comments that name it. */
export function fillPart(page: string, part: string, content: string): string {
  const [open, close] = [`<!-- generated: ${part} -->`, `<!-- end: ${part} -->`];
  const start = page.indexOf(open);
  const end = page.indexOf(close);
  if (start < 0 || end < start) throw new Error(`The page has no part "${part}"`);
  return `${page.slice(0, start + open.length)}\n${content}\n${page.slice(end)}`;
}
