/**
 * Owns a program that asks an API server for pods as we do, for comparisons with kubectl: by a read and by a request to
 * upgrade. It takes the kubeconfig's path, runs in Node and in Bun, and prints what kept it from asking.
 */
import type {Target} from '../../src/cluster/target/target.ts';
import {readCredentials} from '../../src/system/credentials.ts';
import {openTransport} from '../../src/system/https-transport.ts';
import {canAskDirectly} from '../../src/system/kube-api.ts';
import {makeOpenUpgrade} from '../../src/system/upgrade-transport.ts';
import {loadOnDisk} from './kubeconfig-files.ts';

const PODS = '/api/v1/namespaces/default/pods';
const TIMES = {timeout: 5000};

try {
  const [kubeconfig] = process.argv.slice(2);
  const target = await loadOnDisk({kubeconfig, overrides: {}}, {cwd: process.cwd(), env: {}});
  if (target instanceof Error) throw target;
  if (!canAskDirectly(target, {})) throw new Error('left to kubectl');
  await ask(target);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : error}\n`);
}
process.exit();

async function ask(target: Target): Promise<void> {
  const credentials = await readCredentials(target);
  const send = await openTransport(credentials);
  await send(PODS, 'application/json', undefined, TIMES.timeout);
  const open = makeOpenUpgrade({...credentials, ...TIMES, onTimeout: () => new Error('too slow')});
  // The server does not upgrade, and answers as to a read.
  await open(PODS, {}).catch(() => undefined);
}
