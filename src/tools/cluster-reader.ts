/** Owns how the cluster is asked: directly where that can be done, else through kubectl, with the same answers. */
import type {ClusterReader, Connection} from '../build/ports.ts';
import type {ClusterFacts, ClusterQuery} from '../cluster/facts.ts';
import {readRequestTimeout} from '../cluster/request-timeout.ts';
import type {Target} from '../cluster/target.ts';
import {TiltbuildError} from '../errors.ts';
import type {SignalInterruption} from './interruption.ts';
import {ApiFailure, askApiServer, canAskDirectly, NO_ANSWER, timeoutMessage} from './kube-api.ts';
import {askKubectl, isForeignLine, KubectlFailure} from './kubectl-reader.ts';
import {findOnPath} from './path-lookup.ts';
import type {Runner} from './runner.ts';

/** Errors of the way to the server, which kubectl would meet as well. Any other may be our own way of asking. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  // Bun's names for the same.
  'ConnectionRefused',
  'ConnectionClosed',
  'FailedToOpenSocket',
  'Timeout',
]);

export class SystemClusterReader implements ClusterReader {
  readonly #runner: Runner;
  readonly #interruption: SignalInterruption;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #platform: NodeJS.Platform;
  readonly #showLine: (line: string) => void;

  /** `showLine` gets what a login plugin has to say to the user. */
  constructor(
    runner: Runner,
    interruption: SignalInterruption,
    env: Readonly<Record<string, string | undefined>>,
    platform: NodeJS.Platform,
    showLine: (line: string) => void,
  ) {
    this.#runner = runner;
    this.#interruption = interruption;
    this.#env = env;
    this.#platform = platform;
    this.#showLine = showLine;
  }

  async read(target: Target, connection: Connection, query: ClusterQuery): Promise<ClusterFacts> {
    if (query.pullSecret === undefined && query.builder === undefined && !query.nodes) return {};
    const timeout = readRequestTimeout(connection.requestTimeout);
    if (canAskDirectly(target, this.#env)) {
      try {
        return await this.#askDirectly(target, query, timeout);
      } catch (error) {
        this.#interruption.throwIfReceived();
        if (!mayBeOurs(error)) throw describeFailure(target, error);
        // An unusual certificate, say. kubectl has the last word, and the better one if it fails too.
      }
    }
    return await this.#askThroughKubectl(target, connection, query, timeout);
  }

  async #askDirectly(target: Target, query: ClusterQuery, timeout: number): Promise<ClusterFacts> {
    const abort = new AbortController();
    const release = this.#interruption.subscribe(() => abort.abort());
    try {
      return await askApiServer(target, query, timeout, abort.signal);
    } finally {
      release();
    }
  }

  async #askThroughKubectl(
    target: Target,
    connection: Connection,
    query: ClusterQuery,
    timeout: number,
  ): Promise<ClusterFacts> {
    const kubectl = await findOnPath('kubectl', this.#env, this.#platform);
    if (kubectl === undefined) {
      throw new TiltbuildError(
        'tool-missing',
        'kubectl is not on PATH, and this cluster can only be asked through it.',
        {
          remedy: ['Install kubectl: https://kubernetes.io/docs/tasks/tools/'],
        },
      );
    }
    // kubectl's own limit is for one request; a login may take its time.
    const limits = ['--request-timeout', `${timeout}ms`];
    const run = (args: readonly string[]) =>
      this.#runner.collect(kubectl, [...connection.args, ...limits, ...args], this.#env, (line) => {
        if (isForeignLine(line)) this.#showLine(line);
      });
    try {
      return await askKubectl(run, query);
    } catch (error) {
      throw describeFailure(target, isTimeout(error) ? new KubectlFailure(timeoutMessage(timeout)) : error);
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof KubectlFailure && /Client\.Timeout|context deadline exceeded/.test(error.message);
}

function mayBeOurs(error: unknown): boolean {
  if (!(error instanceof ApiFailure)) return true;
  if (error.status !== undefined) return false;
  const {cause} = error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return !NETWORK_ERRORS.has(code) && !error.message.startsWith(NO_ANSWER);
}

function describeFailure(target: Target, error: unknown): unknown {
  if (!(error instanceof ApiFailure || error instanceof KubectlFailure)) return error;
  const where = `${target.cluster.server} (cluster "${target.cluster.name}", context "${target.context}")`;
  const unauthorized =
    error instanceof ApiFailure
      ? error.status === 401
      : // Without any credentials kubectl asks for a user name, which nobody can type here.
        /must be logged in to the server|\(Unauthorized\)|getting credentials|^error: EOF$/.test(
          error.message,
        );
  if (unauthorized) {
    return new TiltbuildError(
      'cluster-denied',
      `The API server at ${where} does not accept user "${target.user.name}".`,
      {
        detail: [error.message],
        remedy: ['Log in again, or check with: kubectl auth whoami'],
        cause: error,
      },
    );
  }
  return new TiltbuildError('cluster-unreachable', `The API server at ${where} cannot be asked.`, {
    detail: [error.message],
    remedy: ['Check that the cluster is running and reachable with: kubectl version'],
    cause: error,
  });
}
