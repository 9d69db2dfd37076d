/** Owns gRPC calls that a peer makes to us. */
import type {Duplex} from 'node:stream';
import {Http2Connection, type Http2Options} from '../http2/connection.ts';
import {ErrorCode} from '../http2/errors.ts';
import type {Header} from '../http2/hpack-tables.ts';
import type {Http2Stream} from '../http2/stream.ts';
import {LONGEST_MESSAGE, type Method, readMessages, sendMessage} from './messages.ts';
import {GrpcCode, GrpcError, headerValue, toGrpcError, writeStatus} from './status.ts';

export interface ServerCall {
  /** All headers of the call, as they came. */
  readonly metadata: readonly Header[];
  /** Aborted where the peer gives up, or the connection ends. */
  readonly signal: AbortSignal;
}

/** One method and who answers it. */
export interface Route {
  readonly path: string;
  /** Answers a call but for its status. */
  readonly run: (stream: Http2Stream, call: ServerCall) => Promise<void>;
}

export interface GrpcServerOptions extends Omit<Http2Options, 'onStream'> {
  readonly routes: readonly Route[];
  /** Told of whatever went wrong in answering, which the peer is told as well. */
  readonly onFailure?: (path: string, error: unknown) => void;
}

export function serveGrpc(
  transport: Duplex,
  {routes, onFailure, ...options}: GrpcServerOptions,
): Http2Connection {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  const onStream = async (stream: Http2Stream) => {
    const path = headerValue(stream.headers ?? [], ':path') ?? '';
    const failure = await answer(stream, path, byPath.get(path));
    if (failure !== undefined) onFailure?.(path, failure);
  };
  return new Http2Connection(transport, 'server', {...options, onStream});
}

/** One request, one answer. */
export function unary<Request, ResponseIn>(
  {path, request, response}: Method<Request, never, unknown, ResponseIn>,
  handle: (request: Request, call: ServerCall) => ResponseIn | Promise<ResponseIn>,
): Route {
  const run = async (stream: Http2Stream, call: ServerCall) => {
    const requests: Request[] = [];
    for await (const one of readMessages(stream, request, LONGEST_MESSAGE)) {
      requests.push(one);
      if (requests.length > 1) break;
    }
    const [first] = requests;
    if (first === undefined || requests.length > 1) {
      throw new GrpcError(GrpcCode.INTERNAL, 'a call of this method has one request');
    }
    await sendMessage(stream, response, await handle(first, call));
  };
  return {path, run};
}

/** Any number of requests and answers. The next answer is asked for when the one before it has gone out. */
export function streaming<Request, ResponseIn>(
  {path, request, response}: Method<Request, never, unknown, ResponseIn>,
  handle: (requests: AsyncIterable<Request>, call: ServerCall) => AsyncIterable<ResponseIn>,
): Route {
  const run = async (stream: Http2Stream, call: ServerCall) => {
    const requests = readMessages(stream, request, LONGEST_MESSAGE);
    for await (const message of handle(requests, call)) await sendMessage(stream, response, message);
  };
  return {path, run};
}

/** What went wrong, if anything did. */
async function answer(stream: Http2Stream, path: string, route: Route | undefined): Promise<unknown> {
  const gone = new AbortController();
  stream.on('close', () => gone.abort());
  stream.respond([
    [':status', '200'],
    ['content-type', 'application/grpc'],
  ]);
  let failure: unknown;
  try {
    if (route === undefined) throw new GrpcError(GrpcCode.UNIMPLEMENTED, `unknown method ${path}`);
    await route.run(stream, {metadata: stream.headers ?? [], signal: gone.signal});
  } catch (error) {
    // A peer that gave up is told nothing, and knows why.
    if (stream.destroyed) return undefined;
    failure = error;
  }
  // Whoever is answered needs to send nothing more.
  stream.on('finish', () => {
    if (!stream.readableEnded) stream.close(ErrorCode.NO_ERROR);
  });
  stream.sendTrailers(writeStatus(failure === undefined ? undefined : toGrpcError(failure)));
  return failure;
}
