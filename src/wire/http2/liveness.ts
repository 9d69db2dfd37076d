/** Owns finding out that a peer is gone which nobody tells us of: a link that is cut somewhere in between. */
import type {Http2Connection} from './connection.ts';
import {Http2Error} from './errors.ts';

export interface Liveness {
  /** How long a peer may be silent before it is asked, in milliseconds. */
  readonly silence: number;
  /** How long it may take then until anything comes from it. */
  readonly patience: number;
}

/**
 * Ends the connection with an error where the peer is gone. One that is not silent is never asked: an answer could be
 * stuck behind what it sends, and grpc-go closes a connection for more than two pings without data between them. Nor is
 * one of which nothing has come so far: whoever opened the connection knows how long it may take to start.
 */
export function watchLiveness(connection: Http2Connection, {silence, patience}: Liveness): void {
  let timer: NodeJS.Timeout;
  let before: number;
  const isSilent = () => connection.received === before && before > 0;
  const wait = () => {
    clearTimeout(timer);
    before = connection.received;
    timer = setTimeout(() => (isSilent() ? ask() : wait()), silence);
  };
  const ask = () => {
    connection.ping(wait);
    timer = setTimeout(() => (isSilent() ? giveUp() : wait()), patience);
  };
  const giveUp = () =>
    connection.destroy(new Http2Error(`no answer within ${(silence + patience) / 1000} s`));
  wait();
  connection.closed.then(() => clearTimeout(timer));
}
