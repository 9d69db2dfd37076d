/** Owns a place for the private directories of a test. */
import {DiskFiles} from '../../src/system/disk-files.ts';
import {PrivateDirectories, type PrivatePlace} from '../../src/system/private-directory.ts';

export function privatePlace(root: string, changes: Partial<PrivatePlace> = {}): PrivateDirectories {
  return new PrivateDirectories({
    roots: [{path: root, kind: 'chosen'}],
    uid: process.getuid?.(),
    pid: process.pid,
    host: 'test',
    kill: (pid, signal) => void process.kill(pid, signal),
    atExit: () => undefined,
    complain: () => undefined,
    ...changes,
  });
}

export function diskFiles(root: string, changes: Partial<PrivatePlace> = {}): DiskFiles {
  return new DiskFiles(privatePlace(root, changes), process.getuid?.());
}
