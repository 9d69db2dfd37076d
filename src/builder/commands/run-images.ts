/** Owns the `builder images` commands: they list the images that builds named on the nodes, and remove them. */
import type {Cluster} from '../../cluster/ports.ts';
import type {OpenedCluster} from '../../cluster/with-cluster.ts';
import {TiltbuildError} from '../../errors.ts';
import {builtAt, findOld, hashPlaces, readOrigin} from '../../node/image-labels.ts';
import type {Ports} from '../../ports.ts';
import {reasonOf} from '../../system-error.ts';
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import {formatAge, formatBytes} from '../../text/amounts.ts';
import {formatJson} from '../../text/show-text.ts';
import {formatTable} from '../../text/table.ts';
import {GrpcError} from '../../wire/grpc/status.ts';
import {keepsImages} from '../model/builder.ts';
import {observeBuilder} from '../model/observed-builder.ts';
import {type ImageRow, listImageRows} from '../nodes/image-rows.ts';
import {type BuilderNode, closeLinks, explainNodeFault, linkNodes, openNodes} from '../nodes/open-nodes.ts';
import type {BuilderActionOf} from './command-request.ts';
import {demandBuilder, type FoundBuilder} from './demand-builder.ts';

export async function runImagesCommand(
  action: BuilderActionOf<'images' | 'images rm' | 'images prune'>,
  opened: OpenedCluster,
  ports: Ports,
): Promise<string> {
  switch (action.kind) {
    case 'images':
      return await listImages(action, opened, ports);
    case 'images rm':
      return await removeImages(action, opened, ports);
    case 'images prune':
      return await pruneImages(action, opened, ports);
    default:
      return action satisfies never;
  }
}

async function listImages(
  {name, form}: BuilderActionOf<'images'>,
  opened: OpenedCluster,
  {notes, wallClock}: Ports,
): Promise<string> {
  return await withNodes(await demandBuilder(name, opened), opened.cluster, notes, async (nodes) => {
    const rows = await listImageRows(nodes, opened.cluster);
    if (rows.length === 0)
      notes.note(advise`no image on the nodes of builder "${name}" was built with ${flag('image')}.`);
    return form === 'json' ? formatJson(rows.map(describe)) : formatRows(rows, wallClock());
  });
}

/** Prints the names that it removed. */
async function removeImages(
  {name, images, force}: BuilderActionOf<'images rm'>,
  opened: OpenedCluster,
  {notes}: Ports,
): Promise<string> {
  return await withNodes(await demandBuilder(name, opened), opened.cluster, notes, async (nodes) => {
    const rows = await listImageRows(nodes, opened.cluster);
    const chosen = images.flatMap((asked) => {
      const found = findMeant(asked, rows);
      if (found.length === 0) throw noSuchImage(asked, name, rows);
      return found;
    });
    const used = chosen.find(({users}) => users === undefined || users.length > 0);
    if (used !== undefined && !force) throw inUse(used);
    return await remove([...new Set(chosen)], notes);
  });
}

/** Prints the names that it removed, or with `dryRun` a table of what it would remove. */
async function pruneImages(
  {name, keep, olderThan = 0, allProjects, dryRun}: BuilderActionOf<'images prune'>,
  opened: OpenedCluster,
  {files, builtin, notes, wallClock}: Ports,
): Promise<string> {
  return await withNodes(await demandBuilder(name, opened), opened.cluster, notes, async (nodes) => {
    const [here] = hashPlaces([files.realPath('.')], await builtin.machine());
    const rows = await listImageRows(nodes, opened.cluster);
    const unknown = rows.find(({users}) => users === undefined);
    if (unknown !== undefined) throw inUse(unknown);
    const old = new Set(
      nodes.flatMap((node) =>
        findOld(
          rows.filter((row) => row.node === node).map(({image}) => image),
          keep,
        ),
      ),
    );
    const chosen = rows.filter(
      ({image, users}) =>
        old.has(image) &&
        users?.length === 0 &&
        builtAt(image) <= wallClock() - olderThan &&
        (allProjects || readOrigin(image).project.includes(here ?? '')),
    );
    if (chosen.length === 0) {
      notes.note(
        allProjects
          ? 'there is nothing to remove.'
          : advise`there is nothing to remove for build contexts in this directory. To cover all of them: ${flag('all-projects')}`,
      );
      return '';
    }
    return dryRun ? formatRows(chosen, wallClock()) : await remove(chosen, notes);
  });
}

/** A line for each node; nothing where the builder keeps no images there. */
export async function summarizeImages(
  found: FoundBuilder,
  {cluster}: OpenedCluster,
  {notes}: Ports,
): Promise<string> {
  if (!keepsImages(found.deployment)) return '';
  return await withNodes(found, cluster, notes, async (nodes) => {
    const rows = await listImageRows(nodes, cluster);
    return nodes
      .map((node) => {
        const sizes = rows.filter((row) => row.node === node).map(({size}) => size);
        const own = formatBytes(sizes.reduce((sum, size) => sum + size.own, 0));
        return `Images built with --image on node ${node.name}: ${sizes.length}, ${own} that no other image has\n`;
      })
      .join('');
  });
}

async function withNodes<T>(
  {deployment, facts}: FoundBuilder,
  cluster: Cluster,
  notes: Ports['notes'],
  use: (nodes: readonly BuilderNode[]) => Promise<T>,
): Promise<T> {
  const {name} = deployment;
  if (!keepsImages(deployment))
    throw new TiltbuildError('builder-failed', `The builder "${name}" keeps no images in containerd.`);
  const links = await linkNodes({...deployment, toml: observeBuilder(facts, name).toml}, cluster);
  const answering = links.map((link) => ({...link, node: link.node.then(demandAnswer)}));
  let nodes: readonly BuilderNode[] = [];
  try {
    nodes = await openNodes(answering, (node, error) =>
      notes.note(`node "${node}" is left out: ${reasonOf(error).replace(/\.$/, '')}.`),
    );
    return await use(nodes);
  } catch (error) {
    throw error instanceof GrpcError ? await notAsked(error, nodes) : error;
  } finally {
    closeLinks(links);
  }
}

/** A connection may be there without containerd behind it. */
async function demandAnswer(node: BuilderNode): Promise<BuilderNode> {
  try {
    await node.images.find(node.name);
    return node;
  } catch (error) {
    throw error instanceof GrpcError ? await notAsked(error, [node]) : error;
  }
}

async function notAsked(cause: GrpcError, nodes: readonly BuilderNode[]): Promise<TiltbuildError> {
  const where = nodes.map(({name}) => name).join(', ');
  const why = await explainNodeFault(cause, nodes);
  return new TiltbuildError('builder-failed', `containerd on ${where} could not be asked: ${why}.`, {cause});
}

async function remove(rows: readonly ImageRow[], notes: Ports['notes']): Promise<string> {
  for (const [node, ofNode] of Map.groupBy(rows, (row) => row.node)) {
    const before = await node.images.measure();
    for (const [index, {image}] of ofNode.entries())
      await node.images.removeImage(image, index === ofNode.length - 1);
    const freed = formatBytes(Math.max(0, before - (await node.images.measure())));
    notes.note(`freed ${freed} of image content on node ${node.name}.`);
  }
  return [...new Set(rows.map(({image}) => `${image.name}\n`))].join('');
}

/** By its name, at least the first 12 digits of its digest, or the end of its name if no other image has the same. */
function findMeant(asked: string, rows: readonly ImageRow[]): readonly ImageRow[] {
  const named = rows.filter(({image}) => image.name === asked);
  if (named.length > 0) return named;
  const hex = asked.replace(/^sha256:/, '');
  const byDigest = rows.filter(({image}) => image.target.digest.startsWith(`sha256:${hex}`));
  if (hex.length >= 12 && byDigest.length > 0) return byDigest;
  const ending = rows.filter(({image}) => image.name.endsWith(`/${asked}`));
  const names = [...new Set(ending.map(({image}) => image.name))];
  if (names.length <= 1) return ending;
  throw new TiltbuildError('usage', `"${asked}" may be any of several images: ${names.join(', ')}.`, {
    remedy: ['Use the whole name.'],
  });
}

function noSuchImage(asked: string, builder: string, rows: readonly ImageRow[]): TiltbuildError {
  const tagged = rows.find(({image}) => readOrigin(image).name === asked);
  return new TiltbuildError('usage', `No image of kubectl tiltbuild is called "${asked}".`, {
    remedy: [
      ...(tagged === undefined ? [] : [`A name needs its tag, for example ${tagged.image.name}.`]),
      advise`List the images: ${command('kubectl', 'tiltbuild', 'builder', 'images', builder)}`,
    ],
  });
}

function inUse({image, node, users}: ImageRow): TiltbuildError {
  if (users === undefined) {
    return new TiltbuildError(
      'cluster-denied',
      `You do not have permission to list the pods of all namespaces, so it is unknown which images on node ${node.name} are in use.`,
      {remedy: ['Ask for permission to list pods in all namespaces.', FORCE]},
    );
  }
  return new TiltbuildError('usage', `${image.name} is used on node ${node.name} by ${users.join(', ')}.`, {
    remedy: [FORCE],
  });
}

const FORCE: Advice = advise`To remove images that may be in use: ${command('kubectl', 'tiltbuild', 'builder', 'images', 'rm', '--force', 'IMAGE')}`;

function describe({image, node, size, users}: ImageRow) {
  return {
    name: image.name,
    digest: image.target.digest,
    built: new Date(builtAt(image)).toISOString(),
    size: size.own + size.shared,
    ownSize: size.own,
    node: node.name,
    usedBy: users ?? null,
  };
}

const HEADINGS = ['NAME', 'TAG', 'DIGEST', 'BUILT', 'SIZE', 'OWN', 'NODE', 'IN USE BY'];

/** The newest first. */
function formatRows(rows: readonly ImageRow[], now: number): string {
  if (rows.length === 0) return '';
  const sorted = rows.toSorted((one, other) => builtAt(other.image) - builtAt(one.image));
  return formatTable([HEADINGS, ...sorted.map((row) => cells(row, now))]);
}

function cells({image, node, size, users}: ImageRow, now: number): readonly string[] {
  const at = image.name.lastIndexOf(':');
  return [
    image.name.slice(0, at),
    image.name.slice(at + 1),
    image.target.digest.slice('sha256:'.length).slice(0, 12),
    `${formatAge(now - builtAt(image))} ago`,
    formatBytes(size.own + size.shared),
    formatBytes(size.own),
    node.name,
    users === undefined ? '?' : users.join(','),
  ];
}
