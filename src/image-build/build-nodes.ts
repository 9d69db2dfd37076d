/** Owns what a build does in the containerd of the builder's nodes: tag the image, copy it to all, remove old ones. */
import type {BuilderRuntime} from '../builder/model/builder.ts';
import {readSnapshotter} from '../builder/model/buildkitd-settings.ts';
import {readNodesOf} from '../builder/model/observed-builder.ts';
import {removeOldImages} from '../builder/nodes/old-images.ts';
import {
  type BuilderNode,
  type BuilderOnNodes,
  closeLinks,
  explainNodeFault,
  linkNodes,
  type NodeLink,
  openNodes,
} from '../builder/nodes/open-nodes.ts';
import {canonicalName} from '../image/reference.ts';
import {hashPlaces, type ImageOrigin, withParents, writeLabels} from '../node/image-labels.ts';
import type {Ports} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import {type BuiltImage, isTaggedInNode} from './build-passes.ts';
import type {ContentName} from './build-request.ts';
import {
  builtOn,
  describeResult,
  failDelivery,
  isSpread,
  type NodeResult,
  notCopied,
  noteFailures,
} from './node-results.ts';
import {finishTag, type NodeTag, tagOnNode} from './node-tags.ts';
import type {PreparedBuild} from './prepare-build.ts';
import {spreadImage} from './spread-image.ts';
import {showSpread} from './spread-progress.ts';

/** An image that is complete on the node where it was built. */
export interface FinishedImage {
  readonly digest: string;
  readonly node: string;
  /** Canonical, that of its content first if it has one. */
  readonly names: readonly string[];
}

export interface BuildNodes {
  /** Whether the image has this canonical name where it was built; -v shows why not. */
  tag(canonical: string, image: BuiltImage): Promise<boolean>;
  /**
   * What became of the image on each node. `restore` has the builder put it into its node once more. Throws
   * `image-not-copied` if a node does not have it, and the request makes that an error.
   */
  spread(image: FinishedImage, restore: () => Promise<void>): Promise<readonly NodeResult[]>;
  /**
   * Labels the image where something else named it, and removes images of the same name and project that are older
   * than this one and that no pod uses. Never rejects; -v shows a failure.
   */
  removeOld(canonical: string): Promise<void>;
  close(): void;
}

/** How long old images may keep a finished build waiting, in milliseconds. */
const PATIENCE = 2_000;

const NOT_CONTAINERD = 'the builder does not keep images in containerd';

/** The nodes are connected to while the build runs. Undefined if it does nothing there. */
export function openBuildNodes(
  build: PreparedBuild,
  builder: BuilderOnNodes & {readonly runtime: BuilderRuntime; readonly pods: number},
  ports: Ports,
): BuildNodes | undefined {
  const {
    cluster,
    request,
    builder: {pods},
  } = build;
  const {notes, sleep, wallClock} = ports;
  const {contentName} = request;
  const isTagged = isTaggedInNode(request, builder.runtime);
  if (contentName !== undefined && !isTagged)
    notes.detail(`tag: by a second pass, since ${request.push ? 'the image is pushed' : NOT_CONTAINERD}`);
  const spreads = isSpread(build, builder.runtime, builder.pods);
  if (!isTagged && !spreads) return undefined;

  let links = linkNodes(builder, cluster, pods.get());
  const origin = contentName === undefined ? undefined : findOrigin(build, contentName, ports);
  // A build may fail before it asks for them.
  for (const promise of [links, origin]) promise?.catch(() => undefined);
  const makeLabels = async () => writeLabels(await (origin as Promise<ImageOrigin>), wallClock());
  let tagged: NodeTag | undefined;
  /** Names of nodes where nobody had given an image the tag, and of those where it is finished. */
  const free = new Set<string>();
  const finished = new Set<string>();
  const unreachable = new Set<string>();

  const reopen = async (): Promise<readonly NodeLink[]> => {
    closeLinks(await links.catch(() => []));
    links = linkNodes(builder, cluster, pods.getAgain());
    return await links;
  };

  const cleanUp = async (canonical: string) => {
    const known = (await links).filter(({name}) => !unreachable.has(name));
    const complain = (name: string, error: unknown) =>
      notes.detail(`old images: not removed${where(known, name)}: ${reasonOf(error)}`);
    const nodes = await openNodes(known, complain);
    await Promise.all(
      nodes.map(async (node) => {
        try {
          if (tagged !== undefined && !finished.has(node.name))
            await finishTag(node, tagged, free.has(node.name));
          await removeOldImages(
            node,
            await (origin as Promise<ImageOrigin>),
            canonical,
            request.keepImages,
            cluster,
          );
        } catch (error) {
          complain(node.name, error);
        }
      }),
    );
  };

  return {
    tag: async (canonical, image) => {
      if (!isTagged) return false;
      let node: BuilderNode | undefined;
      try {
        tagged = {canonical, image, labels: await makeLabels()};
        node = await findBuilt(await links, image.node);
        const {why, wasTaken} = await tagOnNode(node, tagged);
        // A name that somebody else gave an image stays theirs.
        if (!wasTaken) free.add(node.name);
        if (why === undefined) finished.add(node.name);
        notes.detail(
          why === undefined ? "tag: in the node's containerd" : `tag: by a second pass, since ${why}`,
        );
        return why === undefined;
      } catch (error) {
        const why = await explainNodeFault(error, node && [node]);
        notes.detail(`tag: by a second pass, since the node's containerd cannot be asked: ${why}`);
        return false;
      }
    },
    spread: async ({digest, node, names}, restore) => {
      if (!spreads) return [builtOn(node)];
      const labelsOf = (name: string) => (name === tagged?.canonical ? tagged.labels : NO_LABELS);
      const image = {digest, names: names.map((canonical) => ({canonical, labels: labelsOf(canonical)}))};
      const {openProgress} = await import('./engines/progress.ts');
      const progress = showSpread(() => openProgress(build, ports.builtin, 'Copying'), ports);
      const watch = {wallClock, onPlanned: progress.plan, onSent: progress.sent};
      const snapshotter = readSnapshotter(builder.args, builder.toml ?? '');
      const {openCopy} = await import('../node/copy-image.ts');
      let open: readonly NodeLink[];
      try {
        // The cluster may have been out of reach for a moment.
        open = await links.catch(reopen);
      } catch (error) {
        const why = `the builder's other nodes could not be reached: ${reasonOf(error)}`;
        if (request.spread === 'strict') throw notCopied(why);
        notes.note(`the image is only on node "${node}": ${why}`);
        return [builtOn(node)];
      }
      const platforms = new Map(
        readNodesOf(build.builder.facts)?.map(({name, architecture}) => [
          name,
          architecture && `linux/${architecture}`,
        ]),
      );
      const results = await spreadImage(image, node, open, {
        copy: (from, copied, patience) => {
          const {to, close} = openCopy(from, copied, {patience, snapshotter, ...watch});
          return {close, to: (one) => to({...one, platform: platforms.get(one.name) || undefined})};
        },
        reopen,
        restore: async () => {
          await restore();
          // BuildKit replaces the labels of the names that it gives.
          finished.delete(node);
        },
        sleep,
      });
      await progress.end(results);
      for (const result of results) {
        if (result.state === 'copied') finished.add(result.name);
        if (result.state === 'failed') unreachable.add(result.name);
        notes.detail(describeResult(result));
      }
      const failure = request.spread === 'strict' ? failDelivery(results) : undefined;
      if (failure !== undefined) throw failure;
      const note = noteFailures(results);
      if (note !== undefined) notes.note(note);
      return results.filter(({state}) => state !== 'foreign');
    },
    removeOld: async (canonical) => {
      const failed = cleanUp(canonical).catch((error) =>
        notes.detail(`old images: not removed: ${reasonOf(error)}`),
      );
      const tooLong = sleep(PATIENCE).then(
        () => notes.detail('old images: not all removed, since that takes too long'),
        () => undefined,
      );
      await Promise.race([failed, tooLong]);
    },
    close: () => void links.then(closeLinks, () => undefined),
  };
}

const NO_LABELS: ReadonlyMap<string, string> = new Map();

/** kubectl build does not say on which node it built an image, and is not used with several. */
async function findBuilt(links: readonly NodeLink[], name: string | undefined): Promise<BuilderNode> {
  const [link, ...others] = name === undefined ? links : links.filter((one) => one.name === name);
  if (link !== undefined && others.length === 0) return await link.node;
  throw new Error(
    link === undefined ? `node ${name} has no running pod of the builder` : 'the builder has several nodes',
  );
}

function where(links: readonly NodeLink[], name: string): string {
  return links.length > 1 ? ` from node ${name}` : '';
}

async function findOrigin(
  {request: {context}, inputs: {local}}: PreparedBuild,
  {reference}: ContentName,
  {builtin, files}: Ports,
): Promise<ImageOrigin> {
  const places = local === undefined ? [context] : withParents(local.root, files.dirname);
  return {name: canonicalName(reference), project: hashPlaces(places, await builtin.machine())};
}
