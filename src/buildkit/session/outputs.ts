/** Owns what BuildKit sends back: an archive as a stream of bytes, or a tree of files by fsutil's protocol. */
import {TiltbuildError} from '../../errors.ts';
import {reasonOf} from '../../system-error.ts';
import {BytesMessage} from '../../wire/grpc/byte-stream.ts';
import {type Route, streaming} from '../../wire/grpc/server.ts';
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';
import {raw} from '../../wire/protobuf/message.ts';
import {GoMode, Packet, PacketType, type Stat} from './packets.ts';

/** Where an archive goes. */
export interface ArchiveOutput {
  readonly kind: 'archive';
  write(chunk: Uint8Array): Promise<void>;
  /** All of it was written. */
  complete(): Promise<void>;
}

/**
 * Where a tree goes. Paths are relative, with slashes, and stay below its root; parents come first, and no path comes
 * twice. Times are in nanoseconds. Devices and FIFOs are left out: the runtime cannot make them.
 */
export interface TreeOutput {
  readonly kind: 'tree';
  makeDirectory(path: string): Promise<void>;
  makeLink(path: string, target: string, modified: bigint): Promise<void>;
  makeHardLink(path: string, existing: string): Promise<void>;
  /** Appends to a file that does not exist yet under its name. */
  write(path: string, chunk: Uint8Array): Promise<void>;
  /** Gives a file its name, mode and modification time. */
  finishFile(path: string, mode: number, modified: bigint): Promise<void>;
  /** The same for a directory, once all that is in it is there. */
  finishDirectory(path: string, mode: number, modified: bigint): Promise<void>;
}

export type Output = ArchiveOutput | TreeOutput;

/** How many files are asked for before the first of them is complete. */
const AHEAD = 64;

/** `outputs` by the number of the exporter, which BuildKit before 0.14 does not send: there is one then. */
export function serveOutputs(outputs: readonly Output[]): Route {
  return streaming(
    // Which of the two kinds of messages comes is known by the output that they are for.
    {path: '/moby.filesync.v1.FileSend/DiffCopy', request: raw, response: Packet},
    async function* (messages, {metadata}) {
      const number = metadata.find(([name]) => name === 'buildkit-attachable-exporter-id')?.[1] ?? '0';
      const output = outputs[Number(number)];
      if (output === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `exporter ${number} not found`);
      try {
        if (output.kind === 'tree') yield* receiveTree(messages, output);
        else await receiveArchive(messages, output);
      } catch (error) {
        throw toOutputError(error);
      }
    },
  );
}

/** The error for the user, where the system could not write. */
export function toOutputError(error: unknown): unknown {
  const isOfTheSystem = error instanceof Error && 'syscall' in error;
  if (!isOfTheSystem) return error;
  const {path} = error as NodeJS.ErrnoException;
  const what = path === undefined ? "the build's output" : JSON.stringify(path);
  return new TiltbuildError('result-not-written', `Could not write ${what}: ${reasonOf(error)}.`, {
    cause: error,
  });
}

async function receiveArchive(messages: AsyncIterable<Uint8Array>, output: ArchiveOutput): Promise<void> {
  for await (const message of messages) await output.write(BytesMessage.decode(message).data);
  await output.complete();
}

async function* receiveTree(messages: AsyncIterable<Uint8Array>, output: TreeOutput) {
  const placed = new Map<string, Kind>([['.', 'directory']]);
  const wanted: {readonly id: number; readonly stat: Stat}[] = [];
  const open = new Map<number, Stat>();
  const directories: Stat[] = [];
  /** Hard links, which can be made once the files that they are to are complete. */
  const links: Stat[] = [];
  let next = 0;
  let isListed = false;
  let isComplete = false;
  for await (const bytes of messages) {
    const {type, stat, id, data} = Packet.decode(bytes);
    if (type === PacketType.ERROR) throw new GrpcError(GrpcCode.INTERNAL, Buffer.from(data).toString());
    if (type === PacketType.FINISH) return;
    if (type === PacketType.STAT && stat !== undefined) {
      const kind = checkEntry(stat, placed);
      placed.set(stat.path, kind);
      if (kind === 'file') wanted.push({id: next, stat});
      else if (kind === 'hard-link') links.push(stat);
      else if (kind === 'link') await output.makeLink(stat.path, stat.link, stat.modified);
      else if (kind === 'directory') {
        directories.push(stat);
        await output.makeDirectory(stat.path);
      }
      next += 1;
    } else if (type === PacketType.STAT) {
      isListed = true;
    } else if (type === PacketType.DATA) {
      const file = open.get(id);
      if (file === undefined)
        throw new GrpcError(GrpcCode.INTERNAL, `data of a file that was not asked for: ${id}`);
      if (data.length > 0) await output.write(file.path, data);
      else {
        await output.finishFile(file.path, permissions(file.mode), file.modified);
        open.delete(id);
      }
    }
    while (open.size < AHEAD && wanted.length > 0) {
      const {id: wantedId, stat: file} = wanted.shift() as (typeof wanted)[number];
      open.set(wantedId, file);
      await output.write(file.path, new Uint8Array());
      yield {type: PacketType.REQUEST, id: wantedId};
    }
    if (isListed && open.size === 0 && !isComplete) {
      isComplete = true;
      for (const {path, link} of links) await output.makeHardLink(path, link);
      for (const {path, mode, modified} of directories.reverse())
        await output.finishDirectory(path, permissions(mode), modified);
      yield {type: PacketType.FINISH};
    }
  }
  if (!isComplete) throw new GrpcError(GrpcCode.INTERNAL, 'BuildKit ended the output before it was complete');
}

type Kind = 'file' | 'directory' | 'link' | 'hard-link' | 'other';

/** What a peer sends is not trusted: nothing is written twice, through a link, or outside. */
function checkEntry(stat: Stat, placed: ReadonlyMap<string, Kind>): Kind {
  const {path, link} = stat;
  const names = path.split('/');
  const parent = names.slice(0, -1).join('/') || '.';
  const isClean = names.every((name) => !['', '.', '..'].includes(name) && !name.includes('\0'));
  if (!isClean || placed.has(path) || placed.get(parent) !== 'directory') throw refusePath(path);
  const kind = kindOf(stat);
  if (kind === 'hard-link' && placed.get(link) !== 'file') throw refusePath(link);
  return kind;
}

function kindOf({mode, link}: Stat): Kind {
  if (Math.floor(mode / GoMode.DIRECTORY) % 2 === 1) return 'directory';
  if (mode & GoMode.SYMLINK) return 'link';
  if (mode & (GoMode.DEVICE | GoMode.FIFO)) return 'other';
  return link === '' ? 'file' : 'hard-link';
}

function permissions(mode: number): number {
  const special =
    (mode & GoMode.SETUID ? 0o4000 : 0) |
    (mode & GoMode.SETGID ? 0o2000 : 0) |
    (mode & GoMode.STICKY ? 0o1000 : 0);
  return (mode & 0o777) | special;
}

function refusePath(path: string): TiltbuildError {
  return new TiltbuildError(
    'result-not-written',
    `The build would write ${JSON.stringify(path)} outside the output directory, or twice.`,
  );
}
