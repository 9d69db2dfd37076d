/** Owns which pods of a node use an image, by what the API server says of the pods. */
import {asItems, asList, asObject, asText, type Json} from '../cluster/api/json-values.ts';
import {TiltbuildError} from '../errors.ts';
import {canonicalReference, parseReference} from '../image/reference.ts';
import type {NodeImage} from './node-images.ts';

/** Gives the pods that use the image, as `NAMESPACE/NAME`. */
export type FindUsers = (image: Pick<NodeImage, 'name' | 'target'>) => readonly string[];

/** By every pod in the lists that has not ended, whether its containers run or are yet to start. */
export function findUsersIn(podLists: readonly unknown[]): FindUsers {
  const pods = podLists.flatMap(asItems).flatMap((pod) => readPod(pod) ?? []);
  return ({name, target}) =>
    pods.filter(({names, digests}) => names.has(name) || digests.has(target.digest)).map(({shown}) => shown);
}

function readPod({metadata, spec, status}: Json) {
  const {phase, ...statuses} = asObject(status);
  if (phase === 'Succeeded' || phase === 'Failed') return undefined;
  const {namespace, name} = asObject(metadata);
  const containers = [...listAll(CONTAINERS, asObject(spec)), ...listAll(STATUSES, statuses)];
  const volumes = listAll(['volumes'], asObject(spec)).map(({image}) => asObject(image));
  const texts = [
    ...containers.flatMap(({image, imageID}) => [image, imageID]),
    ...volumes.map(({reference}) => reference),
  ].map(asText);
  return {
    shown: `${asText(namespace)}/${asText(name)}`,
    names: new Set(texts.flatMap(canonical)),
    /** Of manifests and of configurations. */
    digests: new Set(texts.flatMap((text) => /sha256:[0-9a-f]{64}/.exec(text) ?? [])),
  };
}

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];
const STATUSES = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'];

function listAll(fields: readonly string[], parent: Json): readonly Json[] {
  return fields.flatMap((field) => asList(parent[field])).map(asObject);
}

/** None for what is no reference: no image of ours has such a name. */
function canonical(image: string): readonly string[] {
  try {
    return [canonicalReference(parseReference(image))];
  } catch (error) {
    if (error instanceof TiltbuildError) return [];
    throw error;
  }
}
