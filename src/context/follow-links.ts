/** Owns which paths of a context belong to those that a build names, once symbolic links are followed. */
import {posix} from 'node:path';
import {matchGlob} from './glob.ts';
import {cleanPath} from './patterns.ts';

/** What is looked at: names in a directory, and what a link points to. Missing paths give undefined. */
export interface LinkReader {
  list(directory: string): readonly string[] | undefined;
  /** The target of a symbolic link; undefined for anything else. */
  readLink(path: string): string | undefined;
}

/**
 * The paths and all links and targets on the way to them, sorted, without what lies below another one; undefined where
 * everything belongs to them. Wildcards are matched where they stand for links. The rules are those of fsutil's
 * FollowLinks, which BuildKit expects of every client.
 */
export function followLinks(paths: readonly string[], reader: LinkReader): readonly string[] | undefined {
  const found = new Set<string>();
  for (const path of paths) follow(path, reader, found);
  const sorted = [...found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return sorted.includes('.') ? undefined : withoutNested(sorted);
}

function follow(given: string, reader: LinkReader, found: Set<string>): void {
  // Joined to the root of the context, from which no `..` leads out.
  let rest = cleanPath(`/${given}`).slice(1);
  let current = '.';
  for (;;) {
    const [first = '', ...others] = rest.split('/');
    current = posix.join(current, first);
    rest = others.join('/');
    const targets = readTargets(current, reader, true);
    const isEnd = targets !== undefined || rest === '';
    if (isEnd && found.has(current)) return;
    if (isEnd) found.add(current);
    for (const target of targets ?? []) follow(posix.join(target, rest), reader, found);
    if (isEnd) return;
  }
}

function readTargets(path: string, reader: LinkReader, wild: boolean): readonly string[] | undefined {
  const base = posix.basename(path);
  const directory = posix.dirname(path);
  if (wild && hasWildcards(base)) {
    const names = reader.list(directory)?.filter((name) => matchGlob(base, name));
    const targets = names?.flatMap((name) => readTargets(posix.join(directory, name), reader, false) ?? []);
    return targets?.length ? targets : undefined;
  }
  const link = path === '.' ? undefined : reader.readLink(path);
  if (link === undefined) return undefined;
  return [link.startsWith('/') ? cleanPath(link) : posix.join('/', directory, link)];
}

function hasWildcards(name: string): boolean {
  return /[*?[]/.test(name.replace(/\\./gs, ''));
}

function withoutNested(sorted: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const path of sorted) {
    const last = kept.at(-1);
    if (last === undefined || !path.startsWith(`${last}/`)) kept.push(path);
  }
  return kept;
}
