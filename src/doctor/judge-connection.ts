/** Owns what is said of the way to the cluster: kubeconfig, API server, user and rights. */
import {BUILD_RIGHTS, BUILDER_RIGHTS, formatRight, missingRights} from '../builder/verdict/rights.ts';
import type {ResourceRule} from '../cluster/api/facts.ts';
import type {Identified} from '../cluster/product.ts';
import type {Target} from '../cluster/target/target.ts';
import {TiltbuildError} from '../errors.ts';
import {maskUrlPassword} from '../text/mask-secrets.ts';
import {formatCommand} from '../text/shell-words.ts';
import type {Seen} from './observe.ts';
import {advice, type Cure, chooseCure, command, type Finding, fail, ok, skip, warn} from './report.ts';

export function judgeKubeconfig(seen: Target | TiltbuildError): Finding {
  if (seen instanceof TiltbuildError) return fail(withDetail(seen), chooseCure(seen.remedy));
  const {context, namespace, cluster} = seen;
  const where = context === '' ? `cluster "${cluster.name}"` : `context "${context}"`;
  return ok(`${where}, namespace "${namespace}"`);
}

/** `seen` is what came of asking for its version and all else; `slow` in milliseconds. */
export function judgeServer(
  version: Seen<string>,
  reading: Seen<unknown>,
  {target, byNames, slow}: {readonly target: Target; readonly byNames: Identified; readonly slow: number},
): Finding {
  const server = maskUrlPassword(target.cluster.server);
  const cure = wakeCluster(byNames, target);
  for (const seen of [version, reading]) {
    if (seen.kind === 'late') return fail(`${server} gave no answer within ${seconds(seen.limit)}`, cure);
    if (seen.kind !== 'failed' || isDenial(seen.error)) continue;
    if (seen.error.code === 'tool-missing') return skip('kubectl');
    return fail(withDetail(seen.error), isSilent(seen.error) ? cure : LOOK);
  }
  const took = version.kind === 'late' ? version.limit : version.took;
  const running = version.kind === 'seen' && version.value !== '' ? `, Kubernetes ${version.value}` : '';
  const found = `${server} answers in ${formatTook(took)}${running}`;
  return took > slow
    ? warn(found, advice('Every build waits for it many times. Look for a VPN or a proxy in between.'))
    : ok(found);
}

/** `userName` as the server has it. */
export function judgeUser(seen: Seen<{readonly userName: string | undefined}>, target: Target): Finding {
  if (seen.kind === 'late') return skip('server');
  if (seen.kind === 'failed') {
    return isDenial(seen.error)
      ? fail(withDetail(seen.error), advice('Log in again, as you do for kubectl.'))
      : skip('server');
  }
  const {userName} = seen.value;
  if (userName !== undefined) return ok(userName);
  return ok(`"${target.user.name}" in the kubeconfig; the API server does not say who that is`);
}

export interface RightsSight {
  readonly rules: readonly ResourceRule[] | undefined;
  /** The Deployments could not be listed, whatever the rules say. */
  readonly refused: boolean;
  readonly userName: string | undefined;
  readonly namespace: string;
  readonly builder: string;
}

/** Those for making a builder are no trouble while there is one; `judgeBuilder` knows. */
export function judgeRights({rules, refused, userName, namespace, builder}: RightsSight): Finding {
  const missing = rules === undefined ? [] : missingRights(rules, BUILD_RIGHTS, builder).map(formatRight);
  if (refused && missing.length === 0) missing.push('list deployments.apps');
  const cure = grant(userName, namespace);
  if (missing.length > 0) {
    return fail(`you may not ${missing.join(', ')} in namespace "${namespace}", which a build needs`, cure);
  }
  if (rules === undefined) return ok('the API server does not list them; what was tried was allowed');
  const making = missingRights(rules, BUILDER_RIGHTS, builder).map(formatRight);
  return making.length === 0
    ? ok(`all that builds and builders need in namespace "${namespace}"`)
    : warn(
        `all that a build needs in namespace "${namespace}"; to make a builder you may not ${making.join(', ')}`,
        cure,
      );
}

/** Kubernetes has a role of its own with all of them; somebody who may give it has to run this. */
function grant(userName: string | undefined, namespace: string): Cure {
  const words = ['create', 'rolebinding', 'kubectl-tiltbuild', '--clusterrole', 'edit'];
  const who = userName ?? 'USER';
  return command(formatCommand(['kubectl', ...words, '--user', who, '--namespace', namespace]));
}

/** What starts a local cluster that stands still, as far as its name tells. */
function wakeCluster({product}: Identified, {context, cluster}: Target): Cure {
  switch (product) {
    case 'kind':
      return command(
        formatCommand(['docker', 'start', `${cluster.name.replace(/^kind-/, '')}-control-plane`]),
      );
    case 'minikube':
      return command(formatCommand(['minikube', 'start', '--profile', context]));
    case 'colima':
      return command('colima start --kubernetes');
    case 'orbstack':
      return command('orb start k8s');
    case 'microk8s':
      return command('microk8s start');
    case 'crc':
      return command('crc start');
    default:
      return LOOK;
  }
}

const LOOK = advice('Check that the cluster is running and reachable with: kubectl version');

/** Nobody listens there; what answers and is not understood is no cluster that stands still. */
function isSilent({detail}: TiltbuildError): boolean {
  return /refused|no answer|timed?[ -]?out|EHOSTUNREACH|unable to connect/i.test(detail.join(' '));
}

function isDenial({code}: TiltbuildError): boolean {
  return code === 'cluster-denied';
}

function withDetail({message, detail}: TiltbuildError): string {
  const [first] = detail;
  return first === undefined ? message : `${message} (${first})`;
}

/** Coarsely, so that the same cluster is told in the same words. */
function formatTook(milliseconds: number): string {
  if (milliseconds < 10) return 'under 10 ms';
  return milliseconds < 1000 ? `${Math.round(milliseconds / 10) * 10} ms` : seconds(milliseconds);
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
