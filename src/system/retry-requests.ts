/** Owns requests that are sent again, because what they met passes by itself: an API server that restarts or is busy. */
import {RequestTimeout, type Response, type SendWithin} from './https-transport.ts';

/** A POST if there is a body. Rejects as `SendWithin` does. */
export type Send = (path: string, accept: string, body?: string) => Promise<Response>;

export const MOST_RETRIES = 3;
/** In milliseconds; each one is twice as long as the one before. */
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 10_000;

/** A connection that was closed, in Node's words and in Bun's. One that is refused means that nothing is there. */
const CLOSED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ConnectionClosed']);

/**
 * The runtime sends a request on a connection that it has kept, and that may be dead without anyone knowing. One that
 * gets no answer is given up after this part of the time, where the time is long, and is sent on a new connection.
 */
const FIRST_PART = 1 / 3;
const LONG = 15_000;

/** `send`, for requests that change nothing. All attempts together take at most `timeout` milliseconds. */
export function retryRequests(send: SendWithin, timeout: number, sleep = wait): Send {
  return async (path, accept, body) => {
    const started = performance.now();
    for (let retry = 0; ; retry += 1) {
      // Node takes whole milliseconds only.
      const rest = Math.ceil(timeout - (performance.now() - started));
      const limit = retry === 0 && timeout >= LONG ? Math.ceil(timeout * FIRST_PART) : rest;
      const outcome = await send(path, accept, body, limit).then(
        (response) => ({response}),
        (error: unknown) => ({error}),
      );
      const isLate = 'error' in outcome && outcome.error instanceof RequestTimeout;
      if (isLate && limit < rest) continue;
      if (isLate) throw new RequestTimeout(timeout);
      const pause =
        'response' in outcome
          ? pauseAfter(outcome.response, retry)
          : isClosed(outcome.error)
            ? backOff(retry)
            : 0;
      if (pause > 0 && retry < MOST_RETRIES && performance.now() - started + pause < timeout) {
        await sleep(pause);
        continue;
      }
      if ('response' in outcome) return outcome.response;
      throw outcome.error;
    }
  };
}

/** Zero for an answer. client-go (rest/with_retry.go) waits as Retry-After says, with any 5xx; a gateway gives none. */
function pauseAfter({status, retryAfter}: Response, retry: number): number {
  const seconds = Number(retryAfter ?? Number.NaN);
  if ((status === 429 || status >= 500) && seconds > 0) return Math.min(seconds * 1000, LONGEST_PAUSE);
  return [429, 502, 503, 504].includes(status) ? backOff(retry) : 0;
}

export function backOff(retry: number): number {
  return FIRST_PAUSE * 2 ** retry;
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && CLOSED.has(String(error.code));
}

export function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
