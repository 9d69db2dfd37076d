/** Owns which directory of its node a builder keeps its state in. */
import {asObject, asText} from '../../cluster/api/json-values.ts';
import {namespacePath, type ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {builderStateDirectory, isStateDirectory} from '../manifest/toml.ts';
import {readRoot} from '../model/buildkitd-settings.ts';
import type {BuilderDeployment} from '../model/objects.ts';

/** All that a builder of this name may have used, beginning with that of a new one. */
export async function listStateDirectories(
  {name, namespace}: ObjectPlace,
  cluster: Cluster,
): Promise<readonly [string, ...string[]]> {
  const id = await readClusterId(cluster);
  const usual = builderStateDirectory(namespace, name);
  return id === undefined ? [usual] : [builderStateDirectory(namespace, name, id), usual];
}

/**
 * One that works keeps its directory when it is recreated: its cache is there, and images of the cache stay in the
 * node's containerd for ever where nothing knows of them. One that does not work may wait for the lock of another.
 */
export async function chooseStateDirectory(
  place: ObjectPlace,
  cluster: Cluster,
  old?: BuilderDeployment,
): Promise<string> {
  const root = old?.managedByUs && old.readyReplicas > 0 ? readRoot(old.toml ?? '') : undefined;
  if (root !== undefined && isStateDirectory(root)) return root;
  const [directory] = await listStateDirectories(place, cluster);
  return directory;
}

/** The UID of a namespace that every cluster has, and that nobody creates again; undefined without permission. */
async function readClusterId(cluster: Cluster): Promise<string | undefined> {
  const answer = await cluster.get(namespacePath('kube-system'));
  if (answer.kind !== 'found') return undefined;
  const uid = asText(asObject(asObject(answer.value).metadata).uid);
  return /^[-a-z0-9]+$/.test(uid) ? uid : undefined;
}
