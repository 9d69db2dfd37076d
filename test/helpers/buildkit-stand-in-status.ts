/** Owns the progress of a build on the stand-in of buildkitd. */
import type {ServerHttp2Stream} from 'node:http2';
import {setTimeout as sleep} from 'node:timers/promises';
import {Control} from '../../src/buildkit/control.ts';
import {end, frame, respond} from './buildkit-stand-in-calls.ts';

export interface StepEnd {
  readonly log?: string;
  readonly error?: string;
  readonly cached?: boolean;
  /** How long it is said to have taken. */
  readonly ms?: number;
}

/** It waits for whoever asks for it. */
export class StatusFeed {
  readonly #waiting: Buffer[] = [];
  #stream: ServerHttp2Stream | undefined;
  #ended = false;
  #steps = 0;

  serve(stream: ServerHttp2Stream): void {
    this.#stream = stream;
    respond(stream);
    for (const status of this.#waiting) stream.write(status);
    if (this.#ended) end(stream);
  }

  step(name: string, {log, error, cached, ms = 0}: StepEnd = {}): void {
    const write = this.run(name);
    if (log !== undefined) write(log);
    this.#send({vertexes: [{...this.#vertex(name), completed: now(ms), error, cached}]});
  }

  /** Starts a step; gives what writes to its output. */
  run(name: string): (text: string) => void {
    this.#steps += 1;
    const vertex = this.#vertex(name);
    this.#send({vertexes: [vertex]});
    return (text) =>
      this.#send({logs: [{vertex: vertex.digest, timestamp: now(), stream: 1n, data: Buffer.from(text)}]});
  }

  async drained(): Promise<void> {
    while (this.#stream?.writableNeedDrain && !this.#stream.destroyed) await sleep(5);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#stream !== undefined) end(this.#stream);
  }

  #vertex(name: string) {
    return {digest: `sha256:${String(this.#steps).padStart(64, '0')}`, name, started: now()};
  }

  #send(status: Parameters<typeof Control.status.response.encode>[0]): void {
    const message = frame(Control.status.response.encode(status));
    if (this.#stream === undefined) this.#waiting.push(message);
    else if (!this.#stream.destroyed) this.#stream.write(message);
  }
}

function now(later = 0) {
  const ms = Date.now() + later;
  return {seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6};
}
