/** Owns how the cluster is asked: directly if possible, otherwise through kubectl, with the same answers. */
import {readRequestTimeout} from '../cluster/api/durations.ts';
import type {Answer, ClusterFacts, ClusterQuery} from '../cluster/api/facts.ts';
import {asObject, asText} from '../cluster/api/json-values.ts';
import {secretDataPath} from '../cluster/api/paths.ts';
import type {
  Cluster,
  Connection,
  ExecTarget,
  ExitStatus,
  PluginAnswer,
  ProgramOutput,
  Tunnel,
} from '../cluster/ports.ts';
import {comesFromPlugin} from '../cluster/target/credential-plugin.ts';
import type {Target} from '../cluster/target/target.ts';
import {TiltbuildError} from '../errors.ts';
import {describeFailure, isWorthAskingKubectl} from './cluster-failures.ts';
import {RequestTimeout} from './https-transport.ts';
import type {Interruption} from './interruption.ts';
import {ApiFailure, canAskDirectly, openKubeApi, type Reads} from './kube-api.ts';
import {dropLog, isForeignLine, KubectlFailure, readThroughKubectl} from './kubectl-reader.ts';
import {findOnPath} from './path-lookup.ts';
import {PluginLogin, type PluginTools} from './plugin-login.ts';
import {retryKubectl} from './retry-kubectl.ts';

/** A stream into a pod may hang forever, and none of our commands takes long. In milliseconds. */
const LONGEST_KUBECTL = 60_000;

interface ClusterTools extends PluginTools {
  readonly interruption: Interruption;
}

export class SystemCluster implements Cluster {
  readonly #tools: ClusterTools;
  readonly #target: Target;
  readonly #args: readonly string[];
  readonly #timeout: number;
  /** Undefined if the credentials are plain values. */
  readonly #login: PluginLogin | undefined;
  /** False for good after the first error that kubectl might not meet. */
  #direct: boolean;

  constructor(tools: ClusterTools, target: Target, {args, requestTimeout}: Connection) {
    this.#tools = tools;
    this.#target = target;
    this.#args = args;
    this.#timeout = readRequestTimeout(requestTimeout);
    this.#login = comesFromPlugin(target.user) ? new PluginLogin(target, target.user, tools) : undefined;
    this.#direct = canAskDirectly(target, tools.env);
  }

  get pause(): number {
    return this.#direct ? 300 : 1500;
  }

  async read(query: ClusterQuery): Promise<ClusterFacts> {
    if (query.pullSecret === undefined && !query.pullSecrets && !query.builders && !query.nodes) return {};
    return await this.#ask((reads) => reads.read(query));
  }

  async get(path: string): Promise<Answer<unknown>> {
    return await this.#ask((reads) => reads.get(path));
  }

  async review(path: string, question: unknown): Promise<Answer<unknown>> {
    return await this.#ask((reads) => reads.review(path, question));
  }

  async kubectl(args: readonly string[], input?: string): Promise<ProgramOutput> {
    const {runner, env} = this.#tools;
    const ended = await runner.collect(await this.#findKubectl(), [...this.#args, ...args], {
      env,
      input,
      onErrorLine: () => undefined,
      timeout: LONGEST_KUBECTL,
    });
    return {...ended, stderr: dropLog(ended.stderr)};
  }

  async kubectlLive(args: readonly string[]): Promise<ExitStatus> {
    const {runner, env, interruption} = this.#tools;
    const kubectl = await this.#findKubectl();
    return await interruption.withGrace((stop) =>
      runner.supervise(kubectl, [...this.#args, ...args], {env, stdout: 'inherit', stderr: 'inherit', stop}),
    );
  }

  async openTunnel(exec: ExecTarget): Promise<Tunnel> {
    const {runner, env} = this.#tools;
    const {openDirectTunnel, openKubectlTunnel} = await import('./tunnel.ts');
    if (this.#direct) {
      try {
        const target = (await this.#login?.logIn()) ?? this.#target;
        return await openDirectTunnel(target, exec, this.#timeout);
      } catch (error) {
        // Whatever refused the WebSocket, kubectl may get through with SPDY, and says why it does not. It has no limit
        // for a server that does not answer.
        if (error instanceof RequestTimeout)
          throw describeFailure(this.#target, new ApiFailure(error.message, {cause: error}));
      }
    }
    return openKubectlTunnel(runner, await this.#findKubectl(), this.#args, exec, env);
  }

  async readPullSecret(name: string): Promise<string | undefined> {
    const answer = await this.get(secretDataPath({name, namespace: this.#target.namespace}));
    if (answer.kind !== 'found') return undefined;
    const data = asText(asObject(asObject(answer.value).data)['.dockerconfigjson']);
    return data === '' ? undefined : Buffer.from(data, 'base64').toString('utf8');
  }

  async lastLogin(): Promise<PluginAnswer | undefined> {
    return await this.#login?.last();
  }

  async #ask<T>(ask: (reads: Reads) => Promise<T>): Promise<T> {
    if (this.#direct) {
      try {
        return await this.#askDirectly(ask);
      } catch (error) {
        if (error instanceof TiltbuildError) throw error;
        if (!isWorthAskingKubectl(error)) throw describeFailure(this.#target, error);
        this.#direct = false;
      }
    }
    return await this.#askThroughKubectl(ask);
  }

  async #askDirectly<T>(ask: (reads: Reads) => Promise<T>): Promise<T> {
    const login = this.#login;
    const once = async () =>
      await ask(await openKubeApi((await login?.logIn()) ?? this.#target, this.#timeout));
    return await once().catch(async (error) => {
      if (login === undefined || !(error instanceof ApiFailure) || error.status !== 401) throw error;
      // The login may have expired, though the plugin gave no expiry.
      login.forget();
      return await once();
    });
  }

  async #askThroughKubectl<T>(ask: (reads: Reads) => Promise<T>): Promise<T> {
    const {runner, env, showLine} = this.#tools;
    const kubectl = await this.#findKubectl();
    // kubectl's own limit is for one request; a login may take its time.
    const common = [...this.#args, '--request-timeout', `${this.#timeout}ms`];
    const onErrorLine = (line: string) => {
      if (isForeignLine(line)) showLine(line);
    };
    const reads = readThroughKubectl(
      retryKubectl((args, input) => runner.collect(kubectl, [...common, ...args], {env, input, onErrorLine})),
    );
    try {
      return await ask(reads);
    } catch (error) {
      const isTimeout =
        error instanceof KubectlFailure && /Client\.Timeout|context deadline exceeded/.test(error.message);
      throw describeFailure(
        this.#target,
        isTimeout ? new KubectlFailure(new RequestTimeout(this.#timeout).message) : error,
      );
    }
  }

  async #findKubectl(): Promise<string> {
    const kubectl = await findOnPath('kubectl', this.#tools.env, this.#tools.platform);
    if (kubectl !== undefined) return kubectl;
    throw new TiltbuildError(
      'tool-missing',
      'kubectl is not on PATH, and it is needed to connect to this cluster.',
      {remedy: ['Install kubectl: https://kubernetes.io/docs/tasks/tools/']},
    );
  }
}
