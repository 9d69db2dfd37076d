/** Owns the checks of the way to the cluster: kubeconfig, API server, user and permissions. */
import {BUILDER_PERMISSIONS, missingForBuild, missingPermissions} from '../builder/verdict/permissions.ts';
import type {ClusterFacts} from '../cluster/api/facts.ts';
import type {ObjectPlace} from '../cluster/api/paths.ts';
import type {Identified} from '../cluster/product.ts';
import type {Target} from '../cluster/target/target.ts';
import {TiltbuildError} from '../errors.ts';
import {type Advice, advise, command} from '../text/advice.ts';
import type {Seen} from './observe.ts';
import {chooseFix, type Finding, fail, ok, skip, warn} from './report.ts';

export function judgeKubeconfig(seen: Target | TiltbuildError): Finding {
  if (seen instanceof TiltbuildError) return fail(withDetail(seen), chooseFix(seen.remedy));
  const {context, namespace, cluster} = seen;
  const where = context === '' ? `cluster "${cluster.name}"` : `context "${context}"`;
  return ok(`${where}, namespace "${namespace}"`);
}

/** `reading` is all that was asked besides the version; `slow` in milliseconds. */
export function judgeServer(
  version: Seen<string>,
  reading: Seen<unknown>,
  {target, byNames, slow}: {readonly target: Target; readonly byNames: Identified; readonly slow: number},
): Finding {
  const server = target.cluster.server;
  const start = startCluster(byNames, target);
  for (const seen of [version, reading]) {
    if (seen.kind === 'late') return fail(`${server} did not answer within ${seconds(seen.limit)}`, start);
    if (seen.kind !== 'failed' || isDenial(seen.error)) continue;
    if (seen.error.code === 'tool-missing') return skip('kubectl');
    return fail(withDetail(seen.error), isSilent(seen.error) ? start : CHECK);
  }
  const took = version.kind === 'late' ? version.limit : version.took;
  const running = version.kind === 'seen' && version.value !== '' ? `, Kubernetes ${version.value}` : '';
  const found = `${server} answers in ${formatTook(took)}${running}`;
  return took > slow
    ? warn(found, 'Every build waits for it many times. Look for a VPN or a proxy in between.')
    : ok(found);
}

/** `userName` is the API server's name for the user. */
export function judgeUser(seen: Seen<{readonly userName: string | undefined}>, target: Target): Finding {
  if (seen.kind === 'late') return skip('server');
  if (seen.kind === 'failed') {
    return isDenial(seen.error)
      ? fail(withDetail(seen.error), chooseFix(seen.error.remedy) ?? 'Log in again, as you do for kubectl.')
      : skip('server');
  }
  const {userName} = seen.value;
  return ok(userName ?? `"${target.user.name}" in the kubeconfig; the API server does not report a name`);
}

/** Missing permissions for creating a builder are only a warning here; `judgeBuilder` knows whether they matter. */
export function judgePermissions(
  facts: Pick<ClusterFacts, 'deployments' | 'rules'>,
  {name, namespace}: ObjectPlace,
  userName: string | undefined,
): Finding {
  const missing = missingForBuild(facts, name);
  // Kubernetes has a role with all of them; somebody who may grant it has to run this.
  const words = ['create', 'rolebinding', 'kubectl-tiltbuild', '--clusterrole', 'edit'];
  const grant = command('kubectl', ...words, '--user', userName ?? 'USER', '--namespace', namespace);
  const where = `in namespace "${namespace}"`;
  if (missing.length > 0) {
    return fail(`you do not have permission to ${missing.join(', ')} ${where}, which a build needs`, grant);
  }
  const {rules} = facts;
  if (rules === undefined) return ok('the API server does not list them; all requests so far were allowed');
  const creating = missingPermissions(rules, BUILDER_PERMISSIONS, name);
  return creating.length === 0
    ? ok(`all that builds and builders need ${where}`)
    : warn(
        `all that a build needs ${where}; to create a builder you do not have permission to ${creating.join(', ')}`,
        grant,
      );
}

/** What starts a local cluster that is stopped, as far as its name shows. */
function startCluster({product}: Identified, {context, cluster}: Target): Advice {
  switch (product) {
    case 'kind':
      return command('docker', 'start', `${cluster.name.replace(/^kind-/, '')}-control-plane`);
    case 'minikube':
      return command('minikube', 'start', '--profile', context);
    case 'colima':
      return command('colima', 'start', '--kubernetes');
    case 'orbstack':
      return command('orb', 'start', 'k8s');
    case 'microk8s':
      return command('microk8s', 'start');
    case 'crc':
      return command('crc', 'start');
    default:
      return CHECK;
  }
}

const CHECK = advise`Check that the cluster is running and reachable: ${command('kubectl', 'version')}`;

/** Nobody listens there. A cluster whose answer we do not understand is not stopped. */
function isSilent({detail}: TiltbuildError): boolean {
  return /nothing listens|no route|not answer|no answer|refused|timed?[ -]?out|unable to connect/i.test(
    detail.join(' '),
  );
}

function isDenial({code}: TiltbuildError): boolean {
  return code === 'cluster-denied';
}

function withDetail({message, detail}: TiltbuildError): string {
  const [first] = detail;
  return first === undefined ? message : `${message} (${first})`;
}

/** Rounded, so the report on a cluster stays the same from run to run. */
function formatTook(milliseconds: number): string {
  if (milliseconds < 10) return 'under 10 ms';
  return milliseconds < 1000 ? `${Math.round(milliseconds / 10) * 10} ms` : seconds(milliseconds);
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}
