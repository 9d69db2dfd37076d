/** Owns calls to a node's containerd, all over one connection and in the namespace of the kubelet's images. */
import type {Duplex} from 'node:stream';
import {type Call, type CallOptions, callUnary, callWithOne, openCall} from '../wire/grpc/client.ts';
import type {Method} from '../wire/grpc/messages.ts';
import {GrpcCode, GrpcError} from '../wire/grpc/status.ts';
import {Http2Connection} from '../wire/http2/connection.ts';

/** How long containerd may take to answer, in milliseconds; it usually takes less than 10. */
const PATIENCE = 10_000;
/** How often is looked whether something has come, until patience ends. */
const LOOKS = 10;
/**
 * What is read for one node must not wait for what is read for another, which may have stalled: only each stream has a
 * limit, and there are few of them.
 */
const WINDOWS = {stream: 1024 * 1024, connection: 0x7fff_ffff};

export interface ContainerdCall {
  readonly signal?: AbortSignal | undefined;
  /** How long nothing at all may come from the node, in milliseconds: over a slow link, an answer queues behind layers. */
  readonly patience?: number;
  /** What is created is kept as long as this lease is there. */
  readonly lease?: string | undefined;
}

/** Every method throws `GrpcError`. */
export class ContainerdConnection {
  readonly #connection: Http2Connection;

  /** `stream` is a connection to containerd's socket. */
  constructor(stream: Duplex) {
    this.#connection = new Http2Connection(stream, 'client', {windows: WINDOWS});
  }

  async call<RequestIn, Response>(
    method: Method<unknown, RequestIn, Response, never>,
    request: RequestIn,
    {patience = PATIENCE, signal, lease}: ContainerdCall = {},
  ): Promise<Response> {
    const silence = new AbortController();
    const endWatch = this.watchSilence(patience, () =>
      silence.abort(new DOMException('nothing has come', 'TimeoutError')),
    );
    try {
      const either = anyOf(signal, silence.signal);
      return await callUnary(this.#connection, method, request, toOptions({signal: either, lease}));
    } catch (cause) {
      if (!silence.signal.aborted) throw cause;
      throw new GrpcError(GrpcCode.UNAVAILABLE, `no answer within ${patience / 1000} s`, {cause});
    } finally {
      endWatch();
    }
  }

  /** Calls back once nothing at all has come for so long, in milliseconds; gives what ends that. */
  watchSilence(patience: number, onSilent: () => void): () => void {
    const connection = this.#connection;
    let {received} = connection;
    let looks = 0;
    const timer = setInterval(() => {
      looks = connection.received === received ? looks + 1 : 0;
      received = connection.received;
      if (looks === LOOKS) onSilent();
    }, patience / LOOKS);
    return () => clearInterval(timer);
  }

  /** One request, any number of answers. */
  stream<RequestIn, Response>(
    method: Method<unknown, RequestIn, Response, never>,
    request: RequestIn,
    {patience = PATIENCE, signal}: Omit<ContainerdCall, 'lease'> = {},
  ): Call<RequestIn, Response> {
    // What takes long is watched by the reader.
    const either =
      patience === Number.POSITIVE_INFINITY ? signal : anyOf(signal, AbortSignal.timeout(patience));
    return callWithOne(this.#connection, method, request, toOptions({signal: either}));
  }

  open<RequestIn, Response>(
    method: Method<unknown, RequestIn, Response, never>,
    call: Omit<ContainerdCall, 'patience'>,
  ): Call<RequestIn, Response> {
    return openCall(this.#connection, method, toOptions(call));
  }

  close(): void {
    this.#connection.destroy();
  }
}

function anyOf(signal: AbortSignal | undefined, other: AbortSignal): AbortSignal {
  return signal === undefined ? other : AbortSignal.any([signal, other]);
}

function toOptions({signal, lease}: ContainerdCall): CallOptions {
  const metadata = [
    ['containerd-namespace', 'k8s.io'],
    ...(lease === undefined ? [] : [['containerd-lease', lease] as const]),
  ] as const;
  return signal === undefined ? {metadata} : {metadata, signal};
}
