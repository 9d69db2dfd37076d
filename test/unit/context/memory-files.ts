/** Owns a directory in memory for tests of the walk: names with slashes, and what lstat says of them. */

import {syncDirectory} from '../../../src/context/directory.ts';
import type {ContextFiles, FileFacts} from '../../../src/context/ports.ts';

export interface MemoryFile extends Partial<FileFacts> {
  readonly content?: string;
  readonly link?: string;
}

const ROOT = '/context';

/** `paths` as `a/b`, its parents made; a text is a file's content. What ends in a slash is an empty directory. */
export function memoryFiles(paths: Readonly<Record<string, string | MemoryFile>>): ContextFiles {
  const files = new Map<string, MemoryFile>();
  for (const [path, given] of Object.entries(paths)) {
    const clean = path.replace(/\/$/, '');
    const names = clean.split('/');
    for (let depth = 1; depth < names.length; depth++) {
      const parent = names.slice(0, depth).join('/');
      if (!files.has(parent)) files.set(parent, {kind: 'directory'});
    }
    const own = typeof given === 'string' ? {content: given} : given;
    files.set(clean, path.endsWith('/') ? {kind: 'directory', ...own} : own);
  }
  const find = (path: string): MemoryFile => {
    const inside = path.slice(ROOT.length + 1);
    const file = inside === '' ? {kind: 'directory' as const} : files.get(inside);
    if (file === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), {code: 'ENOENT'});
    return file;
  };
  return {
    list: (directory) => {
      find(directory);
      const inside = directory.slice(ROOT.length + 1);
      const names = [...files.keys()].flatMap((path) => {
        const at = path.lastIndexOf('/');
        return path.slice(0, Math.max(at, 0)) === inside ? [path.slice(at + 1)] : [];
      });
      return names.reverse().map((name) => Buffer.from(name));
    },
    lstat: (path) => {
      const {content = '', link, kind = link === undefined ? 'file' : 'symlink', ...facts} = find(path);
      const size = Buffer.byteLength(link ?? content);
      return {kind, mode: kind === 'directory' ? 0o755 : 0o644, size, modified: 1n, changed: 1n, ...facts};
    },
    readLink: (path) => {
      const {link} = find(path);
      if (link === undefined) throw Object.assign(new Error(`EINVAL: ${path}`), {code: 'EINVAL'});
      return Buffer.from(link);
    },
    read: (path, size) => [Buffer.from(find(path).content ?? '').subarray(0, size)],
  };
}

export function memoryDirectory(paths: Readonly<Record<string, string | MemoryFile>>) {
  return syncDirectory(ROOT, memoryFiles(paths));
}
