/** Owns BuildKit's side of a session for tests: a client of the methods that we serve, in memory. */
import {duplexPair} from 'node:stream';
import {type Call, openCall} from '../../../../src/wire/grpc/client.ts';
import type {Method} from '../../../../src/wire/grpc/messages.ts';
import {type Route, serveGrpc} from '../../../../src/wire/grpc/server.ts';
import {Http2Connection} from '../../../../src/wire/http2/connection.ts';
import type {Header} from '../../../../src/wire/http2/hpack-tables.ts';

export class Peer {
  readonly connection: Http2Connection;
  /** What went wrong on our side. */
  readonly failures: unknown[] = [];

  constructor(routes: readonly Route[]) {
    const [ours, theirs] = duplexPair();
    serveGrpc(ours, {routes, onFailure: (_path, error) => void this.failures.push(error)});
    this.connection = new Http2Connection(theirs, 'client');
  }

  call<In, Out>(method: Method<unknown, In, Out, never>, metadata: readonly Header[] = []): Call<In, Out> {
    return openCall(this.connection, method, {metadata});
  }
}

/** What a call gives, to its end or its error. */
export async function collect<Out>(answers: AsyncIterable<Out>): Promise<{all: Out[]; error?: Error}> {
  const all: Out[] = [];
  try {
    for await (const answer of answers) all.push(answer);
    return {all};
  } catch (error) {
    return {all, error: error as Error};
  }
}
