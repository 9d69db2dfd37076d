/** Owns a connection to one buildkitd with a session on it, which serves one solve after the other. */
import type {Duplex} from 'node:stream';
import {TiltbuildError} from '../errors.ts';
import {describeSystemError} from '../system-error.ts';
import type {Route} from '../wire/grpc/server.ts';
import {Http2Connection} from '../wire/http2/connection.ts';
import {watchLiveness} from '../wire/http2/liveness.ts';
import {makeId, openSession, type Session} from './session/session.ts';
import {type Solve, type SolveWatch, solve} from './solve.ts';

export interface ClientOptions {
  /** See `SessionOptions`. */
  readonly sharedKey: string;
  readonly routes: readonly Route[];
  readonly random: (size: number) => Uint8Array;
}

/** A solve, but for the names that each one gets. */
export type Build = Omit<Solve, 'ref' | 'session'>;

/** A link that is dead without a word is noticed after the sum of both, in milliseconds. */
const LIVENESS = {silence: 10_000, patience: 15_000};

export class BuildkitClient {
  readonly #connection: Http2Connection;
  readonly #session: Session;
  readonly #random: ClientOptions['random'];
  /** What went wrong on our side of the session, and is the user's to know. */
  #failure: TiltbuildError | undefined;

  constructor(stream: Duplex, {sharedKey, routes, random}: ClientOptions) {
    this.#random = random;
    this.#connection = new Http2Connection(stream, 'client');
    watchLiveness(this.#connection, LIVENESS);
    this.#session = openSession(this.#connection, {
      id: makeId(random),
      sharedKey,
      routes,
      onFailure: (_path, thrown) => {
        const error = describeSystemError(thrown);
        if (error instanceof TiltbuildError) this.#failure ??= error;
      },
    });
  }

  /** Whether anything has come from it so far. */
  get hasAnswered(): boolean {
    return this.#connection.received > 0;
  }

  /** Gives what the exporter answered. Throws `GrpcError`, and what our side of the session could not do. */
  async solve(build: Build, watch: SolveWatch): Promise<ReadonlyMap<string, string>> {
    return await this.#perform((names) => solve(this.#connection, {...build, ...names}, watch));
  }

  /** See `askFrontend`. Throws as `solve` does. */
  async askFrontend(
    build: Build,
    request: string,
    watch: SolveWatch,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    const {askFrontend} = await import('./gateway.ts');
    return await this.#perform((names) =>
      askFrontend(this.#connection, {...build, ...names}, request, watch),
    );
  }

  async #perform<T>(work: (names: Pick<Solve, 'ref' | 'session'>) => Promise<T>): Promise<T> {
    this.#failure = undefined;
    try {
      return await work({ref: makeId(this.#random), session: this.#session.id});
    } catch (error) {
      throw this.#failure ?? error;
    }
  }

  close(): void {
    this.#session.close();
    this.#connection.destroy();
  }
}
