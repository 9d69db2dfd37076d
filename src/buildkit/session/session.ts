/** Owns a session: the connection inside a connection in which BuildKit asks us for what a build needs. */
import {openByteStream} from '../../wire/grpc/byte-stream.ts';
import {openCall} from '../../wire/grpc/client.ts';
import {type Route, serveGrpc, unary} from '../../wire/grpc/server.ts';
import type {Http2Connection} from '../../wire/http2/connection.ts';
import {field, int32, message, string} from '../../wire/protobuf/message.ts';
import {Control} from '../control.ts';

export interface SessionOptions {
  /** 25 characters of base 36; `makeId` makes one. */
  readonly id: string;
  /**
   * Names the copies of contexts that this session may be compared with. BuildKit takes over a file of the same path,
   * size and modification time, so each project needs a key of its own. ASCII.
   */
  readonly sharedKey: string;
  readonly routes: readonly Route[];
  /** Called with what went wrong on our side of an answer. */
  readonly onFailure: (path: string, error: unknown) => void;
}

export interface Session {
  readonly id: string;
  /** When it is over: with what ended it. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  close(): void;
}

const SERVING = 1;
/** BuildKit asks every five seconds, and gives the session up where it gets no answer twice. */
const health = unary(
  {
    path: '/grpc.health.v1.Health/Check',
    request: message({service: field(1, string)}),
    response: message({status: field(1, int32)}),
  },
  () => ({status: SERVING}),
);

const HEADER = 'x-docker-expose-session';

export function openSession(
  connection: Http2Connection,
  {id, sharedKey, routes, onFailure}: SessionOptions,
): Session {
  const served = [...routes, health];
  const call = openCall(connection, Control.session, {
    metadata: [
      [`${HEADER}-uuid`, id],
      [`${HEADER}-sharedkey`, sharedKey],
      ...served.map(({path}) => [`${HEADER}-grpc-method`, path] as const),
    ],
  });
  const server = serveGrpc(openByteStream(call), {routes: served, onFailure});
  return {id, closed: server.closed, close: () => server.destroy()};
}

/** As BuildKit makes its own: 25 characters of base 36. `random` gives at least 17 bytes. */
export function makeId(random: (size: number) => Uint8Array): string {
  const hex = Buffer.from(random(17)).toString('hex');
  return BigInt(`0x${hex}`).toString(36).padStart(25, '0').slice(-25);
}
