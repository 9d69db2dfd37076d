/** Owns creating and replacing a builder: a manifest from what is known of the cluster, sent by kubectl. */
import {isDeepStrictEqual} from 'node:util';
import {asObject, asText, type Json} from '../../cluster/api/json-values.ts';
import {deploymentPath, type ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import {advise, command, flag} from '../../text/advice.ts';
import {containerdPaths, readDistribution} from '../manifest/containerd-paths.ts';
import {chooseReplicas} from '../manifest/count-replicas.ts';
import {type BuilderManifest, builderManifest, configMapOf} from '../manifest/manifest.ts';
import {chooseRuntime, selectBuilderNodes} from '../manifest/nodes.ts';
import {createCommand} from '../model/builder.ts';
import {MANAGED_BY, REPLACES_ANNOTATION} from '../model/marks.ts';
import type {NodeRegistries} from '../model/node-registries.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../model/objects.ts';
import type {BuilderPlan} from '../model/request.ts';
import {countBusyNodes} from './count-busy-nodes.ts';
import {findLocalRegistry} from './find-local-registry.ts';
import {chooseStateDirectory} from './state-directory.ts';

type Plan = BuilderPlan & {
  /** Of the node's containerd, where they have been read. */
  readonly nodeRegistries?: NodeRegistries;
};

type Creation = Plan & {
  readonly cluster: Cluster;
  /** Of its state on the node, if not the usual one. */
  readonly stateDirectory?: string;
};

/** The manifest for a builder on these nodes; undefined without permission to list them. */
export function planBuilder(
  {request: {settings: given}, product, toolVersion, localRegistry, nodeRegistries}: Plan,
  nodes: readonly NodeRuntime[] | undefined,
  {stateDirectory, busyNodes}: {readonly stateDirectory?: string; readonly busyNodes?: number} = {},
): BuilderManifest {
  const replicas = chooseReplicas(given, product);
  // The builder remembers this for nodes that join; one pod is only the default.
  const settings = replicas === 'nodes' ? {...given, replicas} : given;
  if (nodes === undefined && !settings.rootless) {
    throw new TiltbuildError(
      'cluster-denied',
      'You do not have permission to list nodes, and a builder can only be created for a known container runtime.',
      {
        remedy: [
          advise`Ask for this permission, or ask somebody who has it to run: ${createCommand(settings)}`,
          advise`Or leave the builder to kubectl build with ${flag('builder-policy', 'never')}.`,
        ],
      },
    );
  }
  const usable = selectBuilderNodes(nodes ?? [], settings);
  const distribution = usable.map(({kubeletVersion}) => readDistribution(kubeletVersion)).find(Boolean);
  return builderManifest({
    settings,
    runtime: settings.rootless ? undefined : chooseRuntime(nodes ?? [], settings),
    paths: containerdPaths(product, distribution, settings.containerd),
    stateDirectory,
    nodeCount: usable.length,
    busyNodes,
    toolVersion,
    localRegistry,
    nodeRegistries,
  });
}

/** The same, with what only the cluster knows: its local registry, and where the builder keeps its state. */
export async function planInCluster(
  creation: Creation,
  nodes: readonly NodeRuntime[] | undefined,
  old?: BuilderDeployment,
): Promise<BuilderManifest> {
  const {request, cluster, stateDirectory} = creation;
  const {settings} = request;
  const [localRegistry, directory, busyNodes] = await Promise.all([
    findLocalRegistry(creation),
    // A rootless builder has nothing on its node.
    settings.rootless ? undefined : (stateDirectory ?? chooseStateDirectory(settings, cluster, old)),
    countBusyNodes(settings, creation.product, nodes ?? [], cluster),
  ]);
  return planBuilder({...creation, localRegistry}, nodes, {stateDirectory: directory, busyNodes});
}

/**
 * Uses `create` and not `apply` for the Deployment: if several builds find no builder at the same moment, the first one
 * wins, even between two versions, and a Deployment of that name that is no builder stays as it is. The ConfigMap comes
 * first, because the plugin creates a builder without one; it may be left from an older builder, or be that of a build
 * that was slower, and then shows what the winner has in the end.
 */
export async function createBuilder(
  creation: Creation,
  nodes: readonly NodeRuntime[] | undefined,
): Promise<boolean> {
  const {configMap, deployment} = await planInCluster(creation, nodes);
  const {cluster} = creation;
  await send(APPLY, configMap, cluster);
  if ((await send(CREATE, deployment, cluster)) !== 'exists') return true;
  await showConfig(configMap, cluster);
  return false;
}

/**
 * Gives the ConfigMap the configuration of the Deployment that is there. Others do the same, so the order is no matter.
 * Throws `builder-failed` if that one is no builder.
 */
async function showConfig(configMap: BuilderManifest['configMap'], cluster: Cluster): Promise<void> {
  const {name, namespace} = configMap.metadata;
  const current = await readAgain({name, namespace}, cluster);
  if (current !== undefined && !current.madeByPlugin && !current.managedByUs) {
    throw new TiltbuildError(
      'builder-failed',
      `The Deployment "${name}" in namespace "${namespace}" is no builder, so none of that name can be created.`,
      {remedy: [advise`Create one of another name, and build on it with ${flag('builder', 'NAME')}.`]},
    );
  }
  if (current?.toml === undefined) return;
  const shown = configMapOf(current.toml, configMap.metadata);
  if (!isDeepStrictEqual(shown, configMap)) await send(APPLY, shown, cluster);
}

/**
 * Replaces the whole object: an apply would leave what is harmful in the old one. Its pods restart in any case. If
 * somebody else changed the builder meanwhile, their change stays.
 */
export async function replaceBuilder(
  creation: Creation,
  nodes: readonly NodeRuntime[] | undefined,
  old: BuilderDeployment,
): Promise<void> {
  const {cluster} = creation;
  const {configMap, deployment} = await planInCluster(creation, nodes, old);
  await send(APPLY, configMap, cluster);

  let current: BuilderDeployment | undefined = old;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const {resourceVersion} = current;
    const next = replacementFor(resourceVersion, deployment);
    const pinned = {...next, metadata: {...next.metadata, resourceVersion}};
    const outcome = await send(REPLACE, pinned, cluster);
    if (outcome === 'immutable') {
      // Older plugins select pods by all four labels, and a selector cannot be changed.
      await send(['delete', `deployment/${old.name}`, '--ignore-not-found'], undefined, cluster);
      if ((await send(CREATE, next, cluster)) === 'exists') await showConfig(configMap, cluster);
    }
    if (outcome !== 'conflict') return;
    current = await readAgain(old, cluster);
    // A new status counts as a change too, and a builder that crashes changes its status all the time.
    if (current === undefined || current.uid !== old.uid || current.generation !== old.generation) {
      return await showConfig(configMap, cluster);
    }
  }
  const {name, namespace} = old;
  throw new TiltbuildError('builder-failed', `The builder "${name}" changes too often to be replaced.`, {
    remedy: [
      'Remove it, and build again:',
      command('kubectl', 'tiltbuild', 'builder', 'rm', name, '--namespace', namespace),
    ],
  });
}

const ATTEMPTS = 5;

/** A change of the pods' annotations restarts them, as `kubectl rollout restart` does it. */
function replacementFor(version: string, deployment: BuilderManifest['deployment']) {
  const {spec} = deployment;
  const {metadata} = spec.template;
  const annotations = {...metadata.annotations, [REPLACES_ANNOTATION]: version};
  return {...deployment, spec: {...spec, template: {...spec.template, metadata: {...metadata, annotations}}}};
}

/** The builder as it is now; undefined if it is gone. */
export async function readAgain(
  place: ObjectPlace,
  cluster: Cluster,
): Promise<BuilderDeployment | undefined> {
  const answer = await cluster.get(deploymentPath(place));
  return answer.kind === 'found' ? readBuilderDeployment(answer.value) : undefined;
}

/** An object of the API server's, to be sent back with a change: only if nobody else has changed it meanwhile. */
export function editable(object: unknown): Json {
  const {status: _, metadata, ...rest} = asObject(object);
  const {managedFields: __, ...kept} = asObject(metadata);
  return {apiVersion: 'apps/v1', kind: 'Deployment', ...rest, metadata: kept};
}

const FLAGS = [`--field-manager=${MANAGED_BY}`, '--filename', '-'];
export const APPLY = ['apply', '--server-side', '--force-conflicts', ...FLAGS];
const CREATE = ['create', ...FLAGS];
export const REPLACE = ['replace', ...FLAGS];

/** Throws `builder-failed` for a refusal. That somebody else was faster with the same is fine. */
export async function send(
  args: readonly string[],
  object: unknown,
  cluster: Cluster,
): Promise<'done' | 'exists' | 'conflict' | 'immutable'> {
  const input = object === undefined ? undefined : JSON.stringify(object);
  const {exitCode, stderr} = await cluster.kubectl(args, input);
  if (exitCode === 0) return 'done';
  if (/\(AlreadyExists\)/.test(stderr)) return 'exists';
  if (/\(Conflict\)/.test(stderr)) return 'conflict';
  if (/field is immutable/.test(stderr)) return 'immutable';
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('Warning:'));
  const {kind, metadata} = asObject(object);
  const name = asText(asObject(metadata).name);
  const what = name === '' ? 'the builder' : `the ${asText(kind)} "${name}" of the builder`;
  throw new TiltbuildError('builder-failed', `Could not create ${what}.`, {
    detail: lines.length > 0 ? lines : ['kubectl failed without a message'],
    remedy: [
      advise`To see its manifest: ${command('kubectl', 'tiltbuild', 'builder', 'create', '--dry-run')}`,
    ],
  });
}
