/** Owns that an image that was built on one of a builder's nodes gets to the others. */
import {type BuilderNode, explainNodeFault, type NodeLink} from '../builder/nodes/open-nodes.ts';
import type {Descriptor} from '../node/containerd.ts';
import {
  type CopiedImage,
  CopyError,
  type CopyFault,
  type CopyNode,
  type ImageCopy,
} from '../node/copy-outcome.ts';
import {GrpcCode, hasCode} from '../wire/grpc/status.ts';
import {builtOn, type NodeResult} from './node-results.ts';

/** An image, and the canonical names that it has on the node where it was built. */
export interface SpreadImage {
  readonly digest: string;
  readonly names: readonly SpreadName[];
}

interface SpreadName {
  readonly canonical: string;
  readonly labels: ReadonlyMap<string, string>;
}

export interface SpreadTools {
  readonly copy: (from: CopyNode, image: CopiedImage, patience: number) => ImageCopy;
  /** New connections to all nodes. */
  readonly reopen: () => Promise<readonly NodeLink[]>;
  /** Has the builder put the image into its node once more. */
  readonly restore: () => Promise<void>;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** How long a node may take to be connected to, and to say which images it has, in milliseconds. */
const ANSWER = 5_000;
/** How long it may take without any progress. */
const PROGRESS = 10_000;
/** How long a containerd or a pod takes to start again, in milliseconds. */
const RESTART = 4_000;

type Delivery = NodeResult & {
  readonly fault?: Fault | undefined;
  /** Whether it failed after the copy had begun. */
  readonly isCut?: boolean;
};
type Fault = CopyFault | 'silent';

/**
 * A connection may have ended, or been cut somewhere in between, because nothing was sent on it for as long as the build
 * took. A pod that was not running when the build began may be running now.
 */
const MAY_PASS: readonly (Fault | undefined)[] = ['lost', 'missing'];

/** Never rejects. `source` is the node where it was built, which comes first. */
export async function spreadImage(
  image: SpreadImage,
  source: string,
  links: readonly NodeLink[],
  tools: SpreadTools,
): Promise<readonly NodeResult[]> {
  const first = await deliver(image, source, links, tools);
  const failed = first.filter(({fault}) => MAY_PASS.includes(fault));
  const second = await deliverAgain(failed, image, source, links, tools);
  const wasCut = (name: string) => first.some((one) => one.name === name && one.isCut);
  const restarting = second.filter(({name, fault}) => fault === 'lost' && wasCut(name));
  if (restarting.length > 0) await tools.sleep(RESTART);
  const third = await deliverAgain(restarting, image, source, links, tools);
  const results = first.map((one) => [...third, ...second].find(({name}) => name === one.name) ?? one);
  return [builtOn(source), ...results.map(({fault: _, isCut: __, ...result}) => result)];
}

async function deliverAgain(
  failed: readonly Delivery[],
  image: SpreadImage,
  source: string,
  links: readonly NodeLink[],
  tools: SpreadTools,
): Promise<readonly Delivery[]> {
  if (failed.length === 0) return [];
  const names = [source, ...failed.map(({name}) => name)];
  try {
    if (failed.some(({fault}) => fault === 'missing')) await tools.restore();
    const isLost = failed.some(({fault}) => fault === 'lost');
    const open = isLost ? await within(ANSWER, tools.reopen(), tools) : links;
    return await deliver(
      image,
      source,
      open.filter(({name}) => names.includes(name)),
      tools,
    );
  } catch {
    // What was wrong at first says more.
    return [];
  }
}

/** To every node but the source. */
async function deliver(
  image: SpreadImage,
  source: string,
  links: readonly NodeLink[],
  tools: SpreadTools,
): Promise<readonly Delivery[]> {
  let found: Promise<Source> | undefined;
  const find = () => (found ??= findSource(image, source, links, tools));
  const others = links.filter(({name}) => name !== source);
  const results = await Promise.all(others.map((link) => deliverTo(link, image, find, tools)));
  await found?.then(
    ({copy}) => copy.close(),
    () => undefined,
  );
  return results;
}

async function deliverTo(
  {name, isReady, node: opened}: NodeLink,
  image: SpreadImage,
  findSource: () => Promise<Source>,
  tools: SpreadTools,
): Promise<Delivery> {
  const {digest, names} = image;
  let node: BuilderNode | undefined;
  try {
    node = await within(ANSWER, opened, tools);
    const {images} = node;
    const finding = Promise.all(names.map(({canonical}) => images.find(canonical)));
    const found = await within(ANSWER, finding, tools);
    if (found.every((one) => one?.target.digest === digest))
      return {name, state: 'present', bytes: 0, blobs: 0};
    const {copy, target} = await findSource();
    const outcome = await copy.to(node);
    if (outcome.kind === 'failed') throw outcome.error;
    if (outcome.kind === 'foreign')
      return {name, state: 'foreign', ...NOTHING, failure: `it is for ${outcome.platforms.join(', ')}`};
    // The copy gives it the first one.
    const [, ...others] = names.map((one, index) => ({...one, exists: found[index] !== undefined}));
    const naming = others.map(({canonical, labels, exists}) => images.tag(canonical, target, labels, exists));
    await within(ANSWER, Promise.all(naming), tools);
    if (outcome.kind === 'had') return {name, state: 'copied', ...NOTHING};
    const {kind: state, ...sent} = outcome;
    return {name, state, ...sent};
  } catch (error) {
    const {failure, fault} = await describe(error, node);
    const isCut = error instanceof CopyError;
    return {name, state: 'failed', ...NOTHING, failure, fault: isReady ? fault : undefined, isCut};
  }
}

const NOTHING = {bytes: 0, blobs: 0};

interface Source {
  readonly copy: ImageCopy;
  readonly target: Descriptor;
}

/** Throws `Failure`. */
async function findSource(
  {digest, names: [first]}: SpreadImage,
  source: string,
  links: readonly NodeLink[],
  tools: SpreadTools,
): Promise<Source> {
  const fail = (why: string, fault?: Fault) =>
    new Failure(`node "${source}", where it was built, ${why}`, fault);
  const link = links.find((one) => one.name === source);
  if (link === undefined) throw fail('has no running pod of the builder', 'lost');
  if (first === undefined) throw new Failure('it has no name', undefined);
  const {canonical: name, labels} = first;
  let node: BuilderNode | undefined;
  try {
    node = await within(ANSWER, link.node, tools);
    const {target} = (await within(ANSWER, node.images.find(name), tools)) ?? {};
    if (target?.digest === digest)
      return {target, copy: tools.copy(node, {names: [name], target, labels}, PROGRESS)};
  } catch (error) {
    const {failure, fault} = await describe(error, node);
    throw fail(`cannot be asked: ${failure}`, fault);
  }
  throw fail(`does not have it under ${name}`, 'missing');
}

class Failure extends Error {
  readonly fault: Fault | undefined;

  constructor(message: string, fault: Fault | undefined) {
    super(message);
    this.fault = fault;
  }
}

async function describe(
  error: unknown,
  node: BuilderNode | undefined,
): Promise<{readonly failure: string; readonly fault?: Fault | undefined}> {
  const isConnected = node !== undefined;
  if (error instanceof Failure || error instanceof CopyError) {
    const {message: failure, fault} = error;
    return {failure, fault: fault === 'silent' && isConnected ? 'lost' : fault};
  }
  const fault = !isConnected || hasCode(error, GrpcCode.UNAVAILABLE) ? 'lost' : undefined;
  return {failure: await explainNodeFault(error, node && [node]), fault};
}

async function within<T>(limit: number, work: Promise<T>, {sleep}: Pick<SpreadTools, 'sleep'>): Promise<T> {
  const tooLong = sleep(limit).then(() => {
    throw new Failure(`no answer within ${limit / 1000} s`, 'silent');
  });
  return await Promise.race([work, tooLong]);
}
