/** Owns giving a builder another number of pods, which leaves those alone that it keeps. */
import {asObject} from '../../cluster/api/json-values.ts';
import {deploymentPath} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {chooseStrategy} from '../manifest/manifest.ts';
import {type BuilderDeployment, readBuilderDeployment} from '../model/objects.ts';
import {editable, REPLACE, send} from './create-builder.ts';

/** Gives the builder as it is then. If somebody else changes it at the same moment, their change stays, and this is not done. */
export async function scaleBuilder(
  old: BuilderDeployment,
  replicas: number,
  cluster: Cluster,
): Promise<BuilderDeployment> {
  const answer = await cluster.get(deploymentPath(old));
  if (answer.kind !== 'found') return old;
  const current = readBuilderDeployment(answer.value);
  if (current.uid !== old.uid || current.replicas === replicas) return current;
  const object = editable(answer.value);
  const spec = {...asObject(object.spec), replicas, strategy: chooseStrategy(replicas)};
  const outcome = await send(REPLACE, {...object, spec}, cluster);
  return outcome === 'done' ? {...current, replicas} : current;
}
