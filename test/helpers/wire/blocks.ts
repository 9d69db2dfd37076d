/** Owns data whose every block has a number and a hash, so that nothing of it can be lost, doubled or exchanged unseen. */
import {createHash, randomBytes} from 'node:crypto';
import type {Readable} from 'node:stream';
import {numbersFrom} from './sockets.ts';

const HASH = 32;
const NUMBER = 4;
const BLOCK = 8_192;

const hash = (bytes: Buffer) => createHash('sha256').update(bytes).digest();

/** Pieces of any length, and pauses between them, that make up `count` blocks. */
export async function* makeBlocks(count: number, seed: number): AsyncGenerator<Buffer> {
  const random = numbersFrom(seed);
  const filling = randomBytes(BLOCK);
  let waiting = Buffer.alloc(0);
  for (let number = 0; number < count; number++) {
    const block = Buffer.alloc(BLOCK - random(4_000));
    block.writeUInt32BE(number, 2 + HASH);
    filling.copy(block, 2 + HASH + NUMBER, random(2_000));
    block.writeUInt16BE(block.length, 0);
    hash(block.subarray(2 + HASH)).copy(block, 2);
    waiting = Buffer.concat([waiting, block]);
    while (waiting.length > 0 && (number === count - 1 || random(3) > 0)) {
      const length = Math.min(waiting.length, 1 + random(random(10) === 0 ? 50_000 : 3_000));
      yield waiting.subarray(0, length);
      waiting = waiting.subarray(length);
    }
    if (random(100) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** How many blocks came, whole and in their order; throws at the first that is not. */
export async function checkBlocks(stream: Readable, seed = 0): Promise<number> {
  const random = numbersFrom(seed);
  let count = 0;
  let waiting = Buffer.alloc(0);
  // To its end, and no further: what is written to the same stream may take longer.
  for await (const chunk of stream.iterator({destroyOnReturn: false})) {
    waiting = Buffer.concat([waiting, chunk]);
    for (let length = next(waiting); length !== undefined; length = next(waiting)) {
      const block = waiting.subarray(2, length);
      if (block.readUInt32BE(HASH) !== count)
        throw new Error(`block ${block.readUInt32BE(HASH)} in place of ${count}`);
      if (!hash(block.subarray(HASH)).equals(block.subarray(0, HASH)))
        throw new Error(`block ${count} is spoilt`);
      waiting = waiting.subarray(length);
      count++;
    }
    if (random(200) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  if (waiting.length > 0) throw new Error(`${waiting.length} bytes too much`);
  return count;
}

function next(waiting: Buffer): number | undefined {
  const length = waiting.length < 2 ? undefined : waiting.readUInt16BE(0);
  return length !== undefined && length <= waiting.length ? length : undefined;
}

/** Writes all of it, no faster than it is taken. */
export async function writeAll(stream: NodeJS.WritableStream, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) {
    await new Promise<void>((resolve, reject) => {
      if (stream.write(chunk, (error) => error && reject(error))) resolve();
      else stream.once('drain', resolve);
    });
  }
  stream.end();
}
