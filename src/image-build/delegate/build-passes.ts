/** Owns giving an image the tag that its digest makes, which is known only once it is built. */
import {TiltbuildError} from '../../errors.ts';
import {contentTag} from '../../image/content-tag.ts';
import type {QualifiedTag} from '../../image/qualification.ts';
import {canonicalReference} from '../../image/reference.ts';
import type {BuildRequest, ContentName} from '../build-request.ts';

/** One run of the delegate: what it builds, and the canonical names that it gives it. */
export interface BuildPass {
  readonly request: BuildRequest;
  readonly tags: readonly {readonly canonical: string}[];
}

/** Runs one pass; gives the digest, undefined where the build makes no image. */
export type PassRunner = (pass: BuildPass) => Promise<string | undefined>;

export interface PassPorts {
  readonly build: PassRunner;
  /** Whether the node is known to have an image under a canonical name already. */
  readonly isThere: (canonical: string) => Promise<boolean>;
}

export interface NamedBuild {
  readonly digest: string | undefined;
  /** `NAME:TAG` as it was asked for, and its canonical form; undefined where no such tag was asked for. */
  readonly named?: {readonly reference: string; readonly canonical: string};
}

/** How often the image may come out different before it is given up. */
const ATTEMPTS = 3;

/**
 * Builds, under `tags`; where the request has a content name, builds once more to give the image its tag, which is
 * fully cached (0.13 s: design, section 1), unless the tag is there already. Throws what a pass throws, and
 * `reference-unstable`.
 */
export async function buildInPasses(
  request: BuildRequest,
  tags: readonly QualifiedTag[],
  {build, isThere}: PassPorts,
): Promise<NamedBuild> {
  const {contentName} = request;
  if (contentName === undefined) return {digest: await build(firstPass(request, tags))};

  let digest = await build(firstPass(request, tags));
  for (let attempt = 1; digest !== undefined; attempt += 1) {
    const named = nameWithTag(contentName, contentTag(digest, contentName.tagForm));
    if (!request.push && (await isThere(named.canonical))) return {digest, named};
    const tagged = await build(taggingPass(request, named));
    if (tagged === digest) return {digest, named};
    // A step that is not cached gave something else. The tag has to name what it is on.
    if (attempt === ATTEMPTS) break;
    digest = tagged;
  }
  throw new TiltbuildError(
    'reference-unstable',
    'The image comes out different each time that it is built, so that no tag can be made from its digest.',
    {
      remedy: [
        'Look for what changes from build to build and is not cached: an ADD of a URL or a Git repository, or a cache that is too small.',
        'A tag that does not depend on the content always works: --tag NAME:TAG instead of --image.',
      ],
    },
  );
}

/** The pass that makes the image; its content name is not known yet. */
export function firstPass(request: BuildRequest, tags: readonly QualifiedTag[]): BuildPass {
  // kubectl build refuses to push what has no tag.
  const push = request.push && (request.contentName === undefined || tags.length > 0);
  return {request: {...request, push}, tags};
}

/** The pass that gives it the tag that its digest makes. */
export function taggingPass(request: BuildRequest, named: {readonly canonical: string}): BuildPass {
  return {request: taggingRequest(request), tags: [named]};
}

/** `NAME:TAG` as it was asked for, and its canonical form. */
export function nameWithTag(
  {name, reference}: ContentName,
  tag: string,
): {readonly reference: string; readonly canonical: string} {
  return {reference: `${name}:${tag}`, canonical: canonicalReference({...reference, tag})};
}

/** Everything is cached, and has to be taken from the cache; the cache was exported by the first pass. */
function taggingRequest(request: BuildRequest): BuildRequest {
  return {
    ...request,
    passedFlags: request.passedFlags.filter(([flag]) => flag !== '--no-cache' && flag !== '--cache-to'),
    // A second progress of nothing but CACHED helps nobody; a push takes its time, and is shown.
    quiet: request.quiet || !request.push,
  };
}
