/** Owns a gRPC call as a Duplex: both sides send messages that are nothing but bytes in the first field. */
import {Duplex} from 'node:stream';
import {ByteQueue} from '../byte-queue.ts';
import {announceBytes, bytes, field, message} from '../protobuf/message.ts';
import type {Call} from './client.ts';
import {lengthOf} from './messages.ts';

const DATA = 1;
/** BuildKit's BytesMessage. */
export const BytesMessage = message({data: field(DATA, bytes)});

/** Far below what a message may have. */
const LONGEST = 1024 * 1024;

/** What is written together goes in one message. The call's error is the stream's. */
export function openByteStream(call: Call<{data?: Uint8Array}, {data: Uint8Array}>): Duplex {
  const answers = call[Symbol.asyncIterator]();
  return new Duplex({
    read() {
      readNext(answers).then(
        (data) => this.push(data),
        (error) => this.destroy(error),
      );
    },
    writev(chunks, done) {
      const queue = new ByteQueue();
      for (const {chunk} of chunks) queue.push(chunk);
      sendAll(call, queue).then(() => done(), done);
    },
    final(done) {
      call.end();
      done();
    },
    destroy(error, done) {
      if (!this.readableEnded || !this.writableFinished) call.cancel();
      done(error);
    },
  });
}

/** Empty messages are passed over: a stream has none. */
async function readNext(answers: AsyncIterator<{readonly data: Uint8Array}>): Promise<Uint8Array | null> {
  while (true) {
    const {done, value} = await answers.next();
    if (done) return null;
    if (value.data.length > 0) return value.data;
  }
}

async function sendAll(call: Call<unknown, unknown>, queue: ByteQueue): Promise<void> {
  while (queue.length > 0) {
    const parts = queue.takeParts(LONGEST);
    await call.sendParts([announceBytes(DATA, lengthOf(parts)), ...parts]);
  }
}
