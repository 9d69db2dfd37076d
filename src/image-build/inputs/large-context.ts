/** Owns what is said of a large build context: the directories that make it large, and how to leave them out. */
import type {Survey} from '../../context/survey.ts';
import {type Advice, flag, type Piece} from '../../text/advice.ts';
import {formatBytes} from '../../text/amounts.ts';

interface Part {
  /** Matches the directory, as a line of an ignore file. */
  readonly pattern: string;
  readonly bytes: number;
}

export function describeLargeContext({bytes, directories}: Survey): Advice {
  const parts = findLargestParts(directories);
  const shares = parts.map((part) => `${part.pattern} has ${formatBytes(part.bytes)}`);
  const size = `the build context is ${formatBytes(bytes)}`;
  if (parts.length === 0) return `${size}, most of it in files at its root.`;
  const atRoot = directories.get('') ?? 0;
  const known =
    atRoot >= WORTH_NAMING * bytes ? `${size}, ${formatBytes(atRoot)} of it in files at its root` : size;
  return [
    `${known}: ${shares.join(', ')}. If the build does not need that, add`,
    ...parts.flatMap(({pattern}): Piece[] => [' ', flag('ignore', pattern)]),
    `, or to .dockerignore ${parts.length === 1 ? 'the line' : 'the lines'} ${parts.map(({pattern}) => pattern).join(' and ')}`,
  ];
}

const MOST_PARTS = 3;
/** Of the whole context. */
const WORTH_NAMING = 0.1;
/** Of a directory: what is nearly all of it stands for it. */
const NEARLY_ALL = 0.8;

/** Directories that belong together as a whole. Those with a dot, such as .git, do so as well. */
const WHOLE: ReadonlySet<string> = new Set(
  'node_modules bower_components target vendor venv dist build out bin obj tmp logs data'.split(' '),
);

/** `directories`: the bytes of the files in each, without those below it. */
export function findLargestParts(directories: ReadonlyMap<string, number>): readonly Part[] {
  const totals = addUp(directories);
  const children = Map.groupBy(
    [...totals.keys()].filter((path) => path !== ''),
    parentOf,
  );
  const sizeOf = (path: string) => totals.get(path) ?? 0;
  const below = (path: string) =>
    (children.get(path) ?? []).toSorted((one, other) => sizeOf(other) - sizeOf(one));

  const narrow = (path: string): readonly Part[] => {
    const isNearlyAll = (bytes: number) => bytes >= NEARLY_ALL * sizeOf(path);
    const [largest] = isWhole(path) ? [] : below(path);
    if (largest !== undefined && isNearlyAll(sizeOf(largest))) return narrow(largest);
    const alike = isWhole(path) ? undefined : findAlike(path);
    if (alike !== undefined && isNearlyAll(alike.bytes)) return [alike];
    if (path !== '') return [{pattern: quote(path), bytes: sizeOf(path)}];
    const large = below('').filter((one) => sizeOf(one) >= WORTH_NAMING * sizeOf(''));
    return large.slice(0, MOST_PARTS).flatMap(narrow);
  };
  /** Directories of one name in the directories here, which belong together: packages/*\/node_modules. */
  const findAlike = (path: string): Part | undefined =>
    [...Map.groupBy(below(path).flatMap(below).filter(isWhole), nameOf)]
      .filter(([, paths]) => paths.length > 1)
      .map(([name, paths]) => ({
        pattern: `${path === '' ? '' : `${quote(path)}/`}*/${quote(name)}`,
        bytes: paths.reduce((sum, one) => sum + sizeOf(one), 0),
      }))
      .toSorted((one, other) => other.bytes - one.bytes)[0];
  return narrow('');
}

/** With what is below each. */
function addUp(directories: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const [directory, bytes] of directories) {
    for (let path = directory; ; path = parentOf(path)) {
      totals.set(path, (totals.get(path) ?? 0) + bytes);
      if (path === '') break;
    }
  }
  return totals;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function isWhole(path: string): boolean {
  return nameOf(path).startsWith('.') || WHOLE.has(nameOf(path));
}

/** In an ignore file these characters stand for others, or for a comment or an exception at its start. */
function quote(path: string): string {
  return path.replaceAll(/[*?[\\]/g, '\\$&').replace(/^[#!]/, '\\$&');
}
