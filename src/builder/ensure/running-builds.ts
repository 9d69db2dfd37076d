/** Owns whether a build is running on a builder: BuildKit itself is asked, in each of the pods. */
import {hasActiveBuild} from '../../buildkit/active-builds.ts';
import {findConnectionFault} from '../../buildkit/connection-fault.ts';
import type {Cluster, Tunnel} from '../../cluster/ports.ts';
import {Interrupted} from '../../errors.ts';
import {GrpcError} from '../../wire/grpc/status.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import type {BuildActivity} from '../verdict/decision.ts';
import {DIAL, dialPod} from './dial-pod.ts';
import {execArgs, listPods} from './inspect-builder.ts';

/** How long BuildKit may take to answer, in milliseconds. It does at once, unless something is wrong with it. */
const PATIENCE = 10_000;

const BUILDING: BuildActivity = {kind: 'building'};
const IDLE: BuildActivity = {kind: 'idle'};

/**
 * A pod that is being deleted still builds, and so does one that is not ready because it is busy. But where no pod is
 * ready, one that does not answer is broken, and not busy.
 */
export async function findBuildActivity(
  deployment: Pick<BuilderDeployment, 'name' | 'namespace' | 'readyReplicas'>,
  cluster: Cluster,
  patience = PATIENCE,
): Promise<BuildActivity> {
  const pods = await listPods(deployment, cluster);
  if (pods === undefined) return unknown('you do not have permission to list pods');
  const answers = await Promise.all(
    pods.filter(isRunning).map(({name}) => askPod(name, deployment.namespace, cluster, patience)),
  );
  const certain = answers.find(({kind}) => kind === 'building');
  if (certain !== undefined) return certain;
  const uncertain = answers.find(({kind}) => kind === 'unknown');
  return uncertain === undefined || deployment.readyReplicas === 0 ? IDLE : uncertain;
}

function isRunning({phase, containers}: BuilderPod): boolean {
  return phase === 'Running' && containers.some(({running}) => running);
}

function unknown(why: string): BuildActivity {
  return {kind: 'unknown', why};
}

async function askPod(
  pod: string,
  namespace: string,
  cluster: Cluster,
  patience: number,
): Promise<BuildActivity> {
  const signal = AbortSignal.timeout(patience);
  let tunnel: Tunnel | undefined;
  try {
    tunnel = await dialPod({namespace, name: pod}, cluster, signal);
    return (await hasActiveBuild(tunnel.stream, signal)) ? BUILDING : IDLE;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const known = await askForClients(pod, tunnel, cluster);
    if (known !== undefined) return known;
    return unknown(signal.aborted ? `BuildKit in pod ${pod} does not answer` : await explain(error, tunnel));
  }
}

async function explain(error: unknown, tunnel: Tunnel | undefined): Promise<string> {
  if (error instanceof GrpcError && tunnel) {
    const fault = await findConnectionFault(error, tunnel);
    return fault?.words ?? error.message;
  }
  return error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
}

/**
 * For a BuildKit that cannot say it: every client runs `buildctl dial-stdio` in the pod for as long as its build lasts
 * (the plugin's source, `buildNodeClient`). Undefined if the image has no pgrep.
 */
async function askForClients(
  pod: string,
  own: Tunnel | undefined,
  cluster: Cluster,
): Promise<BuildActivity | undefined> {
  // It would be found as well.
  await own?.ended;
  const command = ['pgrep', '-f', DIAL.join(' ')];
  const {exitCode, stdout, stderr} = await cluster.kubectl(execArgs(pod, command));
  if (exitCode === 0 && stdout.trim() !== '') return BUILDING;
  // pgrep exits with 1 if it finds nothing, and kubectl passes that on with a line of its own.
  return /command terminated with exit code 1\b/.test(stderr) ? IDLE : undefined;
}
