/** Owns the passes of a build: one, or a second one that gives the image the tag made from its digest. */
import type {BuilderRuntime} from '../builder/model/builder.ts';
import {TiltbuildError} from '../errors.ts';
import {contentTag} from '../image/content-tag.ts';
import {canonicalName, canonicalReference} from '../image/reference.ts';
import {advise, flag} from '../text/advice.ts';
import type {BuildRequest, ContentName} from './build-request.ts';

/** One run of an engine: what it builds, and the canonical names that it gives the image. */
export interface BuildPass {
  /** Counts from 1. */
  readonly number: number;
  readonly request: BuildRequest;
  readonly tags: readonly CanonicalName[];
  /**
   * In a node an image without a name is collected at once, so that it gets this one with `@DIGEST` behind it until its
   * tag is known.
   */
  readonly temporaryName?: string;
}

/** An image in a node. */
export interface BuiltImage {
  readonly digest: string;
  /** A name that it has there. */
  readonly knownAs: string;
  /** Whether it has that name only until it gets its tag. */
  readonly isTemporary: boolean;
  /** The node on which it was built, as far as that is known. */
  readonly node: string | undefined;
}

export interface PassResult {
  /** Undefined where the build makes no image. */
  readonly digest: string | undefined;
  /** The node on which it was built; undefined where that is not known: the plugin does not say it. */
  readonly node: string | undefined;
}

/** Runs one pass. */
export type PassRunner = (pass: BuildPass) => Promise<PassResult>;

export interface PassPorts {
  readonly run: PassRunner;
  /** Gives the image this canonical name where it is; false where only another pass can do that. */
  readonly tag: (canonical: string, image: BuiltImage) => Promise<boolean>;
}

interface CanonicalName {
  readonly canonical: string;
}

export interface NamedBuild extends PassResult {
  /** Undefined where no tag is made from the digest. */
  readonly named?: NamedTag;
}

export interface NamedTag extends CanonicalName {
  /** `NAME:TAG` as the user wrote the name. */
  readonly reference: string;
}

/** How many times the image may change before the build gives up. */
const ATTEMPTS = 3;

/**
 * Builds under `tags`. Where the request has a content name, the image gets its tag in the node, which takes 0.01 s, or
 * by a second pass, which is fully cached and takes 0.13 s. Throws what a pass throws, and `reference-unstable`.
 */
export async function buildInPasses(
  request: BuildRequest,
  tags: readonly CanonicalName[],
  {run, tag}: PassPorts,
): Promise<NamedBuild> {
  const {contentName} = request;
  const first = firstPass(request, tags);
  let built = await run(first);
  if (contentName === undefined) return built;

  for (let attempt = 1; built.digest !== undefined; attempt += 1) {
    const {digest, node} = built;
    const named = nameWithTag(contentName, contentTag(digest, contentName.tagForm));
    if (attempt === 1 && !request.push && (await tag(named.canonical, imageOf(first, digest, node))))
      return {digest, node, named};
    const tagged = await run(taggingPass(attempt + 1, request, [named]));
    if (tagged.digest === digest) return {...tagged, named};
    // A step that is not cached changed the image, and the tag has to match its content.
    if (attempt === ATTEMPTS) break;
    built = tagged;
  }
  throw new TiltbuildError(
    'reference-unstable',
    'The image is different every time it is built, so no tag can be made from its digest.',
    {
      remedy: [
        'Look for a step that changes from build to build and is not cached: an ADD of a URL or Git repository, or a cache that is too small.',
        advise`Or use a tag that does not depend on the content: ${flag('tag', 'NAME:TAG')} instead of ${flag('image')}.`,
      ],
    },
  );
}

/** Whether an image gets its content tag in the node, and another pass is needed only if that fails. */
export function isTaggedInNode({contentName, push}: BuildRequest, runtime: BuilderRuntime): boolean {
  return contentName !== undefined && !push && runtime === 'containerd';
}

/** The pass that makes the image; the tag for its content is not known yet. */
export function firstPass(request: BuildRequest, tags: readonly CanonicalName[]): BuildPass {
  // kubectl build refuses to push an image without a tag.
  const push = request.push && (request.contentName === undefined || tags.length > 0);
  const isNameless = request.contentName !== undefined && tags.length === 0 && !push;
  const temporaryName = isNameless ? canonicalName(request.contentName.reference) : undefined;
  return {number: 1, request: {...request, push}, tags, ...(temporaryName && {temporaryName})};
}

function imageOf(
  {tags: [tag], temporaryName}: BuildPass,
  digest: string,
  node: string | undefined,
): BuiltImage {
  return tag === undefined
    ? {digest, knownAs: `${temporaryName}@${digest}`, isTemporary: true, node}
    : {digest, knownAs: tag.canonical, isTemporary: false, node};
}

/** A pass that gives the image the tag made from its digest. All of it has to come from the cache. */
export function taggingPass(
  number: number,
  request: BuildRequest,
  tags: readonly CanonicalName[],
): BuildPass {
  const passedFlags = request.passedFlags.filter(isForEveryPass);
  const passthrough = request.passthrough.filter(isForEveryPass);
  // A second progress in which every step is CACHED helps nobody. A push takes its time, and is shown.
  const quiet = request.quiet || !request.push;
  return {number, request: {...request, passedFlags, passthrough, quiet}, tags};
}

/** The first pass alone leaves the cache unused, and exports it. */
function isForEveryPass([flag = '']: readonly string[]): boolean {
  return !/^--(?:no-cache|cache-to)(?:=|$)/.test(flag);
}

export function nameWithTag({name, reference}: ContentName, tag: string): NamedTag {
  return {reference: `${name}:${tag}`, canonical: canonicalReference({...reference, tag})};
}
