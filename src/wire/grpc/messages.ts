/** Owns gRPC messages on a stream: each behind a flag and its length, sent no faster than they are taken. */
import {ByteQueue} from '../byte-queue.ts';
import type {Http2Stream} from '../http2/stream.ts';
import type {Message} from '../protobuf/message.ts';
import {GrpcCode, GrpcError} from './status.ts';

/** How long it is what stands before a message. */
export const PREFIX = 5;
/** What BuildKit sends at most, and takes. */
export const LONGEST_MESSAGE = 16 * 1024 * 1024;

/** A method by its path, e.g. `/grpc.health.v1.Health/Check`. */
export interface Method<Request, RequestIn, Response, ResponseIn> {
  readonly path: string;
  readonly request: Message<Request, RequestIn>;
  readonly response: Message<Response, ResponseIn>;
}

/** Makes the methods of a service, e.g. `grpc.health.v1.Health`, by their names. */
export function methodsOf(service: string) {
  return <Q, QIn, R, RIn>(
    name: string,
    request: Message<Q, QIn>,
    response: Message<R, RIn>,
  ): Method<Q, QIn, R, RIn> => ({path: `/${service}/${name}`, request, response});
}

/** Resolves when there may be more: at once, unless too much waits already. Rejects where the stream is no more. */
export async function sendMessage<In>(
  stream: Http2Stream,
  kind: Message<unknown, In>,
  value: In,
): Promise<void> {
  const encoded = kind.encode(value);
  const frame = Buffer.allocUnsafe(PREFIX + encoded.length);
  placeMessage(encoded, frame, 0);
  await sendBytes(stream, [frame]);
}

/** Sends a message that is encoded already. Its parts are not copied, and may not change any more. */
export async function sendParts(stream: Http2Stream, parts: readonly Uint8Array[]): Promise<void> {
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeUInt32BE(lengthOf(parts), 1);
  await sendBytes(stream, [prefix, ...parts]);
}

export function lengthOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, {length}) => sum + length, 0);
}

/** Writes a message and what stands before it, and gives where it ends. `more`: how many of its bytes come apart. */
export function placeMessage(encoded: Uint8Array, target: Buffer, at: number, more = 0): number {
  target[at] = 0;
  target.writeUInt32BE(encoded.length + more, at + 1);
  target.set(encoded, at + PREFIX);
  return at + PREFIX + encoded.length;
}

/** The same for messages that have their prefixes already. */
export async function sendBytes(stream: Http2Stream, parts: readonly Uint8Array[]): Promise<void> {
  stream.cork();
  for (const part of parts.slice(0, -1)) stream.write(part);
  const written = new Promise<void>((resolve, reject) => {
    stream.write(parts.at(-1), (error) => (error ? reject(error) : resolve()));
  });
  stream.uncork();
  if (stream.writableNeedDrain || stream.destroyed) await written;
  // An error that comes later is met by whoever reads, or sends the next one.
  else written.catch(() => undefined);
}

/** The messages of the peer, to its end. Not to read on leaves the stream as it is. */
export async function* readMessages<Out>(
  stream: Http2Stream,
  kind: Message<Out, never>,
  longest: number,
): AsyncGenerator<Out, undefined> {
  const queue = new ByteQueue();
  let length: number | undefined;
  for await (const chunk of stream.iterator({destroyOnReturn: false})) {
    queue.push(chunk);
    while (true) {
      if (length === undefined) {
        if (queue.length < PREFIX) break;
        length = readPrefix(queue.take(PREFIX), longest);
      }
      if (queue.length < length) break;
      yield decode(kind, queue.take(length));
      length = undefined;
    }
  }
  if (length !== undefined || queue.length > 0) throw broken('the stream ended within a message');
}

function readPrefix(prefix: Buffer, longest: number): number {
  if (prefix[0] !== 0) throw new GrpcError(GrpcCode.UNIMPLEMENTED, 'a message is compressed');
  const length = prefix.readUInt32BE(1);
  if (length <= longest) return length;
  throw new GrpcError(GrpcCode.RESOURCE_EXHAUSTED, `a message of ${length} bytes, longer than ${longest}`);
}

function decode<Out>(kind: Message<Out, never>, bytes: Buffer): Out {
  try {
    return kind.decode(bytes);
  } catch (cause) {
    throw broken('a message cannot be read', cause);
  }
}

function broken(what: string, cause?: unknown): GrpcError {
  return new GrpcError(GrpcCode.INTERNAL, what, {cause});
}
