/** Owns gRPC calls that we make. */
import type {Http2Connection} from '../http2/connection.ts';
import {ErrorCode} from '../http2/errors.ts';
import type {Header} from '../http2/hpack-tables.ts';
import type {Http2Stream} from '../http2/stream.ts';
import {LONGEST_MESSAGE, type Method, readMessages, sendMessage, sendParts} from './messages.ts';
import {checkResponse, GrpcCode, GrpcError, readStatus, toGrpcError} from './status.ts';

export interface CallOptions {
  /** As they are, each a header of its own. */
  readonly metadata?: readonly Header[];
  /** Aborted, it cancels the call. */
  readonly signal?: AbortSignal;
  /** The longest message that is taken. */
  readonly longest?: number;
}

/** A call under way, from the moment that it is made; what it iterates over are the answers, once. */
export interface Call<Request, Response> extends AsyncIterable<Response> {
  /** Resolves when there may be more. */
  send(request: Request): Promise<void>;
  /** Sends a request that is encoded already; see `sendParts`. */
  sendParts(parts: readonly Uint8Array[]): Promise<void>;
  /** There are no more requests. */
  end(): void;
  cancel(): void;
}

/** Throws where the connection takes no call, and later `GrpcError`s alone. */
export function openCall<RequestIn, Response>(
  connection: Http2Connection,
  {path, request, response}: Method<unknown, RequestIn, Response, never>,
  {metadata = [], signal, longest = LONGEST_MESSAGE}: CallOptions = {},
): Call<RequestIn, Response> {
  const stream = open(connection, path, metadata);
  const cancel = () => {
    const {reason: cause} = signal ?? {};
    const why = cause?.name === 'TimeoutError' ? 'it took too long' : 'the call was cancelled';
    stream.fail(new GrpcError(GrpcCode.CANCELLED, why, {cause}), ErrorCode.CANCEL);
  };
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel, {once: true});
  stream.on('close', () => signal?.removeEventListener('abort', cancel));
  // Else nobody knows what is wrong before the first message, which might never come.
  stream.on('response', (headers) => {
    try {
      checkResponse(headers);
    } catch (error) {
      stream.fail(error as GrpcError, ErrorCode.CANCEL);
    }
  });
  const explain = (error: unknown) => {
    throw toGrpcError(error);
  };
  return {
    send: (message) => sendMessage(stream, request, message).catch(explain),
    sendParts: (parts) => sendParts(stream, parts).catch(explain),
    end: () => stream.end(),
    cancel,
    async *[Symbol.asyncIterator]() {
      try {
        yield* readMessages(stream, response, longest);
        const failure = readStatus(stream.trailers ?? stream.headers ?? []);
        if (failure) throw failure;
      } catch (error) {
        throw toGrpcError(error);
      } finally {
        // Whoever stops reading wants no more, and an answer is whole even where the request is not.
        if (!stream.readableEnded || !stream.writableFinished) stream.close();
      }
    },
  };
}

/** One request, one answer. */
export async function callUnary<RequestIn, Response>(
  connection: Http2Connection,
  method: Method<unknown, RequestIn, Response, never>,
  request: RequestIn,
  options?: CallOptions,
): Promise<Response> {
  const answers: Response[] = [];
  for await (const answer of callWithOne(connection, method, request, options)) {
    answers.push(answer);
    if (answers.length > 1) break;
  }
  const [answer] = answers;
  if (answer === undefined || answers.length > 1) {
    throw new GrpcError(
      GrpcCode.INTERNAL,
      `${answer === undefined ? 'no answer' : 'more than one answer'} to ${method.path}`,
    );
  }
  return answer;
}

/** One request, any number of answers. */
export function callWithOne<RequestIn, Response>(
  connection: Http2Connection,
  method: Method<unknown, RequestIn, Response, never>,
  request: RequestIn,
  options?: CallOptions,
): Call<RequestIn, Response> {
  const call = openCall(connection, method, options);
  // What keeps it from being sent is met where the answers are read.
  call.send(request).catch(() => undefined);
  call.end();
  return call;
}

function open(connection: Http2Connection, path: string, metadata: readonly Header[]): Http2Stream {
  try {
    return connection.request([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', path],
      [':authority', 'localhost'],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ...metadata,
    ]);
  } catch (error) {
    throw toGrpcError(error);
  }
}
