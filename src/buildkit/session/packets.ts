/** Owns the packets of fsutil's protocol (tonistiigi/fsutil, types/wire.proto and stat.proto). */
import type {ContextEntry} from '../../context/walk.ts';
import {
  announceBytes,
  bytes,
  field,
  int32,
  int64,
  type MessageOf,
  message,
  optional,
  string,
  uint32,
} from '../../wire/protobuf/message.ts';

export const PacketType = {STAT: 0, REQUEST: 1, DATA: 2, FINISH: 3, ERROR: 4} as const;

export const Stat = message({
  path: field(1, string),
  mode: field(2, uint32),
  uid: field(3, uint32),
  gid: field(4, uint32),
  size: field(5, int64),
  modified: field(6, int64),
  link: field(7, string),
  deviceMajor: field(8, int64),
  deviceMinor: field(9, int64),
});
export type Stat = MessageOf<typeof Stat>;
const DATA = 4;
export const Packet = message({
  type: field(1, int32),
  stat: optional(2, Stat),
  id: field(3, uint32),
  data: field(DATA, bytes),
});
export type Packet = MessageOf<typeof Packet>;
export type PacketIn = Parameters<typeof Packet.encode>[0];

/** What stands before `length` bytes of a file's content in their packet. */
export function startData(id: number, length: number): Uint8Array {
  return Buffer.concat([Packet.encode({type: PacketType.DATA, id}), announceBytes(DATA, length)]);
}

/** Bits of Go's os.FileMode, which is on the wire. */
export const GoMode = {
  DIRECTORY: 2 ** 31,
  SYMLINK: 2 ** 27,
  DEVICE: 2 ** 26,
  FIFO: 2 ** 25,
  SETUID: 2 ** 23,
  SETGID: 2 ** 22,
  CHARACTER_DEVICE: 2 ** 21,
  STICKY: 2 ** 20,
} as const;

/** A socket goes as an empty file, as from docker. */
const KIND_BITS: Readonly<Record<ContextEntry['kind'], number>> = {
  file: 0,
  socket: 0,
  directory: GoMode.DIRECTORY,
  symlink: GoMode.SYMLINK,
  fifo: GoMode.FIFO,
  'block-device': GoMode.DEVICE,
  'character-device': GoMode.DEVICE + GoMode.CHARACTER_DEVICE,
};

const SECOND = 1_000_000_000n;
/** Odd numbers without a pattern in their bits. */
const [A, B, C, D] = [0x9e3779b97f4a7c15n, 0xbf58476d1ce4e5b9n, 0x94d049bb133111ebn, 0xd6e8feb86659fd93n];

/**
 * BuildKit takes a file of the same path, mode, size and modification time for the one that it has. So the nanoseconds
 * of that time are a hash of what no other file, and no other state of this one, has in common with it. Layers hold
 * whole seconds, so an image does not depend on it.
 */
function stampFile({modified, changed, inode = 0n}: ContextEntry): bigint {
  const mixed = BigInt.asUintN(64, modified * A + changed * B + inode * C + (inode >> 64n) * D);
  const nanoseconds = BigInt.asUintN(64, (mixed ^ (mixed >> 31n)) * D) >> 20n;
  const seconds = modified - (((modified % SECOND) + SECOND) % SECOND);
  return seconds + (nanoseconds % SECOND);
}

/** Owner and group are root's, as docker sends them. */
export function toStat(entry: ContextEntry) {
  const {path, kind, mode, size, modified, link = '', device = 0} = entry;
  const special =
    (mode & 0o4000 ? GoMode.SETUID : 0) +
    (mode & 0o2000 ? GoMode.SETGID : 0) +
    (mode & 0o1000 ? GoMode.STICKY : 0);
  return {
    path,
    mode: (mode & 0o777) + special + KIND_BITS[kind],
    size: kind === 'directory' ? 0n : BigInt(size),
    modified: kind === 'file' ? stampFile(entry) : modified,
    link,
    deviceMajor: BigInt((device >>> 8) & 0xfff),
    deviceMinor: BigInt((device & 0xff) | ((device >>> 12) & 0xfff00)),
  };
}
