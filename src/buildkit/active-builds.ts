/** Owns the question whether a BuildKit builds something at this moment, whoever asked for it. */
import type {Duplex} from 'node:stream';
import {callWithOne} from '../wire/grpc/client.ts';
import {Http2Connection} from '../wire/http2/connection.ts';
import {Control} from './control.ts';

/** BuildKit has a history since 0.11; an older one answers UNIMPLEMENTED. Ends the stream. Throws `GrpcError`. */
export async function hasActiveBuild(stream: Duplex, signal: AbortSignal): Promise<boolean> {
  const connection = new Http2Connection(stream, 'client');
  try {
    const events = callWithOne(connection, Control.history, {activeOnly: true, earlyExit: true}, {signal});
    for await (const _ of events) return true;
    return false;
  } finally {
    connection.close();
  }
}
