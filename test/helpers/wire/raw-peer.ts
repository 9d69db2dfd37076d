/** Owns a peer that sends frames by hand, for what a proper one never does. */
import {type Duplex, duplexPair} from 'node:stream';
import {Http2Connection, type Http2Options} from '../../../src/wire/http2/connection.ts';
import {
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  makeFrame,
  makeSettings,
  PREFACE,
} from '../../../src/wire/http2/frames.ts';

export class RawPeer {
  readonly transport: Duplex;
  readonly #near: Duplex;
  readonly #frames: AsyncIterator<Frame>;

  constructor(transport: Duplex, near: Duplex, isServer: boolean) {
    this.transport = transport;
    this.#near = near;
    const reader = new FrameReader(isServer);
    this.#frames = (async function* () {
      for await (const chunk of transport) {
        reader.push(chunk);
        for (let frame = reader.next(); frame; frame = reader.next()) yield frame;
      }
    })();
  }

  /** What it was sent and has not read. */
  get waiting(): number {
    return this.#near.writableLength + this.transport.readableLength;
  }

  send(...frames: readonly Buffer[]): void {
    this.transport.write(Buffer.concat(frames));
  }

  /** The next frame of a type; those before it are passed over. */
  async next(type: number, stream?: number): Promise<Frame> {
    while (true) {
      const frame = await this.nextOf(type);
      if (stream === undefined || frame.stream === stream) return frame;
    }
  }

  /** The next frame of any of these types. */
  async nextOf(...types: readonly number[]): Promise<Frame> {
    while (true) {
      const {value, done} = await this.#frames.next();
      if (done) throw new Error(`the connection ended before a frame of type ${types}`);
      if (types.includes(value.type)) return value;
    }
  }

  /** What it is told when the connection is ended for its fault. */
  async goodbye(): Promise<number> {
    return (await this.next(FrameType.GOAWAY)).payload.readUInt32BE(4);
  }
}

/** A connection of ours and its peer, which has sent its settings. */
export function withRawPeer(
  role: 'client' | 'server',
  options?: Http2Options,
  settings: readonly (readonly [number, number])[] = [],
): readonly [Http2Connection, RawPeer] {
  const [near, far] = duplexPair();
  const connection = new Http2Connection(near, role, options);
  const peer = new RawPeer(far, near, role === 'client');
  peer.send(...(role === 'server' ? [PREFACE] : []), makeSettings(settings));
  return [connection, peer];
}

export const data = (stream: number, payload: Buffer | string, flags = 0) =>
  makeFrame(FrameType.DATA, flags, stream, Buffer.from(payload));
export const headers = (stream: number, block: Buffer, flags: number = Flag.END_HEADERS) =>
  makeFrame(FrameType.HEADERS, flags, stream, block);
/** `:status: 200`, and `:method: POST` with `:path: /`, by their numbers in the static table. */
export const OK = Buffer.from([0x88]);
export const POST = Buffer.from([0x83, 0x84]);
