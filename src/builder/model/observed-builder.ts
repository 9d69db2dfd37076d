/** Owns what one round of reads shows of the builders in a namespace. */
import type {Answer, ApiObject, ClusterFacts} from '../../cluster/api/facts.ts';
import {asObject, asTextFields} from '../../cluster/api/json-values.ts';
import {type NodeRuntime, readNodeRuntimes} from './node-runtimes.ts';
import {type BuilderDeployment, readBuilderDeployment, readBuilderToml} from './objects.ts';

export interface ObservedBuilder {
  readonly deployment?: BuilderDeployment;
  /** Its buildkitd.toml, where it has one. */
  readonly toml?: string;
  /**
   * Whether it may have one that we cannot see: without permission to list ConfigMaps, or if somebody else created the
   * builder, and its ConfigMap has no labels. The plugin's always has them.
   */
  readonly tomlUnknown?: boolean;
  /** Undefined without permission to list them. */
  readonly nodes?: readonly NodeRuntime[];
}

/** What has the name and a builder's labels, whoever created it. */
export function observeBuilder(facts: ClusterFacts, name: string): ObservedBuilder {
  const isNamed = (deployment: BuilderDeployment) => deployment.name === name;
  const config = found(facts.configMaps).find((object) => isNamed(readBuilderDeployment(object)));
  const deployment = found(facts.deployments).map(readBuilderDeployment).find(isNamed);
  const toml = deployment?.toml ?? (config === undefined ? undefined : readBuilderToml(config));
  return {
    deployment,
    toml,
    tomlUnknown:
      toml === undefined &&
      config === undefined &&
      (facts.configMaps?.kind !== 'found' || deployment?.madeByPlugin === false),
    nodes: readNodesOf(facts),
  };
}

/** Whether the ConfigMap of that name carries the builder's labels; another one may have the name by chance. */
export function ownsConfigMap({configMaps}: ClusterFacts, name: string): boolean {
  return found(configMaps).some((object) => {
    const {metadata} = asObject(object);
    const {name: called, labels} = asObject(metadata);
    return called === name && asTextFields(labels).app === name;
  });
}

/** Builders only: a Deployment that has the labels by chance, and not the annotation, is something else. */
export function listKnownBuilders({deployments}: ClusterFacts): readonly BuilderDeployment[] {
  return found(deployments)
    .map(readBuilderDeployment)
    .filter(({madeByPlugin, managedByUs}) => madeByPlugin || managedByUs);
}

/** Undefined without permission to list the nodes. */
export function readNodesOf({nodes}: ClusterFacts): readonly NodeRuntime[] | undefined {
  return nodes?.kind === 'found' ? readNodeRuntimes(nodes.value) : undefined;
}

function found(answer: Answer<readonly ApiObject[]> | undefined): readonly ApiObject[] {
  return answer?.kind === 'found' ? answer.value : [];
}
