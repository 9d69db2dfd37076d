/**
 * Owns sharing a login with kubectl build, which would run the login plugin again; a cloud's takes half a second or
 * more. kubectl build gets a kubeconfig in which this program stands for the plugin: the first time it answers with the
 * login that we have, and later it runs the plugin, so a login that expires during the build is renewed as usual.
 */
import {pinnedKubeconfig} from '../../../cluster/kubeconfig/pinned-kubeconfig.ts';
import {pinToOwnKubeconfig} from '../../../cluster/target/load-target.ts';
import type {Files, Ports} from '../../../ports.ts';
import type {PreparedBuild} from '../../prepare-build.ts';

/** The command that stands for the plugin: `__login FILE PLUGIN [ARGUMENT...]`. */
export const LOGIN_COMMAND = '__login';

/** How the file begins: the command takes no other one. */
const LOGIN_MARK = 'kubectl tiltbuild login\n';

/** Gives the connection flags for one pass, whose files `privatePath` names. */
export async function lendLogin(
  {target, cluster, pinArgs, request, surroundings: {self}}: PreparedBuild,
  privatePath: (name: string) => string,
  files: Files,
): Promise<readonly string[]> {
  const login = await cluster.lastLogin();
  const {exec} = target.user;
  if (login === undefined || exec === undefined) return pinArgs;
  const [loginFile, kubeconfig] = [privatePath('login'), privatePath('kubeconfig')];
  const args = [...self.args, LOGIN_COMMAND, loginFile, login.program, ...(exec.args ?? [])];
  const lent = {...target, user: {...target.user, exec: {...exec, command: self.program, args}}};
  await Promise.all([
    files.writePrivate(loginFile, `${LOGIN_MARK}${login.text}`),
    files.writePrivate(kubeconfig, pinnedKubeconfig(lent)),
  ]);
  return pinToOwnKubeconfig(kubeconfig, target, request.connection);
}

export interface LoginQuestion {
  readonly file: string;
  readonly plugin: string;
  readonly args: readonly string[];
}

/** Answers kubectl build; `text` goes to standard output. */
export async function answerLogin(
  {file, plugin, args}: LoginQuestion,
  {files, delegate}: Pick<Ports, 'files' | 'delegate'>,
): Promise<{readonly text: string; readonly exitCode: number}> {
  const text = await files.takePrivate(file, LOGIN_MARK).catch(() => undefined);
  if (text !== undefined) return {text, exitCode: 0};
  const {exitCode} = await delegate.run({
    program: plugin,
    argv: args,
    env: {},
    stdout: 'result',
    progress: {mode: 'shown'},
  });
  return {text: '', exitCode: exitCode ?? 1};
}
