/** Owns running a program in a pod over a stream: over a WebSocket of our own, or through a kubectl child. */
import type {ExecTarget, Tunnel} from '../cluster/ports.ts';
import type {Target} from '../cluster/target/target.ts';
import {openChildTunnel} from '../wire/child-tunnel.ts';
import {openExec} from '../wire/exec/open-exec.ts';
import {readCredentials} from './credentials.ts';
import {RequestTimeout} from './https-transport.ts';
import {dropLog} from './kubectl-reader.ts';
import type {Runner} from './runner.ts';
import {makeOpenUpgrade} from './upgrade-transport.ts';

export async function openDirectTunnel(target: Target, exec: ExecTarget, timeout: number): Promise<Tunnel> {
  const open = makeOpenUpgrade({
    ...(await readCredentials(target)),
    timeout,
    onTimeout: () => new RequestTimeout(timeout),
  });
  return await openExec(open, exec);
}

/** `args` are kubectl's connection flags. */
export function openKubectlTunnel(
  runner: Runner,
  kubectl: string,
  args: readonly string[],
  {namespace, pod, container, command}: ExecTarget,
  env: Readonly<Record<string, string | undefined>>,
): Tunnel {
  const exec = ['exec', '--stdin', '--namespace', namespace, pod, '--container', container, '--', ...command];
  const {stream, ended} = openChildTunnel(runner.pipe(kubectl, [...args, ...exec], env));
  return {stream, ended: ended.then((end) => ({...end, stderr: dropLog(end.stderr)}))};
}
