/** Owns a login by a credential plugin: it is asked once, for as long as its answer is good. */
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
import {TiltbuildError} from '../errors.ts';
import {readBytes} from './disk-files.ts';
import {readAuthority} from './kube-api.ts';
import {findOnPath} from './path-lookup.ts';
import type {Collected, Runner} from './runner.ts';

/** What helps a user whom the cluster does not accept. */
export const LOG_IN_AGAIN = 'Log in again, or check with: kubectl auth whoami';

type Env = Readonly<Record<string, string | undefined>>;

export interface PluginTools {
  readonly runner: Runner;
  readonly env: Env;
  readonly platform: NodeJS.Platform;
  /** The user's home directory. */
  readonly home: string;
  /** Gets what the plugin has to say to the user. */
  readonly showLine: (line: string) => void;
}

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
   * The target with the credential in the place of the plugin. Throws `cluster-denied` where the plugin failed, and
   * any other error where kubectl has to ask it, since it could not be started or was not understood.
   */
  async logIn(): Promise<Target> {
    const asked = this.#ask();
    let login = await asked;
    if (!isGood(login)) {
      // Another one may have seen that it is old, and asked already.
      if (this.#asked === asked) this.forget();
      login = await this.#ask();
    }
    const {exec: _, ...user} = this.#target.user;
    return {...this.#target, user: {...user, ...login.credential.fields}};
  }

  /** The plugin is asked again the next time. */
  forget(): void {
    this.#asked = undefined;
  }

  /** What the plugin gave, as long as it is good. */
  async last(): Promise<PluginAnswer | undefined> {
    const login = await this.#asked?.catch(() => undefined);
    return login && isGood(login) ? login : undefined;
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
    if (await mayBeForbidden(env, home)) throw new Error('kubectl has a say in which plugins are started');
    const program = /[\\/]/.test(exec.command) ? exec.command : await findOnPath(exec.command, env, platform);
    if (program === undefined) throw new Error(`${exec.command} is not on PATH`);
    const authority = exec.provideClusterInfo ? await readAuthority(cluster) : undefined;
    const request = pluginRequest(exec, cluster, authority?.toString('base64'));
    const variables = Object.fromEntries(exec.env?.map(({name = '', value = ''}) => [name, value]) ?? []);
    const ended = await runner.collect(program, exec.args ?? [], {
      env: {...env, ...variables, [REQUEST_VARIABLE]: request},
      onErrorLine: showLine,
    });
    if (ended.exitCode !== 0) throw describeFailure(user, ended);
    const credential = readPluginAnswer(ended.stdout, exec);
    if (credential === undefined) throw new Error(`the answer of ${exec.command} was not understood`);
    return {credential, text: ended.stdout, program};
  }
}

function isGood({credential: {expires}}: Login): boolean {
  return expires === undefined || expires > Date.now();
}

/**
 * Whether the user's preferences may forbid a plugin to kubectl (1.35 and later), which then has to be the one that
 * starts it: https://kubernetes.io/docs/reference/kubectl/kuberc/
 */
async function mayBeForbidden(env: Env, home: string): Promise<boolean> {
  if (env.KUBERC === 'off') return false;
  const path = env.KUBERC || join(home, '.kube', 'kuberc');
  const text = await readBytes(path).catch(() => '');
  return text.includes('credentialPluginPolicy');
}

function describeFailure(user: PluginUser, {exitCode, signal}: Collected): TiltbuildError {
  const how = exitCode === undefined ? `was ended by ${signal}` : `failed with exit code ${exitCode}`;
  return new TiltbuildError(
    'cluster-denied',
    `The login plugin "${user.exec.command}" of user "${user.name}" ${how}.`,
    {
      remedy: [user.exec.installHint || LOG_IN_AGAIN],
    },
  );
}
