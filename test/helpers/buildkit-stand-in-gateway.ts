/** Owns the gateway of the stand-in of buildkitd: what a frontend is asked for while a solve without one waits. */
import type {IncomingHttpHeaders, ServerHttp2Stream} from 'node:http2';
import {setTimeout as sleep} from 'node:timers/promises';
import {BUILD_ID, Gateway} from '../../src/buildkit/gateway.ts';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {end, frame, readOne, respond} from './buildkit-stand-in-calls.ts';

/** What the frontend answers: the parts of a result, or an error. */
export type FrontendAnswer = Readonly<Record<string, string>> | GrpcError;

export const isOfGateway = (path: string | undefined) =>
  Object.values(Gateway).some((method) => method.path === path);

export class StandInGateway {
  /** What frontends were asked for, with all options. */
  readonly asked: {readonly frontend: string; readonly options: ReadonlyMap<string, string>}[] = [];
  readonly #waiting = new Map<string, () => void>();

  /** Resolves when the client has returned a result. */
  async wait(ref: string, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#waiting.set(ref, resolve);
      signal.addEventListener('abort', () => resolve());
    });
  }

  async serve(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    answer: FrontendAnswer,
  ): Promise<void> {
    const ref = String(headers[BUILD_ID]);
    // The solve may come later, and BuildKit waits for it as well.
    for (let wait = 0; !this.#waiting.has(ref) && wait < 100; wait++) await sleep(10);
    const finish = this.#waiting.get(ref);
    if (finish === undefined) throw new GrpcError(GrpcCode.UNKNOWN, `no such job ${ref}`);
    const reply = (message: Uint8Array) => {
      respond(stream);
      stream.write(frame(message));
      end(stream);
    };
    switch (headers[':path']) {
      case Gateway.solve.path: {
        const {frontend, options} = await readOne(stream, Gateway.solve.request);
        this.asked.push({frontend, options});
        if (answer instanceof GrpcError) throw answer;
        const parts = Object.entries(answer).map(([name, text]) => [name, Buffer.from(text)] as const);
        return reply(Gateway.solve.response.encode({result: {metadata: new Map(parts)}}));
      }
      case Gateway.return.path: {
        const {result} = await readOne(stream, Gateway.return.request);
        if (result === undefined) throw new GrpcError(GrpcCode.UNKNOWN, 'stand-in: nothing is returned');
        finish();
        return reply(new Uint8Array());
      }
      default:
        return reply(new Uint8Array());
    }
  }
}
