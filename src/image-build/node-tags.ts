/** Owns giving an image its content tag in the containerd of a node. */
import type {BuilderNode} from '../builder/nodes/open-nodes.ts';
import {NAME_LABEL} from '../node/image-labels.ts';
import type {BuiltImage} from './build-passes.ts';

/** A content tag that an image is to have. */
export interface NodeTag {
  readonly canonical: string;
  readonly image: BuiltImage;
  readonly labels: ReadonlyMap<string, string>;
}

export interface Tagging {
  /** Why the node could not do it, as a clause. */
  readonly why?: string;
  /** Whether another image had the tag, or this one already. */
  readonly wasTaken: boolean;
}

/** On the node where the image was built. */
export async function tagOnNode(
  {images}: BuilderNode,
  {canonical, image: {digest, knownAs, isTemporary}, labels}: NodeTag,
): Promise<Tagging> {
  const [there, known] = await Promise.all([images.find(canonical), images.find(knownAs)]);
  const wasTaken = there !== undefined;
  const isThere = there?.target.digest === digest;
  if (!isThere && known?.target.digest !== digest)
    return {why: `the node does not have ${knownAs}`, wasTaken};
  const target = isThere ? there.target : known?.target;
  // An image that somebody else named stays theirs, and is never removed.
  const isTheirs = isThere && !there.labels.has(NAME_LABEL);
  if (target !== undefined && !isTheirs) await images.tag(canonical, target, labels, wasTaken);
  // The image has its tag, whatever becomes of the other name.
  if (isTemporary) await images.remove(knownAs).catch(() => undefined);
  return {wasTaken};
}

/** Where the image got its tag in another way: without the labels, and beside the temporary name. */
export async function finishTag(
  {name, images}: BuilderNode,
  {canonical, image: {node, knownAs, isTemporary}, labels}: NodeTag,
  isOurs: boolean,
): Promise<void> {
  const image = await images.find(canonical);
  if (image === undefined) return;
  if (isOurs || image.labels.has(NAME_LABEL)) await images.tag(canonical, image.target, labels, true);
  if (isTemporary && (node ?? name) === name) await images.remove(knownAs);
}
