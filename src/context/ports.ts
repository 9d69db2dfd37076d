/** Owns how a directory is read that is sent to a builder: the port that the system implements. */

/** What lstat says of a file. */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'socket' | 'character-device' | 'block-device';
  /** Permissions with setuid, setgid and sticky, as in st_mode: at most 0o7777. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly modified: bigint;
  /** When anything of it changed last, its time of modification included: nanoseconds since the epoch. */
  readonly changed: bigint;
  /** What tells it from every other file of this machine; undefined for text that is no file. */
  readonly inode?: bigint;
  /** What all names of one file have in common; undefined where it has one name. */
  readonly identity?: string;
  /** st_rdev of a device. */
  readonly device?: number;
}

/** Paths are the platform's own. Every call throws the system's error. */
export interface ContextFiles {
  /** The names in a directory, in any order. */
  list(directory: string): readonly Uint8Array[];
  lstat(path: string): FileFacts;
  readLink(path: string): Uint8Array;
  /** The first `size` bytes of a file in chunks, or all that it has. */
  read(path: string, size: number): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}
