/** Owns how the cluster is asked: directly where that can be done, else through kubectl, with the same answers. */
import {readRequestTimeout} from '../cluster/api/durations.ts';
import type {Answer, ClusterFacts, ClusterQuery} from '../cluster/api/facts.ts';
import type {
  Cluster,
  Clusters,
  Connection,
  ExitStatus,
  PluginAnswer,
  ProgramOutput,
} from '../cluster/ports.ts';
import {comesFromPlugin} from '../cluster/target/credential-plugin.ts';
import type {Target} from '../cluster/target/target.ts';
import {TiltbuildError} from '../errors.ts';
import type {SignalInterruption} from './interruption.ts';
import {
  ApiFailure,
  askApiServer,
  canAskDirectly,
  type DirectApi,
  NO_ANSWER,
  openDirectApi,
  timeoutMessage,
} from './kube-api.ts';
import {
  askKubectl,
  getRaw,
  isForeignLine,
  KubectlFailure,
  type RunKubectl,
  reviewRaw,
} from './kubectl-reader.ts';
import {findOnPath} from './path-lookup.ts';
import {LOG_IN_AGAIN, PluginLogin, type PluginTools} from './plugin-login.ts';

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

/** A stream into a pod may hang for ever, and none of our commands takes long. In milliseconds. */
const LONGEST_KUBECTL = 60_000;

/** How the outside looks to a cluster connection. */
interface ClusterTools extends PluginTools {
  readonly interruption: SignalInterruption;
}

export class SystemClusters implements Clusters {
  readonly #tools: ClusterTools;

  constructor(tools: ClusterTools) {
    this.#tools = tools;
  }

  connect(target: Target, connection: Connection): Cluster {
    return new SystemCluster(this.#tools, target, connection);
  }
}

class SystemCluster implements Cluster {
  readonly #tools: ClusterTools;
  readonly #target: Target;
  readonly #connection: Connection;
  readonly #timeout: number;
  /** Given up for good at the first error that may be our own way of asking. */
  #direct: boolean;
  /** Undefined where the credentials are plain values. */
  readonly #login: PluginLogin | undefined;

  constructor(tools: ClusterTools, target: Target, connection: Connection) {
    this.#tools = tools;
    this.#target = target;
    this.#connection = connection;
    this.#timeout = readRequestTimeout(connection.requestTimeout);
    this.#direct = canAskDirectly(target, tools.env);
    this.#login = comesFromPlugin(target.user) ? new PluginLogin(target, target.user, tools) : undefined;
  }

  get pause(): number {
    return this.#direct ? 300 : 1500;
  }

  async read(query: ClusterQuery): Promise<ClusterFacts> {
    if (query.pullSecret === undefined && !query.pullSecrets && !query.builders && !query.nodes) return {};
    return await this.#ask(
      (api) => askApiServer(api, this.#target, query),
      (run) => askKubectl(run, query),
    );
  }

  async get(path: string): Promise<Answer<unknown>> {
    return await this.#ask(
      (api) => api.get(path),
      (run) => getRaw(run, path),
    );
  }

  async review(path: string, question: unknown): Promise<Answer<unknown>> {
    return await this.#ask(
      (api) => api.post(path, question),
      (run) => reviewRaw(run, path, question),
    );
  }

  async kubectl(args: readonly string[], input?: string): Promise<ProgramOutput> {
    const {runner, env} = this.#tools;
    return await runner.collect(await this.#findKubectl(), [...this.#connection.args, ...args], {
      env,
      input,
      onErrorLine: () => undefined,
      timeout: LONGEST_KUBECTL,
    });
  }

  async kubectlLive(args: readonly string[]): Promise<ExitStatus> {
    const {runner, env} = this.#tools;
    const result = await runner.supervise(await this.#findKubectl(), [...this.#connection.args, ...args], {
      env,
      stdout: 'inherit',
      stderr: 'inherit',
    });
    this.#tools.interruption.throwIfReceived();
    return result;
  }

  async lastLogin(): Promise<PluginAnswer | undefined> {
    return await this.#login?.last();
  }

  async #ask<T>(
    direct: (api: DirectApi) => Promise<T>,
    kubectl: (run: RunKubectl) => Promise<T>,
  ): Promise<T> {
    if (this.#direct) {
      try {
        return await this.#askDirectly(direct);
      } catch (error) {
        this.#tools.interruption.throwIfReceived();
        if (error instanceof TiltbuildError) throw error;
        if (!mayBeOurs(error)) throw describeFailure(this.#target, error);
        // An unusual certificate, say. kubectl has the last word, and the better one if it fails too.
        this.#direct = false;
      }
    }
    return await this.#askThroughKubectl(kubectl);
  }

  async #askDirectly<T>(ask: (api: DirectApi) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const release = this.#tools.interruption.subscribe(() => abort.abort());
    const login = this.#login;
    const once = async () =>
      await ask(await openDirectApi((await login?.logIn()) ?? this.#target, this.#timeout, abort.signal));
    try {
      return await once().catch(async (error) => {
        if (login === undefined || !(error instanceof ApiFailure) || error.status !== 401) throw error;
        // It may be good no longer, though the plugin did not say for how long it would be.
        login.forget();
        return await once();
      });
    } finally {
      release();
    }
  }

  async #askThroughKubectl<T>(ask: (run: RunKubectl) => Promise<T>): Promise<T> {
    const {runner, env, showLine} = this.#tools;
    const kubectl = await this.#findKubectl();
    // kubectl's own limit is for one request; a login may take its time.
    const limits = ['--request-timeout', `${this.#timeout}ms`];
    const onErrorLine = (line: string) => {
      if (isForeignLine(line)) showLine(line);
    };
    try {
      return await ask((args, input) =>
        runner.collect(kubectl, [...this.#connection.args, ...limits, ...args], {env, input, onErrorLine}),
      );
    } catch (error) {
      throw describeFailure(
        this.#target,
        isTimeout(error) ? new KubectlFailure(timeoutMessage(this.#timeout)) : error,
      );
    }
  }

  async #findKubectl(): Promise<string> {
    const kubectl = await findOnPath('kubectl', this.#tools.env, this.#tools.platform);
    if (kubectl !== undefined) return kubectl;
    throw new TiltbuildError(
      'tool-missing',
      'kubectl is not on PATH, and it is needed to talk to this cluster.',
      {
        remedy: ['Install kubectl: https://kubernetes.io/docs/tasks/tools/'],
      },
    );
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
        /must be logged in to the server|\(Unauthorized\)|getting credentials|^(?:error: )?EOF$/.test(
          error.message,
        );
  if (unauthorized) {
    return new TiltbuildError(
      'cluster-denied',
      `The API server at ${where} does not accept user "${target.user.name}".`,
      {
        detail: [error.message],
        remedy: [LOG_IN_AGAIN],
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
