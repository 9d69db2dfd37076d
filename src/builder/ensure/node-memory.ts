/** Owns what can be said of the memory of the nodes that a builder runs on. */
import {findCondition, readConditions} from '../../cluster/api/conditions.ts';
import {asObject, asText} from '../../cluster/api/json-values.ts';
import {nodePath, type ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {formatBytes} from '../../text/amounts.ts';
import {readQuantity} from '../model/pod-settings.ts';
import {listPods} from './inspect-builder.ts';

/** Of more nodes it would not be known which one is meant. */
const FEW = 3;

/** A sentence for each node; none where it cannot be asked, as this only explains another failure. */
export async function describeNodeMemory(place: ObjectPlace, cluster: Cluster): Promise<readonly string[]> {
  try {
    const pods = (await listPods(place, cluster)) ?? [];
    const nodes = [...new Set(pods.flatMap(({node, ready}) => (node !== undefined && ready ? [node] : [])))];
    if (nodes.length > FEW) return [];
    const told = await Promise.all(
      nodes.map(async (node) => describe(node, await cluster.get(nodePath(node)))),
    );
    return told.flat();
  } catch {
    return [];
  }
}

function describe(name: string, answer: Awaited<ReturnType<Cluster['get']>>): readonly string[] {
  if (answer.kind !== 'found') return [];
  const {conditions, allocatable} = asObject(asObject(answer.value).status);
  const pressure = findCondition(readConditions(conditions), 'MemoryPressure', 'True');
  if (pressure !== undefined) return [`Node "${name}" is short of memory now: ${pressure.message}.`];
  const memory = readQuantity(asText(asObject(allocatable).memory));
  return memory === undefined
    ? []
    : [`Node "${name}" has ${formatBytes(memory)} of memory for all its pods and steps.`];
}
