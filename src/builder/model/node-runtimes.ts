/** Owns reading what a builder needs to know of a node: its container runtime, and which pods it takes. */
import {findCondition, readConditions} from '../../cluster/api/conditions.ts';
import {asItems, asList, asObject, asText, asTextFields} from '../../cluster/api/json-values.ts';

export interface NodeRuntime {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** E.g. `containerd://2.1.9`. */
  readonly containerRuntimeVersion: string;
  readonly kubeletVersion: string;
  readonly architecture: string;
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly taints: readonly {readonly key: string; readonly value: string; readonly effect: string}[];
}

export function readNodeRuntimes(body: unknown): readonly NodeRuntime[] {
  return asItems(body).map(({metadata, spec, status}) => {
    const {name, labels} = asObject(metadata);
    const {unschedulable, taints} = asObject(spec);
    const {conditions, nodeInfo} = asObject(status);
    const {containerRuntimeVersion, kubeletVersion, architecture} = asObject(nodeInfo);
    return {
      name: asText(name),
      labels: asTextFields(labels),
      containerRuntimeVersion: asText(containerRuntimeVersion),
      kubeletVersion: asText(kubeletVersion),
      architecture: asText(architecture),
      ready: findCondition(readConditions(conditions), 'Ready', 'True') !== undefined,
      unschedulable: unschedulable === true,
      taints: asList(taints).map((taint) => {
        const {key, value, effect} = asObject(taint);
        return {key: asText(key), value: asText(value), effect: asText(effect)};
      }),
    };
  });
}
