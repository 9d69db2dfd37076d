/** Owns a login through a credential plugin, which runs once for as long as its answer is valid. */
import {join} from 'node:path';
import type {PluginAnswer} from '../cluster/ports.ts';
import {
  type PluginCredential,
  type PluginUser,
  pluginRequest,
  REQUEST_VARIABLE,
  readPluginAnswer,
} from '../cluster/target/credential-plugin.ts';
import type {Target} from '../cluster/target/target.ts';
import {describePluginFailure} from './cluster-failures.ts';
import {readAuthority} from './credentials.ts';
import {isThere, readBytes} from './disk-files.ts';
import {findOnPath} from './path-lookup.ts';
import type {Collected, Runner} from './runner.ts';

type Env = Readonly<Record<string, string | undefined>>;

export interface PluginTools {
  readonly runner: Runner;
  readonly env: Env;
  readonly platform: NodeJS.Platform;
  /** The user's home directory. */
  readonly home: string;
  /** Shows the user a line that the plugin wrote to standard error. */
  readonly showLine: (line: string) => void;
}

/** In bytes. A token has some thousands. */
const LONGEST_ANSWER = 1024 * 1024;

interface Login extends PluginAnswer {
  readonly credential: PluginCredential;
}

export class PluginLogin {
  readonly #target: Target & {readonly user: PluginUser};
  readonly #tools: PluginTools;
  #asked: Promise<Login> | undefined;

  constructor(target: Target, user: PluginUser, tools: PluginTools) {
    this.#target = {...target, user};
    this.#tools = tools;
  }

  /**
   * The target with the credential in place of the plugin. Throws `cluster-denied` if the plugin failed, and any other
   * error if it could not be started or its answer is not understood: kubectl is then the one to run it.
   */
  async logIn(): Promise<Target> {
    const asked = this.#ask();
    let login = await asked;
    if (!isValid(login)) {
      // A concurrent call may have run the plugin again already.
      if (this.#asked === asked) this.forget();
      login = await this.#ask();
    }
    const {exec: _, ...user} = this.#target.user;
    return {...this.#target, user: {...user, ...login.credential.fields}};
  }

  /** Has the plugin run again for the next login. */
  forget(): void {
    this.#asked = undefined;
  }

  /** The plugin's answer, as long as it is valid. */
  async last(): Promise<PluginAnswer | undefined> {
    const login = await this.#asked?.catch(() => undefined);
    return login && isValid(login) ? login : undefined;
  }

  #ask(): Promise<Login> {
    this.#asked ??= this.#run().catch((error) => {
      this.forget();
      throw error;
    });
    return this.#asked;
  }

  async #run(): Promise<Login> {
    const {runner, env, platform, home, showLine} = this.#tools;
    const {user, cluster} = this.#target;
    const {exec} = user;
    if (await mayBeForbidden(env, home)) throw new Error('a policy of kubectl may forbid the plugin');
    const program = /[\\/]/.test(exec.command) ? exec.command : await findOnPath(exec.command, env, platform);
    if (program === undefined || !isThere(program)) {
      throw describePluginFailure(user, `cannot be used: executable ${exec.command} not found`);
    }
    const authority = exec.provideClusterInfo ? await readAuthority(cluster) : undefined;
    const request = pluginRequest(exec, cluster, authority?.toString('base64'));
    const variables = Object.fromEntries(exec.env?.map(({name = '', value = ''}) => [name, value]) ?? []);
    const ended = await runner.collect(program, exec.args ?? [], {
      env: {...env, ...variables, [REQUEST_VARIABLE]: request},
      onErrorLine: showLine,
      longest: LONGEST_ANSWER,
    });
    if (ended.exitCode !== 0) throw describePluginFailure(user, describeEnd(ended));
    const credential = readPluginAnswer(ended.stdout, exec);
    if (credential === undefined) throw new Error(`${exec.command} printed no valid ExecCredential`);
    return {credential, text: ended.stdout, program};
  }
}

function isValid({credential: {expires}}: Login): boolean {
  return expires === undefined || expires > Date.now();
}

/**
 * Whether the user's preferences may forbid a plugin (kubectl 1.35 and later). Only kubectl may start it then:
 * https://kubernetes.io/docs/reference/kubectl/kuberc/
 */
async function mayBeForbidden(env: Env, home: string): Promise<boolean> {
  if (env.KUBERC === 'off') return false;
  const path = env.KUBERC || join(home, '.kube', 'kuberc');
  const text = await readBytes(path).catch(() => '');
  return text.includes('credentialPluginPolicy');
}

function describeEnd({exitCode, signal}: Collected): string {
  return exitCode === undefined ? `was killed by ${signal}` : `failed with exit code ${exitCode}`;
}
