/** Owns where private files can be: in a place where nobody else can rename them, and that the build does not send. */
import {realpathSync, statSync} from 'node:fs';
import {dirname, isAbsolute, resolve} from 'node:path';

/** `memory`: kept in memory, of limited size. `chosen`: the user's choice. `spare`: taken where the others cannot be. */
export interface Root {
  readonly path: string;
  readonly kind: 'memory' | 'chosen' | 'spare';
}

/** `temporary` is the directory for temporary files, `cache` the user's for caches. */
export function listRoots(
  {env, platform}: {readonly env: Readonly<Record<string, string | undefined>>; readonly platform: string},
  temporary: string,
  cache: string,
): readonly Root[] {
  const spare = platform === 'win32' ? [cache] : [cache, '/tmp', '/var/tmp', '/dev/shm'];
  const memory = platform === 'linux' ? env.XDG_RUNTIME_DIR : undefined;
  return [
    ...(memory && isAbsolute(memory) ? [{path: memory, kind: 'memory'} as const] : []),
    {path: temporary, kind: 'chosen'},
    // Without a cache its path is empty, which would be the current directory.
    ...spare.filter(isAbsolute).map((path) => ({path, kind: 'spare'}) as const),
  ];
}

/** Why private files cannot be in a root whose real path is `real`, as a clause; undefined where they can. */
export function findObjection(
  {real, kind}: {readonly real: string; readonly kind: Root['kind']},
  outside: readonly string[],
  uid: number | undefined,
): string | undefined {
  // A bind mount, or another spelling where case does not count, has another path, but the same number.
  const excluded = new Map(outside.map((path) => [identify(path), path]));
  for (const directory of listAncestors(real)) {
    const id = identify(directory);
    if (id !== undefined && excluded.has(id))
      return `it is inside "${excluded.get(id)}", which the build reads or writes`;
  }
  if (kind === 'memory' && uid !== undefined) {
    const {uid: owner, mode} = statSync(real);
    if (owner !== uid || (mode & 0o077) !== 0) return 'it is not yours alone';
  }
  return findDanger(listAncestors(real), uid);
}

/**
 * Who else could replace `path`, as a clause; undefined if nobody. Only what lies in a directory that all users share,
 * such as /tmp, is looked at: other directories are the user's choice.
 */
export function findSquatter(path: string, uid: number | undefined): string | undefined {
  const existing = listAncestors(resolve(path)).find((one) => identify(one) !== undefined);
  if (existing === undefined) return undefined;
  const all = listAncestors(realpathSync(existing));
  const shared = all.findIndex((one) => (statSync(one).mode & 0o1002) === 0o1002);
  return shared < 0 ? undefined : findDanger(all.slice(0, shared), uid);
}

/** Windows has no such owners and modes, and its temporary directory is the user's own. */
function findDanger(directories: readonly string[], uid: number | undefined): string | undefined {
  if (uid === undefined) return undefined;
  for (const directory of directories) {
    const {uid: owner, mode} = statSync(directory);
    if (owner !== uid && owner !== 0) return `"${directory}" belongs to another user`;
    const isSticky = (mode & 0o1000) !== 0;
    if ((mode & 0o022) !== 0 && !isSticky) return `other users can rename what is in "${directory}"`;
  }
  return undefined;
}

/** The directory itself first. */
function listAncestors(directory: string): readonly string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [directory, ...listAncestors(parent)];
}

/** The same for all paths to one directory; undefined where there is nothing. */
function identify(path: string): string | undefined {
  try {
    const {dev, ino} = statSync(path, {bigint: true});
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
