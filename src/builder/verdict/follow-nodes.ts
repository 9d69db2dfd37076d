/** Owns how many pods a builder with one on every node is to have now, as nodes join and go. */
import {isCrowded} from '../manifest/count-replicas.ts';
import {selectBuilderNodes} from '../manifest/nodes.ts';
import {readKeptSettings, readPlacement} from '../model/kept-settings.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import {type BuilderPod, isStaying} from '../model/pods.ts';

/** Whether it is ours, and was created with a pod on every node. */
export function followsNodes({managedByUs, settings}: BuilderDeployment): boolean {
  return managedByUs && readKeptSettings(settings).replicas === 'nodes';
}

/** The nodes that are to have a pod; undefined where there are too many, and it stays as it is. */
export function listWantedNodes(
  {settings}: BuilderDeployment,
  nodes: readonly NodeRuntime[],
): readonly string[] | undefined {
  const usable = selectBuilderNodes(nodes, readPlacement(settings));
  return usable.length === 0 || isCrowded(usable.length) ? undefined : usable.map(({name}) => name);
}

/**
 * A pod stays on a node that takes no new ones, such as one that is cordoned: with a pod less, a node that has none might
 * never get one.
 */
export function countWanted(
  wanted: readonly string[],
  nodes: readonly NodeRuntime[],
  pods: readonly BuilderPod[],
): number {
  const names = nodes.map(({name}) => name);
  const kept = pods.filter(isStaying).flatMap(({node}) => (node && names.includes(node) ? [node] : []));
  return new Set([...wanted, ...kept]).size;
}
