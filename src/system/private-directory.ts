/** Owns private directories: where they are, and that nothing of them stays. */
import {closeSync, lstatSync, mkdtempSync, openSync, realpathSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {TiltbuildError} from '../errors.ts';
import type {PrivateDirectory} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import {
  isDirectoryName,
  nameChild,
  nameDirectory,
  removeTree,
  type Self,
  sweepDeadRuns,
} from './dead-runs.ts';
import {findObjection, type Root} from './private-root.ts';

export interface PrivatePlace extends Self {
  readonly roots: readonly Root[];
  /** Runs its argument when the process ends. */
  readonly atExit: (cleanUp: () => void) => void;
  /** Reports what is left when the process ends. */
  readonly complain: (text: string) => void;
}

export class PrivateDirectories {
  readonly #place: PrivatePlace;
  readonly #present = new Set<string>();
  /** To list a directory takes a descriptor, and there may be no other when the process ends. */
  #reserve: number | undefined;

  constructor(place: PrivatePlace) {
    this.#place = place;
    place.atExit(() => {
      if (this.#reserve !== undefined) closeSync(this.#reserve);
      const left = [...this.#present].flatMap(removeTree);
      if (left.length > 0) place.complain(`Could not remove all private files: ${left.join(', ')}`);
    });
  }

  /** Also removes what runs left that were killed. Throws `temporary-files`. */
  make(outside: readonly string[]): PrivateDirectory {
    const {roots} = this.#place;
    const small = this.#choose(roots, outside);
    // Memory is scarce.
    const large = small.kind === 'memory' ? this.#choose(roots.slice(1), outside) : small;
    const paths = [...new Set([large.path, small.path])];
    const swept = Promise.allSettled(paths.map((path) => sweepDeadRuns(dirname(path), this.#place)));
    return {
      path: small.path,
      spool: large.path,
      remove: async () => {
        // What could not be removed is tried again, and reported, when the process ends.
        for (const path of paths) if (removeTree(path).length === 0) this.#present.delete(path);
        await swept;
      },
    };
  }

  /** Keeps a child's number, for the next run to end it if this one cannot. */
  recordChild(pid: number): void {
    const name = nameChild(pid);
    if (name === undefined) return;
    try {
      for (const path of this.#present) writeFileSync(join(path, name), '', {mode: 0o600});
    } catch {
      // Only a run that is killed needs it.
    }
  }

  /** Whether `path` is a file in a private directory, for us alone, that only we can have written. */
  owns(path: string): boolean {
    const {uid} = this.#place;
    const directory = lstatSync(dirname(path), {throwIfNoEntry: false});
    const file = lstatSync(path, {throwIfNoEntry: false});
    const isPrivate = ({uid: owner, mode}: {readonly uid: number; readonly mode: number}) =>
      uid === undefined || (owner === uid && (mode & 0o077) === 0);
    if (!directory?.isDirectory() || !file?.isFile() || file.nlink !== 1) return false;
    return isDirectoryName(basename(dirname(path))) && isPrivate(directory) && isPrivate(file);
  }

  #choose(roots: readonly Root[], outside: readonly string[]): {path: string; kind: Root['kind']} {
    const objections: string[] = [];
    for (const {path: root, kind} of roots) {
      try {
        const real = realpathSync(root);
        const objection = findObjection({real, kind}, outside, this.#place.uid);
        if (objection === undefined) {
          // mkdtemp creates it with mode 0700.
          const path = mkdtempSync(join(real, nameDirectory(this.#place)));
          this.#present.add(path);
          this.#reserve ??= openReserve(root);
          return {path, kind};
        }
        if (kind !== 'memory') objections.push(`${root}: ${objection}`);
      } catch (cause) {
        if (kind === 'chosen') throw unwritable(root, cause);
      }
    }
    const [first, ...detail] = objections;
    throw new TiltbuildError('temporary-files', `Cannot write temporary files in ${first}.`, {
      detail,
      remedy: [
        'Set TMPDIR (TEMP on Windows) to a directory of yours outside the build context, in which nobody else can rename files.',
      ],
    });
  }
}

function openReserve(directory: string): number | undefined {
  try {
    return openSync(directory, 'r');
  } catch {
    // Windows opens no directory so.
    return undefined;
  }
}

/** No temporary file can be written in `root`. */
export function unwritable(root: string, cause: unknown): TiltbuildError {
  return new TiltbuildError(
    'temporary-files',
    `Cannot write temporary files in ${root}: ${reasonOf(cause)}.`,
    {remedy: ['Free some space there, or set TMPDIR (TEMP on Windows) to another directory.'], cause},
  );
}
