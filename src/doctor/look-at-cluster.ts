/** Owns reading from the cluster what the checks need, side by side and for a limited time. */
import {listEvents, listPods, readVersion} from '../builder/ensure/inspect-builder.ts';
import {observeBuilder, readNodesOf} from '../builder/model/observed-builder.ts';
import {type BuilderEvent, type BuilderPod, readEvents} from '../builder/model/pods.ts';
import type {ClusterFacts} from '../cluster/api/facts.ts';
import {asObject, asText} from '../cluster/api/json-values.ts';
import {type NodeDisk, readNodeDisks} from '../cluster/api/node-disk.ts';
import {readRulesReview, readSelfReview, rulesReview, SELF_REVIEW} from '../cluster/api/objects.ts';
import {
  failedPodEventsPath,
  namespacePath,
  podPath,
  RULES_REVIEW_PATH,
  SELF_REVIEW_PATH,
  VERSION_PATH,
} from '../cluster/api/paths.ts';
import type {Cluster} from '../cluster/ports.ts';
import type {Identified} from '../cluster/product.ts';
import type {Target} from '../cluster/target/target.ts';
import {withCluster} from '../cluster/with-cluster.ts';
import {TiltbuildError} from '../errors.ts';
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {DoctorRequest} from './doctor-request.ts';
import {observe, type Seen} from './observe.ts';
import {readStuckImages, type StuckImage} from './stuck-images.ts';

export interface ClusterReading {
  readonly facts: ClusterFacts;
  /** The API server's name for the user; undefined if it reports none. */
  readonly userName: string | undefined;
  readonly namespaceMissing: boolean;
  /** Of a builder that is not ready, or that has several nodes; undefined without permission to list them. */
  readonly pods: readonly BuilderPod[] | undefined;
  readonly events: readonly BuilderEvent[];
  /** Of the first nodes, as far as their kubelets can be asked. */
  readonly disks: readonly NodeDisk[];
  /** Of the namespace, as far as its pods can be listed. */
  readonly stuckImages: readonly StuckImage[];
  /** Of the running BuildKit. */
  readonly buildkitVersion: string | undefined;
}

export type ClusterSight =
  | {readonly kind: 'no-target'; readonly error: TiltbuildError}
  | {
      readonly kind: 'target';
      readonly target: Target;
      readonly byNames: Identified;
      /** Kubernetes' version, e.g. `v1.36.2`; empty if the server reports none. */
      readonly version: Seen<string>;
      readonly reading: Seen<ClusterReading>;
    };

export async function lookAtCluster(
  request: DoctorRequest,
  surroundings: Surroundings,
  ports: Ports,
): Promise<ClusterSight> {
  try {
    return await withCluster(request.connection, surroundings, ports, async ({target, byNames, cluster}) => {
      const [version, reading] = await Promise.all([
        observe(() => readServerVersion(cluster), request.limit, ports),
        observe(() => read(request, target.namespace, cluster, ports), request.limit, ports),
      ]);
      return {kind: 'target', target, byNames, version, reading};
    });
  } catch (error) {
    if (error instanceof TiltbuildError) return {kind: 'no-target', error};
    throw error;
  }
}

async function readServerVersion(cluster: Cluster): Promise<string> {
  const answer = await cluster.get(VERSION_PATH);
  return answer.kind === 'found' ? asText(asObject(answer.value).gitVersion) : '';
}

async function read(
  {pullSecret, builder, limit}: DoctorRequest,
  namespace: string,
  cluster: Cluster,
  {sleep}: Ports,
): Promise<ClusterReading> {
  const [facts, userName] = await Promise.all([
    cluster.read({
      pullSecret: pullSecret.kind === 'none' ? undefined : pullSecret.name,
      pullSecrets: true,
      builders: true,
      nodes: 'all',
    }),
    askWhoIAm(cluster),
  ]);
  const {deployment} = observeBuilder(facts, builder.name);
  const isReady = deployment !== undefined && deployment.readyReplicas > 0;
  const nodes = (readNodesOf(facts) ?? []).slice(0, MOST_DISKS).map((node) => node.name);
  const [rules, namespaceMissing, pods, events, buildkitVersion, disks, stuckImages] = await Promise.all([
    // A reading through kubectl does not include them.
    facts.rules ?? askRules(namespace, cluster),
    deployment === undefined ? isNamespaceMissing(namespace, cluster) : false,
    deployment === undefined || (isReady && nodes.length < 2) ? undefined : listPods(deployment, cluster),
    deployment === undefined || isReady ? [] : listEvents(namespace, cluster),
    deployment === undefined
      ? undefined
      : // A stream into a pod may hang, and must not hold up the rest.
        Promise.race([
          readVersion(deployment, cluster).catch(withoutKubectl),
          sleep(limit / 2).then(() => undefined),
        ]),
    // Nor may a kubelet.
    Promise.race([readNodeDisks(nodes, cluster), sleep(limit / 2).then(() => [])]),
    findStuckImages(namespace, facts, cluster),
  ]);
  return {
    facts: {...facts, rules},
    userName,
    namespaceMissing,
    pods,
    events,
    buildkitVersion,
    disks,
    stuckImages,
  };
}

/** A local cluster has no more, and a large one has somebody who looks after its disks. */
const MOST_DISKS = 4;

/** A pod that starts after all has events still, and no image that it waits for. */
async function findStuckImages(
  namespace: string,
  {nodes}: ClusterFacts,
  cluster: Cluster,
): Promise<readonly StuckImage[]> {
  const answer = await cluster.get(failedPodEventsPath(namespace));
  if (answer.kind !== 'found') return [];
  const names = readEvents(answer.value)
    .filter(({message}) => /image/i.test(message))
    .sort((one, other) => (other.lastSeen ?? 0) - (one.lastSeen ?? 0))
    .map(({object}) => object.name);
  const pods = await Promise.all(
    [...new Set(names)].slice(0, MOST_PODS).map((name) => cluster.get(podPath({name, namespace}))),
  );
  const items = pods.flatMap((pod) => (pod.kind === 'found' ? [pod.value] : []));
  return readStuckImages({items}, nodes?.kind === 'found' ? nodes.value : []);
}

const MOST_PODS = 10;

/** Servers before Kubernetes 1.28 cannot answer this. */
async function askWhoIAm(cluster: Cluster): Promise<string | undefined> {
  const answer = await review(SELF_REVIEW_PATH, SELF_REVIEW, cluster);
  return answer?.kind === 'found' ? readSelfReview(answer.value) || undefined : undefined;
}

async function askRules(namespace: string, cluster: Cluster): Promise<ClusterFacts['rules']> {
  const answer = await review(RULES_REVIEW_PATH, rulesReview(namespace), cluster);
  return answer?.kind === 'found' ? readRulesReview(answer.value) : undefined;
}

/** A gateway may refuse a review though the API server behind it is fine, so that is no finding. */
async function review(path: string, question: unknown, cluster: Cluster) {
  try {
    return await cluster.review(path, question);
  } catch (error) {
    if (error instanceof TiltbuildError && error.code === 'cluster-unreachable') return undefined;
    throw error;
  }
}

async function isNamespaceMissing(namespace: string, cluster: Cluster): Promise<boolean> {
  return (await cluster.get(namespacePath(namespace))).kind === 'missing';
}

/** Another check reports that kubectl is missing. */
function withoutKubectl(error: unknown): undefined {
  if (error instanceof TiltbuildError && error.code === 'tool-missing') return undefined;
  throw error;
}
