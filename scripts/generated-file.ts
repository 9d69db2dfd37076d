/** Owns files that are generated and checked in: written by default, compared with `--check`. */
import {readFileSync, writeFileSync} from 'node:fs';
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Writes `text` to `path`, or with `--check` ends with exit code 1 where the file says something else. */
export function settleGeneratedFile(path: string, text: string, command: string): void {
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
    return;
  }
  if (readFileSync(path, 'utf8') === text) return;
  process.stderr.write(`${relative(ROOT, path)} is not current. Run: ${command}\n`);
  process.exitCode = 1;
}
