/** Owns images that a build put into a node, and that pods there cannot use. */
import type {ApiObject} from '../cluster/api/facts.ts';
import {asItems, asList, asObject, asText, asTexts} from '../cluster/api/json-values.ts';
import {TiltbuildError} from '../errors.ts';
import {canonicalReference, parseReference} from '../image/reference.ts';
import {advise, command, flag} from '../text/advice.ts';
import {type Finding, warn} from './report.ts';

export interface StuckImage {
  readonly pod: string;
  readonly node: string;
  readonly image: string;
  readonly policy: string;
  /** Whether the node's kubelet lists it, which it does for the 50 largest. */
  readonly isPresent: boolean;
}

const REASONS: ReadonlySet<string> = new Set(['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull']);

/** Of images in no registry: the host localhost is a machine's own, and `--image` makes tags of this form. */
const BUILT_HERE = /^localhost\/|:tilt-[0-9a-f]{6,}$/;

/** `pods` is a list. */
export function readStuckImages(pods: unknown, nodes: readonly ApiObject[]): readonly StuckImage[] {
  const present = new Map(
    nodes.map((item) => {
      const {metadata, status} = asObject(item);
      const names = asList(asObject(status).images).flatMap((image) => asTexts(asObject(image).names));
      return [asText(asObject(metadata).name), new Set(names)];
    }),
  );
  return asItems(pods).flatMap(({metadata, spec, status}) => {
    const {nodeName, containers, initContainers} = asObject(spec);
    const {containerStatuses, initContainerStatuses} = asObject(status);
    const specs = [...asList(initContainers), ...asList(containers)].map(asObject);
    const waiting = [...asList(initContainerStatuses), ...asList(containerStatuses)]
      .map(asObject)
      .find(({state}) => REASONS.has(asText(asObject(asObject(state).waiting).reason)));
    const container = specs.find(({name}) => name === waiting?.name);
    if (container === undefined) return [];
    const [image, node] = [asText(container.image), asText(nodeName)];
    const isPresent = present.get(node)?.has(canonicalName(image)) === true;
    if (!isPresent && !BUILT_HERE.test(image)) return [];
    const policy = asText(container.imagePullPolicy);
    return [{pod: asText(asObject(metadata).name), node, image, policy, isPresent}];
  });
}

/** Undefined where there is none: most clusters need no line about it. */
export function judgeImages(stuck: readonly StuckImage[]): Finding | undefined {
  const [first, ...others] = stuck;
  if (first === undefined) return undefined;
  const {pod, node, image, policy, isPresent} = first;
  const more = others.length === 0 ? '' : `; ${others.length} more in this namespace`;
  const where = isPresent ? `which node "${node}" has` : `on node "${node}"`;
  const found = (why: string) => `pod "${pod}" cannot use ${image}, ${where}: ${why}${more}`;
  if (policy === 'Always') {
    return warn(
      found('its imagePullPolicy is Always, so it is pulled from a registry'),
      advise`Set imagePullPolicy: IfNotPresent. If the pod has Always even then, the admission plugin AlwaysPullImages sets it; then build with ${flag('push')}.`,
    );
  }
  if (isPresent) {
    return warn(
      found('its kubelet most likely demands credentials for images that it did not pull'),
      advise`Set imagePullCredentialsVerificationPolicy: NeverVerifyPreloadedImages in the configuration of the kubelet, or build with ${flag('push')}.`,
    );
  }
  return warn(
    found('the node most likely does not have it'),
    advise`See which images the nodes have: ${command('kubectl', 'tiltbuild', 'builder', 'images')}`,
  );
}

/** As a node lists it. */
function canonicalName(image: string): string {
  try {
    return canonicalReference(parseReference(image));
  } catch (error) {
    if (error instanceof TiltbuildError) return image;
    throw error;
  }
}
