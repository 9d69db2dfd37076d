/** Owns a credential plugin for a kubeconfig, which gives tokens and keeps count of its runs. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';

export interface CredentialPlugin {
  /** Of the user in the kubeconfig. */
  readonly exec: {readonly apiVersion: string; readonly command: string; readonly interactiveMode: string};
  /** How often it was started. */
  readonly runs: () => number;
}

/** Starts an agent that holds the standard streams for a minute, and writes its process id to the file `left-behind`. */
export const LEAVE_BEHIND = `{
  const agent = [process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {stdio: 'inherit', detached: true}];
  const {pid} = require('child_process').spawn(...agent);
  require('fs').writeFileSync(require('path').join(__dirname, 'left-behind'), String(pid));
}`;

/**
 * Installs it as `plugin` in `directory`. It gives the one token each time, or those of a list one after the other,
 * and fails with exit code 3 when there are no more. A run takes `delayMs` more than it would, and may leave an agent behind
 * that holds its standard streams.
 */
export function installCredentialPlugin(
  directory: string,
  {
    tokens,
    delayMs = 0,
    leavesBehind = false,
  }: {
    readonly tokens: string | readonly string[];
    readonly delayMs?: number;
    readonly leavesBehind?: boolean;
  },
): CredentialPlugin {
  const [command, log] = [join(directory, 'plugin'), join(directory, 'plugin-runs')];
  const apiVersion = 'client.authentication.k8s.io/v1';
  const script = `
    const fs = require('fs');
    const [tokens, log] = ${JSON.stringify([tokens, log])};
    fs.appendFileSync(log, 'x');
    ${leavesBehind ? LEAVE_BEHIND : ''}
    const token = typeof tokens === 'string' ? tokens : tokens[fs.statSync(log).size - 1];
    if (token === undefined) { console.error('no more tokens'); process.exit(3); }
    const credential = JSON.stringify({kind: 'ExecCredential', apiVersion: '${apiVersion}', status: {token}});
    setTimeout(() => process.stdout.write(credential, () => process.exit(0)), ${delayMs});`;
  writeFileSync(command, `#!${process.execPath}\n${script}\n`, {mode: 0o700});
  writeFileSync(log, '');
  return {
    exec: {apiVersion, command, interactiveMode: 'Never'},
    runs: () => readFileSync(log, 'utf8').length,
  };
}
