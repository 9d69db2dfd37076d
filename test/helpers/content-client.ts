/** Owns the side of containerd's content service that BuildKit has: a client that writes and reads as its proxy does. */
import {createHash} from 'node:crypto';
import {STORE_ID} from '../../src/buildkit/session/content.ts';
import {Content, WriteAction} from '../../src/wire/containerd/content.ts';
import {callUnary, callWithOne, openCall} from '../../src/wire/grpc/client.ts';
import type {Http2Connection} from '../../src/wire/http2/connection.ts';

export const digestOf = (data: Uint8Array) => `sha256:${createHash('sha256').update(data).digest('hex')}`;

/** How a blob is written; by default rightly and at once. */
export interface Writing {
  readonly ref?: string;
  readonly expected?: string;
  readonly total?: number;
  /** Sizes of the messages, used in turn. */
  readonly sizes?: readonly number[];
  /** The connection ends after so many bytes, without a commit. */
  readonly stopsAt?: number;
}

export class ContentClient {
  readonly #connection: Http2Connection;
  readonly #metadata: readonly (readonly [string, string])[];

  constructor(connection: Http2Connection, store: string) {
    this.#connection = connection;
    this.#metadata = [[STORE_ID, store]];
  }

  async info(digest: string): Promise<number> {
    const {info} = await callUnary(this.#connection, Content.info, {digest}, this.#options);
    return Number(info?.size ?? -1);
  }

  async read(digest: string, offset = 0, size = 0): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    const asked = {digest, offset: BigInt(offset), size: BigInt(size)};
    for await (const {data} of callWithOne(this.#connection, Content.read, asked, this.#options))
      parts.push(Buffer.from(data));
    return Buffer.concat(parts);
  }

  async abort(ref: string): Promise<void> {
    await callUnary(this.#connection, Content.abort, {ref}, this.#options);
  }

  /** Asks for the offset, goes on there, and commits. Gives where it began. */
  async write(blob: Uint8Array, {ref, expected, total, sizes = [65_536], stopsAt}: Writing = {}) {
    const whole = {expected: expected ?? digestOf(blob), total: BigInt(total ?? blob.length)};
    const call = openCall(this.#connection, Content.write, this.#options);
    const answers = call[Symbol.asyncIterator]();
    const send = async (request: Parameters<typeof Content.write.request.encode>[0]) => {
      call.send(request).catch(() => undefined);
      const {value, done} = await answers.next();
      if (done) throw new Error('the write ended without an answer');
      return value;
    };
    const {offset} = await send({action: WriteAction.STAT, ref: ref ?? whole.expected, ...whole});
    let at = Number(offset);
    for (let index = 0; at < (stopsAt ?? blob.length); index++) {
      const data = blob.subarray(
        at,
        Math.min(at + (sizes[index % sizes.length] ?? 1), stopsAt ?? blob.length),
      );
      const answer = await send({action: WriteAction.WRITE, offset: BigInt(at), data});
      at += data.length;
      if (answer.offset !== BigInt(at)) throw new Error(`${answer.offset} after ${at}`);
    }
    if (stopsAt === undefined) {
      const answer = await send({action: WriteAction.COMMIT, offset: BigInt(at), ...whole});
      if (answer.digest !== whole.expected) throw new Error(`committed as ${answer.digest}`);
    }
    call.end();
    // Whoever reads to the end meets the status.
    while (!(await answers.next()).done);
    return Number(offset);
  }

  get #options() {
    return {metadata: this.#metadata};
  }
}
