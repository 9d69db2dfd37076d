/** Owns connections for the tests of the wire: two ends of a local socket, and cleaning up after them. */
import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {Transform, type TransformCallback} from 'node:stream';

/** Both send small pieces at once, as what opens them in the product has it. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({noDelay: true}).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true});
  const [[far]] = await Promise.all([once(server, 'connection'), once(near, 'connect')]);
  server.close();
  for (const socket of [near, far as Socket]) socket.on('error', () => undefined);
  return [near, far];
}

/** Numbers that look random and are the same each time. */
export function numbersFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Cuts what goes through into pieces of any length, and stops now and then. */
export function unevenly(seed: number): Transform {
  const random = numbersFrom(seed);
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      for (let at = 0; at < chunk.length; ) {
        const length = random(8) === 0 ? 1 + random(20) : 1 + random(40_000);
        this.push(chunk.subarray(at, at + length));
        at += length;
      }
      if (random(20) === 0) setTimeout(done, 1);
      else done();
    },
  });
}
