/** Owns waiting for a builder: it says what the builder waits for, and ends at once where waiting cannot help. */
import {deploymentPath, quotasPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {advise, command, flag} from '../../text/advice.ts';
import {createCommand} from '../model/builder.ts';
import {podSelector} from '../model/marks.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import {readQuotas} from '../model/quotas.ts';
import type {BuilderRequest} from '../model/request.ts';
import {describeWaiting, findCurrentPods, findTrouble} from '../verdict/find-trouble.ts';
import type {Trouble, TroubleInput} from '../verdict/trouble.ts';
import {whyUnready} from '../verdict/verdict.ts';
import {listEvents, listPods, logArgs} from './inspect-builder.ts';

/** Before this, in milliseconds, events show nothing that the next look does not. */
const PATIENCE = 1000;

/** How long a builder that was ready may look as if it could not start, in milliseconds. */
const RECOVERY = 30_000;

/** How long a builder may be missing, in milliseconds, for somebody who deletes and creates it. */
const ABSENCE = 5000;

interface Waiting {
  /** Whether it was ready before, so it has worked, and a crash does not count at first. */
  readonly wasReady?: boolean;
  /** From when on the request's limit counts. */
  readonly since?: number;
  /** Whether the build chooses its pod, so one that is about to stop does not matter beside one that is ready. */
  readonly hasChoice?: boolean;
}

/**
 * Throws `builder-image` if its image cannot be pulled, `builder-failed` for all else that waiting cannot help and for
 * taking longer than the request allows.
 */
export async function waitForBuilder(
  request: BuilderRequest,
  cluster: Cluster,
  ports: Ports,
  {wasReady = false, since = ports.now(), hasChoice = false}: Waiting = {},
): Promise<BuilderDeployment> {
  const {settings, timeout} = request;
  const who = `builder "${settings.name}"`;
  const [started, latest] = [ports.now(), since + timeout];
  let said = '';
  let missingSince: number | undefined;
  for (;;) {
    const waited = ports.now() - started;
    const seen = await look(request, {withEvents: waited > PATIENCE, hasChoice}, cluster);
    if (seen.ready) {
      if (said !== '') ports.notes.note(`${who} is ready after ${(waited / 1000).toFixed(1)} s.`);
      return seen.deployment;
    }
    const {waiting, trouble} = seen;
    if (seen.exists) missingSince = undefined;
    else missingSince ??= waited;
    if (missingSince !== undefined && waited - missingSince > ABSENCE) throw removed(request);
    if (trouble?.final && !(wasReady && waited < RECOVERY)) {
      const {message, remedy, isImage} = trouble;
      const code = isImage ? 'builder-image' : 'builder-failed';
      throw new TiltbuildError(code, `The ${who} does not start: ${message}`, {remedy});
    }
    if (ports.now() >= latest) throw tooLate(request, waiting, trouble);
    if (waited > PATIENCE && waiting !== said) {
      said = waiting;
      ports.notes.note(`${who}: ${waiting}`);
    }
    await ports.sleep(Math.min(cluster.pause, latest - ports.now()), 'builder');
  }
}

type Look =
  | {readonly ready: true; readonly deployment: BuilderDeployment}
  | {
      readonly ready: false;
      readonly exists: boolean;
      readonly waiting: string;
      readonly trouble?: Trouble;
    };

async function look(
  {settings, fixedNodes, product}: BuilderRequest,
  {withEvents, hasChoice}: {readonly withEvents: boolean; readonly hasChoice: boolean},
  cluster: Cluster,
): Promise<Look> {
  const {namespace} = settings;
  const [found, pods = [], events] = await Promise.all([
    cluster.get(deploymentPath(settings)),
    listPods(settings, cluster),
    withEvents ? listEvents(namespace, cluster) : [],
  ]);
  if (found.kind === 'forbidden') {
    throw new TiltbuildError(
      'cluster-denied',
      `You do not have permission to get deployments.apps in namespace "${namespace}".`,
      {
        detail: [found.message],
        remedy: [
          advise`Ask for this permission, or build in another namespace with ${flag('namespace', 'NAME')}.`,
        ],
      },
    );
  }
  if (found.kind !== 'found') return {ready: false, exists: false, waiting: 'waiting for its Deployment'};
  const deployment = readBuilderDeployment(found.value);
  if (isReady(deployment, pods, hasChoice)) return {ready: true, deployment};
  const input = {deployment, pods, events, fixedNodes, product};
  const trouble = await explain(input, cluster);
  return {ready: false, exists: true, waiting: describeWaiting(input), trouble};
}

/** Unless the pod's status has it, only the log says why BuildKit exited, and only the quotas what they leave. */
async function explain(input: TroubleInput, cluster: Cluster): Promise<Trouble | undefined> {
  const trouble = findTrouble(input);
  if (trouble?.byQuota) {
    const answer = await cluster.get(quotasPath(input.deployment.namespace));
    return answer.kind === 'found' ? findTrouble({...input, quotas: readQuotas(answer.value)}) : trouble;
  }
  if (trouble?.crashedPod === undefined) return trouble;
  const {exitCode, stdout} = await cluster.kubectl(logArgs(trouble.crashedPod, '--previous', '--tail', '20'));
  // The kubelet's own words, if the container is gone with its log.
  const isLog = exitCode === 0 && !stdout.startsWith('unable to retrieve container logs for ');
  return isLog ? findTrouble({...input, log: stdout}) : trouble;
}

/**
 * kubectl build picks any running pod (its source, `ListRunningPods`), so one that is stopping must be gone. On a node
 * that is down it stays until somebody removes the node, and the other nodes need not wait for that. The
 * Deployment's count comes later than the pods' own status, if we can list them.
 */
function isReady(deployment: BuilderDeployment, pods: readonly BuilderPod[], hasChoice: boolean): boolean {
  if (whyUnready(deployment) !== undefined) return false;
  const leaving =
    !hasChoice &&
    pods.some(({deleting, phase, nodeSilent}) => deleting && phase === 'Running' && !nodeSilent);
  return !leaving && (pods.length === 0 || findCurrentPods({deployment, pods}).some(({ready}) => ready));
}

/** Nobody creates it but a command like this one, which has done so by now. */
function removed({settings}: BuilderRequest): TiltbuildError {
  const {name, namespace} = settings;
  return new TiltbuildError(
    'builder-failed',
    `The builder "${name}" in namespace "${namespace}" was removed.`,
    {
      remedy: ['Build again, or create it:', createCommand(settings)],
    },
  );
}

function tooLate(
  {settings: {name, namespace}, timeout}: BuilderRequest,
  waiting: string,
  trouble: Trouble | undefined,
): TiltbuildError {
  const selector = ['--selector', podSelector(name)];
  const describe = command('kubectl', 'describe', 'pods', '--namespace', namespace, ...selector);
  return new TiltbuildError(
    'builder-failed',
    `The builder "${name}" is not ready after ${timeout / 1000} s: ${trouble?.message ?? waiting}`,
    {
      remedy: [
        ...(trouble?.remedy ?? []),
        advise`To see its pods: ${describe}`,
        advise`To wait longer: ${flag('builder-timeout', '5m')}`,
      ],
    },
  );
}
