/** Owns the proof that an image is on a node under its name: a container that runs from it. */
import {asItems, asList, asObject, asText} from '../../cluster/api/json-values.ts';

export interface InUseQuestion {
  /** A list of pods, as the API server gives it: the builder's among them. */
  readonly pods: unknown;
  /** The builder's name and namespace. */
  readonly builder: {readonly name: string; readonly namespace: string};
  /** Whether an image in a pod's spec is the one. */
  readonly isImage: (image: string) => boolean;
}

/**
 * Whether on every node that the builder has a pod on, a container runs that was made from the image. The kubelet
 * collects no image that a container uses, so it is still there under this name; only who removes it from the node
 * by hand can make this wrong. No builder's pod, or none that runs: false.
 */
export function isImageInUse({pods, builder, isImage}: InUseQuestion): boolean {
  const read = asItems(pods).map(readPod);
  const builderNodes = read
    .filter(({namespace, app}) => namespace === builder.namespace && app === builder.name)
    .map(({node}) => node);
  return (
    builderNodes.length > 0 &&
    builderNodes.every(
      (node) => node !== '' && read.some((pod) => pod.node === node && pod.running.some(isImage)),
    )
  );
}

function readPod({metadata, spec, status}: Readonly<Record<string, unknown>>) {
  const {namespace, labels} = asObject(metadata);
  const {nodeName, containers} = asObject(spec);
  const running = asList(asObject(status).containerStatuses)
    .map(asObject)
    .filter(({state}) => asObject(state).running !== undefined)
    .map(({name}) => asText(name));
  return {
    namespace: asText(namespace),
    app: asText(asObject(labels).app),
    node: asText(nodeName),
    /** The images of its running containers, as they were asked for. */
    running: asList(containers)
      .map(asObject)
      .filter(({name}) => running.includes(asText(name)))
      .map(({image}) => asText(image)),
  };
}
