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

/** A symbolic link on the way to a path, and where it leads by BuildKit's rules. */
export interface FollowedLink {
  readonly path: string;
  /** As the link has it. */
  readonly target: string;
  /** The path in the context that is looked up: the root of the context is that of all links. */
  readonly place: string;
  /** Whether the target is outside the context on this machine. */
  readonly leadsOut: boolean;
}

const MOST_LINKS = 40;

/** The last link on the way to a path; undefined where there is none. */
export function followLink(given: string, readLink: LinkReader['readLink']): FollowedLink | undefined {
  let last: FollowedLink | undefined;
  let parts = given.split('/').filter(Boolean);
  for (let at = 1, links = 0; at <= parts.length && links < MOST_LINKS; ) {
    const path = parts.slice(0, at).join('/');
    const target = readLink(path);
    if (target === undefined) {
      at += 1;
      continue;
    }
    const isAbsolute = /^(?:\/|[A-Za-z]:[\\/])/.test(target);
    const joined = isAbsolute ? target : posix.join(posix.dirname(path), target);
    const place = cleanPath(`/${joined}`).slice(1);
    parts = [place, ...parts.slice(at)].join('/').split('/').filter(Boolean);
    last = {
      path,
      target,
      place: parts.join('/'),
      leadsOut: isAbsolute || /^\.\.(?:\/|$)/.test(posix.normalize(joined)),
    };
    links += 1;
    at = 1;
  }
  return last;
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
