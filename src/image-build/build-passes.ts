/** Owns the passes of a build: one, or a second one that gives the image the tag made from its digest. */
import {TiltbuildError} from '../errors.ts';
import {contentTag} from '../image/content-tag.ts';
import {canonicalReference} from '../image/reference.ts';
import {advise, flag} from '../text/advice.ts';
import type {BuildRequest, ContentName} from './build-request.ts';

/** One run of an engine: what it builds, and the canonical names that it gives the image. */
export interface BuildPass {
  /** Counts from 1. */
  readonly number: number;
  readonly request: BuildRequest;
  readonly tags: readonly CanonicalName[];
}

/** Runs one pass and gives the digest; undefined where the build makes no image. */
export type PassRunner = (pass: BuildPass) => Promise<string | undefined>;

export interface PassPorts {
  readonly run: PassRunner;
  /** Whether the node is known to have an image under a canonical name already. */
  readonly isThere: (canonical: string) => Promise<boolean>;
}

interface CanonicalName {
  readonly canonical: string;
}

export interface NamedBuild {
  readonly digest: string | undefined;
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
 * Builds under `tags`. Where the request has a content name, builds again to give the image its tag, which is fully
 * cached and takes 0.13 s, unless the tag is there already. Throws what a pass throws, and `reference-unstable`.
 */
export async function buildInPasses(
  request: BuildRequest,
  tags: readonly CanonicalName[],
  {run, isThere}: PassPorts,
): Promise<NamedBuild> {
  const {contentName} = request;
  let digest = await run(firstPass(request, tags));
  if (contentName === undefined) return {digest};

  for (let attempt = 1; digest !== undefined; attempt += 1) {
    const named = nameWithTag(contentName, contentTag(digest, contentName.tagForm));
    if (!request.push && (await isThere(named.canonical))) return {digest, named};
    const tagged = await run(taggingPass(attempt + 1, request, named));
    if (tagged === digest) return {digest, named};
    // A step that is not cached changed the image, and the tag has to match its content.
    if (attempt === ATTEMPTS) break;
    digest = tagged;
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

/** The pass that makes the image; the tag for its content is not known yet. */
export function firstPass(request: BuildRequest, tags: readonly CanonicalName[]): BuildPass {
  // kubectl build refuses to push an image without a tag.
  const push = request.push && (request.contentName === undefined || tags.length > 0);
  return {number: 1, request: {...request, push}, tags};
}

/** A pass that gives the image the tag made from its digest. All of it has to come from the cache. */
export function taggingPass(number: number, request: BuildRequest, named: CanonicalName): BuildPass {
  // The first pass has exported the cache.
  const passedFlags = request.passedFlags.filter(([flag]) => flag !== '--no-cache' && flag !== '--cache-to');
  // A second progress in which every step is CACHED helps nobody. A push takes its time, and is shown.
  return {number, request: {...request, passedFlags, quiet: request.quiet || !request.push}, tags: [named]};
}

export function nameWithTag({name, reference}: ContentName, tag: string): NamedTag {
  return {reference: `${name}:${tag}`, canonical: canonicalReference({...reference, tag})};
}
