/** Owns looking at a tree of files on the disk, so that two of them can be compared. */
import {createHash} from 'node:crypto';
import {lstatSync, readdirSync, readFileSync, readlinkSync} from 'node:fs';
import {join} from 'node:path';

/**
 * By path: kind and mode, the modification time in seconds (of what is no directory; we send the nanoseconds as a hash), and the content's hash,
 * a link's target, or the first name of the same file.
 */
export function readTree(root: string): Readonly<Record<string, string>> {
  const firstNames = new Map<number, string>();
  const entries = readdirSync(root, {recursive: true, encoding: 'utf8'}).sort();
  return Object.fromEntries(
    entries.map((path) => {
      const place = join(root, path);
      const {mode, mtimeNs, ino} = lstatSync(place, {bigint: true});
      const stats = lstatSync(place);
      if (stats.isDirectory()) return [path, octal(mode)];
      const shown = `${octal(mode)} ${mtimeNs / 1_000_000_000n}`;
      if (stats.isSymbolicLink()) return [path, `${shown} -> ${readlinkSync(place)}`];
      if (!stats.isFile()) return [path, shown];
      const first = firstNames.get(Number(ino));
      firstNames.set(Number(ino), first ?? path);
      const hash = createHash('sha256').update(readFileSync(place)).digest('hex');
      return [path, `${shown} ${first === undefined ? hash : `= ${first}`}`];
    }),
  );
}

function octal(mode: bigint): string {
  return mode.toString(8);
}
