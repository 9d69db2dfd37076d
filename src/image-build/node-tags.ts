/** Owns giving an image its content tag in the containerd of the builder's node, and removing old ones of them there. */
import type {BuilderRuntime} from '../builder/model/builder.ts';
import {removeOldImages} from '../builder/nodes/old-images.ts';
import {
  type BuilderNode,
  type BuilderOnNodes,
  closeNodes,
  explainNodeFault,
  openNodes,
} from '../builder/nodes/open-nodes.ts';
import {canonicalName} from '../image/reference.ts';
import {hashPlaces, type ImageOrigin, NAME_LABEL, withParents, writeLabels} from '../node/image-labels.ts';
import type {NodeImage} from '../node/node-images.ts';
import type {Ports} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import {GrpcError} from '../wire/grpc/status.ts';
import {type BuiltImage, isTaggedInNode} from './build-passes.ts';
import type {ContentName} from './build-request.ts';
import type {PreparedBuild} from './prepare-build.ts';

export interface NodeTags {
  /** Whether the builder's nodes have the image under this canonical name now; -v shows why not. */
  tag(canonical: string, image: BuiltImage): Promise<boolean>;
  /**
   * Labels the image where a second pass named it, and removes images of the same name and project that are older than
   * this one and that no pod uses. Never rejects; -v shows a failure.
   */
  removeOld(canonical: string): Promise<void>;
  close(): void;
}

/** How long old images may keep a finished build waiting, in milliseconds. */
const PATIENCE = 2_000;

const NOT_CONTAINERD = 'the builder does not keep images in containerd';

const NONE: NodeTags = {tag: async () => false, removeOld: async () => undefined, close: () => undefined};

/** The nodes are connected to while the build runs. */
export function openNodeTags(
  build: PreparedBuild,
  contentName: ContentName,
  {runtime, ...builder}: BuilderOnNodes & {readonly runtime: BuilderRuntime},
  ports: Ports,
): NodeTags {
  const {cluster, request} = build;
  const {notes} = ports;
  if (!isTaggedInNode(request, runtime)) {
    notes.detail(`tag: by a second pass, since ${request.push ? 'the image is pushed' : NOT_CONTAINERD}`);
    return NONE;
  }
  const opened = openNodes(builder, cluster);
  const origin = findOrigin(build, contentName, ports);
  // A build may fail before it asks for them.
  for (const promise of [opened, origin]) promise.catch(() => undefined);
  let finish = async () => {};
  return {
    tag: async (canonical, image) => {
      try {
        const labels = writeLabels(await origin, ports.wallClock());
        const nodes = await opened;
        const find = (name: string) => Promise.all(nodes.map(({images}) => images.find(name)));
        const [there, known] = await Promise.all([find(canonical), find(image.knownAs)]);
        const why = await tagOnNodes(nodes, {there, known}, canonical, image, labels);
        // A name that somebody else gave an image stays theirs.
        const free = nodes.filter((_, index) => there[index] === undefined);
        if (why !== undefined || nodes.length > 1)
          finish = () => finishOnNodes(nodes, free, canonical, image, labels);
        notes.detail(
          why === undefined ? "tag: in the node's containerd" : `tag: by a second pass, since ${why}`,
        );
        return why === undefined;
      } catch (error) {
        const why =
          error instanceof GrpcError ? await explainNodeFault(error, await opened) : reasonOf(error);
        notes.detail(`tag: by a second pass, since the node's containerd cannot be asked: ${why}`);
        return false;
      }
    },
    removeOld: async (canonical) => {
      const removed = Promise.all([opened, origin]).then(async ([nodes, from]) => {
        await finish();
        await removeOldImages(nodes, from, canonical, request.keepImages, cluster);
      });
      const failed = removed.then(
        () => undefined,
        (error) => notes.detail(`old images: not removed: ${reasonOf(error)}`),
      );
      const tooLong = ports.sleep(PATIENCE).then(
        () => notes.detail('old images: not all removed, since that takes too long'),
        () => undefined,
      );
      await Promise.race([failed, tooLong]);
    },
    close: () => void opened.then(closeNodes, () => undefined),
  };
}

/** Why it could not, as a clause. */
async function tagOnNodes(
  nodes: readonly BuilderNode[],
  found: Readonly<Record<'there' | 'known', readonly (NodeImage | undefined)[]>>,
  canonical: string,
  {digest, knownAs, isTemporary}: BuiltImage,
  labels: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const [node, ...others] = nodes;
  if (node === undefined || others.length > 0) {
    // Only a pass copies images between nodes, and a copy may have another digest.
    const isOnAll = found.there.every((image) => image !== undefined);
    const isSame = found.there.some((image) => image?.target.digest === digest);
    return isOnAll && isSame ? undefined : 'the builder has pods on several nodes';
  }
  const {images} = node;
  const [there] = found.there;
  const [image] = found.known;
  const isThere = there?.target.digest === digest;
  if (!isThere && image?.target.digest !== digest) return `the node does not have ${knownAs}`;
  const target = isThere ? there.target : image?.target;
  // An image that somebody else named stays theirs, and is never removed.
  const isTheirs = isThere && !there.labels.has(NAME_LABEL);
  if (target !== undefined && !isTheirs) await images.tag(canonical, target, labels, there !== undefined);
  // The image has its tag, whatever becomes of the other name.
  if (isTemporary) await images.remove(knownAs).catch(() => undefined);
  return undefined;
}

/** Where only passes name the image: they give it no labels, and leave it its temporary name. */
async function finishOnNodes(
  nodes: readonly BuilderNode[],
  free: readonly BuilderNode[],
  canonical: string,
  {knownAs, isTemporary}: BuiltImage,
  labels: ReadonlyMap<string, string>,
): Promise<void> {
  for (const node of nodes) {
    const {images} = node;
    const image = await images.find(canonical);
    if (image === undefined) continue;
    const isOurs = free.includes(node) || image.labels.has(NAME_LABEL);
    if (isOurs) await images.tag(canonical, image.target, labels);
    if (isTemporary) await images.remove(knownAs);
  }
}

async function findOrigin(
  {request: {context}, inputs: {local}}: PreparedBuild,
  {reference}: ContentName,
  {builtin, files}: Ports,
): Promise<ImageOrigin> {
  const places = local === undefined ? [context] : withParents(local.root, files.dirname);
  return {name: canonicalName(reference), project: hashPlaces(places, await builtin.machine())};
}
