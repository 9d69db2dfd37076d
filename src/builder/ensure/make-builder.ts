/** Owns making and replacing a builder: the facts become a manifest, and kubectl sends it. */
import {deploymentPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {type BuilderManifest, builderManifest} from '../manifest/manifest.ts';
import {chooseRuntime, containerdPaths, readDistribution, selectBuilderNodes} from '../manifest/runtime.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../model/objects.ts';
import type {BuilderSurroundings} from '../model/request.ts';

type Making = Pick<BuilderSurroundings, 'request' | 'product' | 'toolVersion'>;

/** The manifest for a builder on these nodes; undefined nodes may not be looked at. */
export function planBuilder(
  {request: {settings}, product, toolVersion}: Making,
  nodes: readonly NodeRuntime[] | undefined,
): BuilderManifest {
  if (nodes === undefined && !settings.rootless) {
    throw new TiltbuildError(
      'cluster-denied',
      'You may not list the nodes, and without knowing their container runtime no builder can be made for them.',
      {
        remedy: [
          'Ask for the right to list nodes, or have somebody who has it run: kubectl tiltbuild builder create',
          'Or leave the builder to kubectl build with --builder-policy never.',
        ],
      },
    );
  }
  const usable = selectBuilderNodes(nodes ?? [], settings);
  const distribution = usable.map(({kubeletVersion}) => readDistribution(kubeletVersion)).find(Boolean);
  return builderManifest({
    settings,
    runtime: settings.rootless ? undefined : chooseRuntime(nodes ?? [], settings),
    paths: containerdPaths(product, {distribution, overrides: settings.containerd}),
    nodeCount: usable.length,
    toolVersion,
  });
}

/**
 * Creates it. `create` and not `apply` for the Deployment: of several that find no builder at the same moment the
 * first one wins, also where they are of two versions, and a Deployment of that name that is no builder stays as it
 * is. The ConfigMap may be what an older builder left, and is ours from now on.
 */
export async function createBuilder(
  surroundings: Making & {readonly cluster: Cluster},
  nodes: readonly NodeRuntime[] | undefined,
): Promise<void> {
  const {configMap, deployment} = planBuilder(surroundings, nodes);
  await send(APPLY, configMap, surroundings.cluster);
  await send(CREATE, deployment, surroundings.cluster);
}

/**
 * Replaces it as a whole: what is left of the old one would be the harm, and an apply leaves it. Where somebody else
 * changed it meanwhile, their change stays.
 */
export async function replaceBuilder(
  surroundings: Making & {readonly cluster: Cluster},
  nodes: readonly NodeRuntime[] | undefined,
  old: BuilderDeployment,
): Promise<void> {
  const {cluster} = surroundings;
  const {configMap, deployment} = planBuilder(surroundings, nodes);
  await send(APPLY, configMap, cluster);

  let current: BuilderDeployment | undefined = old;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const {resourceVersion} = current;
    const pinned = {...deployment, metadata: {...deployment.metadata, resourceVersion}};
    const outcome = await send(REPLACE, pinned, cluster);
    if (outcome === 'immutable') {
      // Older plugins select pods by all four labels, which cannot be changed.
      await send(['delete', `deployment/${old.name}`, '--ignore-not-found'], undefined, cluster);
      await send(CREATE, deployment, cluster);
    }
    if (outcome !== 'conflict') return;
    current = await readAgain(old, cluster);
    // The status counts as a change too, and a builder that crashes changes it all the time.
    if (current === undefined || current.uid !== old.uid || current.generation !== old.generation) return;
  }
  throw new TiltbuildError('builder-failed', `The builder "${old.name}" changes too often to be replaced.`, {
    remedy: [
      `Remove it, and build again: kubectl tiltbuild builder rm ${old.name} --namespace ${old.namespace}`,
    ],
  });
}

const ATTEMPTS = 5;

/** The builder as it is now; undefined where it is gone. */
export async function readAgain(
  old: BuilderDeployment,
  cluster: Cluster,
): Promise<BuilderDeployment | undefined> {
  const answer = await cluster.get(deploymentPath(old));
  return answer.kind === 'found' ? readBuilderDeployment(answer.value) : undefined;
}

const FIELD_MANAGER = '--field-manager=kubectl-tiltbuild';
const APPLY = ['apply', '--server-side', '--force-conflicts', FIELD_MANAGER, '--filename', '-'];
const CREATE = ['create', FIELD_MANAGER, '--filename', '-'];
const REPLACE = ['replace', FIELD_MANAGER, '--filename', '-'];

/** `exists`: another one was quicker, which is as good. Throws `builder-failed` for what nobody has done. */
async function send(
  args: readonly string[],
  object: unknown,
  cluster: Cluster,
): Promise<'done' | 'exists' | 'conflict' | 'immutable'> {
  const {exitCode, stderr} = await cluster.kubectl(
    args,
    object === undefined ? undefined : JSON.stringify(object),
  );
  if (exitCode === 0) return 'done';
  if (/\(AlreadyExists\)/.test(stderr)) return 'exists';
  if (/\(Conflict\)/.test(stderr)) return 'conflict';
  if (/field is immutable/.test(stderr)) return 'immutable';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Warning:'));
  throw new TiltbuildError('builder-failed', 'The builder could not be made.', {
    detail: lines.length > 0 ? lines : ['kubectl failed and did not say why'],
    remedy: ['kubectl tiltbuild builder create --dry-run shows what would be made.'],
  });
}
