/** Owns what one round of reads tells of the builders in a namespace. */
import type {Answer, ApiObject, ClusterFacts} from '../../cluster/api/facts.ts';
import {type NodeRuntime, readNodeRuntimes} from '../model/node-runtimes.ts';
import {type BuilderDeployment, readBuilderDeployment, readBuilderToml} from '../model/objects.ts';

export interface ObservedBuilder {
  readonly deployment: BuilderDeployment | undefined;
  /** Its buildkitd.toml, where it has one. */
  readonly toml: string | undefined;
  /**
   * Whether it may have one that is not seen: ConfigMaps may not be read, or somebody else made the builder and gave
   * its ConfigMap no labels. The plugin's always has them.
   */
  readonly tomlUnknown: boolean;
  /** Undefined where they may not be listed. */
  readonly nodes: readonly NodeRuntime[] | undefined;
}

/** Whatever has the name and a builder's labels, whoever made it. */
export function observeBuilder(facts: ClusterFacts, name: string): ObservedBuilder {
  const isNamed = (deployment: BuilderDeployment) => deployment.name === name;
  const config = found(facts.configMaps).find((object) => isNamed(readBuilderDeployment(object)));
  const deployment = found(facts.deployments).map(readBuilderDeployment).find(isNamed);
  return {
    deployment,
    toml: config === undefined ? undefined : readBuilderToml(config),
    tomlUnknown:
      config === undefined && (facts.configMaps?.kind !== 'found' || deployment?.madeByPlugin === false),
    nodes: readNodesOf(facts),
  };
}

/** Builders only: what has the labels by chance and not the annotation is somebody else's. */
export function listKnownBuilders({deployments}: ClusterFacts): readonly BuilderDeployment[] {
  return found(deployments)
    .map(readBuilderDeployment)
    .filter(({madeByPlugin, managedByUs}) => madeByPlugin || managedByUs);
}

/** Undefined where the nodes may not be listed. */
export function readNodesOf({nodes}: ClusterFacts): readonly NodeRuntime[] | undefined {
  return nodes?.kind === 'found' ? readNodeRuntimes(nodes.value) : undefined;
}

function found(answer: Answer<readonly ApiObject[]> | undefined): readonly ApiObject[] {
  return answer?.kind === 'found' ? answer.value : [];
}
