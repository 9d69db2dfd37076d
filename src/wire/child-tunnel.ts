/** Owns the second way into the pod: a child process (kubectl exec -i) whose standard streams are the program's. */
import {Duplex, finished, type Readable, type Writable} from 'node:stream';
import type {ReadableWritablePair} from 'node:stream/web';
import type {Tunnel} from '../cluster/ports.ts';
import {Tail} from './tail.ts';

/** A program that was started with pipes. */
export interface PipedChild {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Rejects where it could not be started. */
  readonly ended: Promise<{readonly exitCode: number | undefined; readonly signal: string | undefined}>;
  kill(): unknown;
}

export function openChildTunnel(child: PipedChild): Tunnel {
  const stderr = new Tail();
  child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
  // Its types know the pairs of the web alone; Node and Bun take their own as well.
  const pair = {readable: child.stdout, writable: child.stdin} as unknown as ReadableWritablePair;
  const stream = Duplex.from(pair);
  let isGivenUp = false;
  finished(stream, (error) => {
    if (!error) return;
    isGivenUp = true;
    child.kill();
  });
  const ended = child.ended.then(
    ({exitCode, signal}) => ({
      exitCode,
      // Ended by us, it has no failure of its own.
      failure: isGivenUp && signal !== undefined ? undefined : describeEnd(exitCode, signal),
      stderr: stderr.text,
    }),
    (error: Error) => ({exitCode: undefined, failure: error.message, stderr: stderr.text}),
  );
  return {stream, ended};
}

function describeEnd(exitCode: number | undefined, signal: string | undefined): string | undefined {
  if (exitCode === 0) return undefined;
  return signal === undefined ? `it ended with exit code ${exitCode}` : `it was ended by ${signal}`;
}
