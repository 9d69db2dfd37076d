/** Owns waiting for a builder: what it waits for is said, and what waiting cannot cure is named at once. */
import {deploymentPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError, timedOut} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import type {BuilderRequest} from '../model/request.ts';
import {describeWaiting, findTrouble} from '../verdict/find-trouble.ts';
import type {Trouble, TroubleInput} from '../verdict/trouble.ts';
import {judgeBuilder} from '../verdict/verdict.ts';
import {listEvents, listPods} from './inspect-builder.ts';

/** Before this, in milliseconds, events say nothing that the next look does not. */
const PATIENCE = 1000;

/** How long a builder that was ready may look as if it could not start, in milliseconds. */
const RECOVERY = 30_000;

/**
 * Throws `builder-image` where its image cannot be pulled, `builder-failed` for all else that waiting cannot cure and
 * when it takes longer than the request allows, `timed-out` past its deadline. One that was ready before has worked, so
 * that a crash is no verdict yet.
 */
export async function waitForBuilder(
  {settings: {name, namespace}, timeout, deadline, fixedNodes}: BuilderRequest,
  cluster: Cluster,
  ports: Ports,
  {wasReady = false}: {readonly wasReady?: boolean} = {},
): Promise<BuilderDeployment> {
  const started = ports.now();
  let said = '';
  for (;;) {
    const waited = ports.now() - started;
    const seen = await look({name, namespace, fixedNodes}, waited > PATIENCE, cluster);
    if (seen.ready) {
      if (said !== '') ports.notes.note(`builder "${name}" is ready after ${(waited / 1000).toFixed(1)} s.`);
      return seen.deployment;
    }
    if (seen.trouble?.final && !(wasReady && waited < RECOVERY)) throw inTrouble(name, seen.trouble);
    if (deadline !== undefined && ports.now() >= deadline) throw timedOut();
    if (waited > timeout) throw tooLate(name, namespace, timeout, seen.trouble, seen.waiting);
    if (waited > PATIENCE && seen.waiting !== said) {
      said = seen.waiting;
      ports.notes.note(`waiting for builder "${name}": ${said}`);
    }
    await ports.sleep(cluster.pause);
  }
}

type Look =
  | {readonly ready: true; readonly deployment: BuilderDeployment}
  | {readonly ready: false; readonly waiting: string; readonly trouble: Trouble | undefined};

interface Looked {
  readonly name: string;
  readonly namespace: string;
  readonly fixedNodes: boolean;
}

async function look(
  {name, namespace, fixedNodes}: Looked,
  withEvents: boolean,
  cluster: Cluster,
): Promise<Look> {
  const place = {name, namespace};
  const [found, pods = [], events] = await Promise.all([
    cluster.get(deploymentPath(place)),
    listPods(place, cluster),
    withEvents ? listEvents(namespace, cluster) : [],
  ]);
  if (found.kind === 'forbidden') {
    throw new TiltbuildError(
      'cluster-denied',
      `You may not get deployments.apps in namespace "${namespace}".`,
      {
        detail: [found.message],
        remedy: ['Ask for that right, or build in another namespace with --namespace.'],
      },
    );
  }
  if (found.kind !== 'found') {
    return {ready: false, waiting: 'its Deployment is not there yet', trouble: undefined};
  }
  const deployment = readBuilderDeployment(found.value);
  if (isReady(deployment, pods)) return {ready: true, deployment};
  // Until the controller has seen the change, the pods are those of what was there before.
  const isCurrent = deployment.observedGeneration >= deployment.generation;
  return {
    ready: false,
    waiting: describeWaiting({pods, events}),
    trouble: isCurrent ? await explain({deployment, pods, events, fixedNodes}, cluster) : undefined,
  };
}

/** Why BuildKit ended stands in its log alone, where the pod does not carry it. */
async function explain(input: TroubleInput, cluster: Cluster): Promise<Trouble | undefined> {
  const trouble = findTrouble(input);
  if (trouble?.kind !== 'crash' || trouble.pod === undefined) return trouble;
  const last = ['--previous', '--container', 'buildkitd', '--tail', '20'];
  const {exitCode, stdout} = await cluster.kubectl(['logs', trouble.pod, ...last]);
  return exitCode === 0 ? findTrouble({...input, log: stdout}) : trouble;
}

/**
 * kubectl build picks any running pod (its source, `ListRunningPods`), so one on its way out must be gone. The
 * Deployment's count comes after the pods' own word, where that may be read.
 */
function isReady(deployment: BuilderDeployment, pods: readonly BuilderPod[]): boolean {
  if (judgeBuilder({deployment}).kind === 'starting' || deployment.readyReplicas === 0) return false;
  const leaving = pods.some((pod) => pod.deletionTimestamp !== undefined && pod.phase === 'Running');
  return !leaving && (pods.length === 0 || pods.some(({ready}) => ready));
}

function inTrouble(name: string, {kind, message, remedy}: Trouble): TiltbuildError {
  const code = kind === 'image' ? 'builder-image' : 'builder-failed';
  return new TiltbuildError(code, `The builder "${name}" does not start: ${message}`, {remedy});
}

function tooLate(
  name: string,
  namespace: string,
  timeout: number,
  trouble: Trouble | undefined,
  waiting: string,
): TiltbuildError {
  return new TiltbuildError(
    'builder-failed',
    `The builder "${name}" is not ready after ${timeout / 1000} s: ${trouble?.message ?? waiting}`,
    {
      remedy: [
        ...(trouble?.remedy ?? []),
        `To look at it: kubectl describe pods --namespace ${namespace} --selector app=${name}`,
        'To wait longer: --builder-timeout 5m',
      ],
    },
  );
}
