/** Owns which images the pods of a node use, by what the API server says of the pods. */
import {asItems, asList, asObject, asText} from '../cluster/api/json-values.ts';
import {TiltbuildError} from '../errors.ts';
import {canonicalReference, parseReference} from '../image/reference.ts';

export interface ImagesInUse {
  /** As canonical references. */
  readonly names: ReadonlySet<string>;
  /** `sha256:…`, of manifests and of configurations. */
  readonly digests: ReadonlySet<string>;
}

/** Those of every pod in the list that has not ended, whether its containers run or are yet to start. */
export function readImagesInUse(podLists: readonly unknown[]): ImagesInUse {
  const pods = podLists.flatMap(asItems).filter(({status}) => {
    const phase = asText(asObject(status).phase);
    return phase !== 'Succeeded' && phase !== 'Failed';
  });
  const specs = pods.flatMap(({spec}) => {
    const {containers, initContainers, ephemeralContainers} = asObject(spec);
    return [containers, initContainers, ephemeralContainers].flatMap(asList);
  });
  const statuses = pods.flatMap(({status}) => {
    const all = asObject(status);
    return [all.containerStatuses, all.initContainerStatuses, all.ephemeralContainerStatuses].flatMap(asList);
  });
  return {
    names: new Set(
      [...specs, ...statuses].flatMap((container) => canonical(asText(asObject(container).image))),
    ),
    digests: new Set(
      statuses.flatMap((status) => /sha256:[0-9a-f]{64}/.exec(asText(asObject(status).imageID)) ?? []),
    ),
  };
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
