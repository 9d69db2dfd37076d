/** Owns which paths of a context go: filters that all have to let a path through. */
import type {ParentMatches, Patterns} from './patterns.ts';

/** What a filter knows of a directory, for what is in it. */
export type FilterState = ParentMatches;

export interface Filter {
  /** `parent`: the state of the directory that `path` is in. */
  judge(path: string, parent: FilterState): {readonly passes: boolean; readonly state: FilterState};
  /** Whether anything below a directory that does not pass may do so. */
  mayPassBelow(directory: string): boolean;
}

/** Lets through what the patterns do not match, as an ignore file does. */
export function excluding(patterns: Patterns): Filter {
  return {
    judge: (path, parent) => {
      const {matched, parents} = patterns.match(path, parent);
      return {passes: !matched, state: parents};
    },
    mayPassBelow: (directory) => patterns.mayMatchBelow(directory, 'exceptions'),
  };
}

/** Lets through what the patterns match. */
export function including(patterns: Patterns): Filter {
  return {
    judge: (path, parent) => {
      const {matched, parents} = patterns.match(path, parent);
      return {passes: matched, state: parents};
    },
    mayPassBelow: (directory) => patterns.mayMatchBelow(directory, 'rules'),
  };
}

/** Lets through these paths and all below them, whatever characters they have. */
export function only(paths: readonly string[]): Filter {
  return {
    judge: (path) => ({passes: paths.some((one) => path === one || path.startsWith(`${one}/`)), state: []}),
    mayPassBelow: (directory) => paths.some((path) => path.startsWith(`${directory}/`)),
  };
}
