/** Owns looks inside a running builder, by running a small program in its pod. */
import type {BuilderDeployment} from '../cluster/builder-objects.ts';
import type {Cluster, KubectlResult} from './ports.ts';

/** Where no pod runs, kubectl waits for one: a minute for `exec`, twenty seconds for `logs`. */
export const POD_WAIT = ['--pod-running-timeout', '10s'];

/** Runs `command` in a pod of the builder. */
export async function execInBuilder(
  {name}: Pick<BuilderDeployment, 'name'>,
  command: readonly string[],
  cluster: Cluster,
): Promise<KubectlResult> {
  return await cluster.kubectl([
    'exec',
    `deployment/${name}`,
    ...POD_WAIT,
    '--container',
    'buildkitd',
    '--',
    ...command,
  ]);
}

/**
 * Whether somebody builds on it. Every client of kubectl build holds a `buildctl dial-stdio` in the pod for as long
 * as its build lasts (its source, `buildNodeClient`). A builder without a ready pod builds nothing.
 */
export async function isBuildRunning(
  deployment: BuilderDeployment,
  cluster: Cluster,
): Promise<boolean | 'unknown'> {
  if (deployment.readyReplicas === 0) return false;
  const {exitCode, stdout, stderr} = await execInBuilder(
    deployment,
    ['pgrep', '-f', 'buildctl dial-stdio'],
    cluster,
  );
  if (exitCode === 0 && stdout.trim() !== '') return true;
  // pgrep ends with 1 where it finds nothing, and kubectl hands that on with a line of its own.
  return /command terminated with exit code 1\b/.test(stderr) ? false : 'unknown';
}

/** Mounts of containerd's socket that the builder's starts have left on its node; 0 where that cannot be seen. */
export async function countLeftoverMounts(deployment: BuilderDeployment, cluster: Cluster): Promise<number> {
  if (deployment.readyReplicas === 0) return 0;
  const {exitCode, stdout} = await execInBuilder(deployment, ['cat', '/proc/self/mountinfo'], cluster);
  if (exitCode !== 0) return 0;
  const mounts = stdout.split('\n').filter((line) => line.split(' ')[4]?.endsWith('/containerd.sock'));
  // One is the pod's own, which goes with it.
  return Math.max(0, mounts.length - 1);
}
