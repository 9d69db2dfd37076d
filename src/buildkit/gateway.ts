/** Owns BuildKit's gateway: what a frontend is asked for besides a build (frontend/gateway/pb/gateway.proto). */
import {callUnary} from '../wire/grpc/client.ts';
import {methodsOf} from '../wire/grpc/messages.ts';
import type {Http2Connection} from '../wire/http2/connection.ts';
import {bool, bytes, field, map, message, optional, string} from '../wire/protobuf/message.ts';
import {type Solve, type SolveWatch, solve, writeFrontend} from './solve.ts';

const Result = message({metadata: map(10, bytes)});
const Empty = message({});

const method = methodsOf('moby.buildkit.v1.frontend.LLBBridge');

export const Gateway = {
  ping: method('Ping', Empty, Empty),
  solve: method(
    'Solve',
    message({
      frontend: field(2, string),
      options: map(3, string),
      // Without them, BuildKit answers in a form from before 0.4.
      allowResultReturn: field(5, bool),
      allowResultArrayRef: field(6, bool),
    }),
    message({result: optional(3, Result)}),
  ),
  return: method('Return', message({result: optional(1, Result)}), Empty),
} as const;

/** Tells BuildKit which solve a call belongs to. */
export const BUILD_ID = 'buildkit-controlapi-buildid';

/**
 * Asks the frontend of a build for what `request` names, e.g. `frontend.lint`. Gives the parts of its answer by their
 * names. Throws `GrpcError`. While it asks, a solve without a frontend keeps the session of the build open to BuildKit.
 */
export async function askFrontend(
  connection: Http2Connection,
  build: Solve,
  request: string,
  {onStatus, signal: stop}: SolveWatch,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const end = new AbortController();
  const signal = AbortSignal.any([stop, end.signal]);
  const solving = solve(connection, {...build, exporters: [], isForwarded: true}, {onStatus, signal});
  try {
    const [answer] = await Promise.all([ask(connection, build, request, signal), solving]);
    return answer;
  } finally {
    end.abort();
    await solving.catch(() => undefined);
  }
}

async function ask(connection: Http2Connection, build: Solve, request: string, signal: AbortSignal) {
  const options = {signal, metadata: [[BUILD_ID, build.ref]]} as const;
  await callUnary(connection, Gateway.ping, {}, options);
  const {frontend, attributes} = writeFrontend(build);
  const {result} = await callUnary(
    connection,
    Gateway.solve,
    {
      frontend,
      options: new Map([
        ...attributes,
        ['requestid', request],
        // Where the frontend itself does not know such requests, it may hand them on to that of a `# syntax=` line.
        ['frontend.caps', 'moby.buildkit.frontend.subrequests+forward'],
      ]),
      allowResultReturn: true,
      allowResultArrayRef: true,
    },
    options,
  );
  await callUnary(connection, Gateway.return, {result: {}}, options);
  return result?.metadata ?? new Map<string, Uint8Array>();
}
