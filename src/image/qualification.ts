/** Owns the policy on image names: which tags are built under which canonical name, and which are refused. */
import {TiltbuildError} from '../errors.ts';
import {advise, flag} from '../text/advice.ts';
import {canonicalReference, familiarReference, type ImageReference, parseReference} from './reference.ts';
import {pointAt} from './reference-fault.ts';

export interface QualificationPolicy {
  /** Whether a tag without a registry host is refused, as it is on kind. */
  readonly refuseUnqualified: boolean;
  /** `--qualify`: whether such a tag is completed instead. */
  readonly qualify: boolean;
  /** Tilt's `EXPECTED_REF`. It counts as qualified, because Tilt strips `docker.io/` from it. */
  readonly expectedRef?: string;
}

/** A tag as it was typed, and its reference. */
export interface ParsedTag {
  readonly given: string;
  readonly reference: ImageReference;
}

export interface QualifiedTag extends ParsedTag {
  /** The name that the builder gets. */
  readonly canonical: string;
  /** One line for stderr, where the image gets another name than was typed. */
  readonly note?: string;
}

/** Parses the tags, without knowing the cluster's product yet. Throws `invalid-reference`. */
export function parseTags(tags: readonly string[]): readonly ParsedTag[] {
  return tags.map((given) => {
    const reference = parseReference(given);
    if (reference.digest === undefined) return Object.freeze({given, reference});
    const {digest: _, ...tagged} = reference;
    throw new TiltbuildError(
      'invalid-reference',
      `The tag "${given}" must not have a digest, which is known only after the build.`,
      {
        detail: pointAt(given, given.indexOf('@')),
        remedy: [`Leave the digest out: ${familiarReference(tagged)}`],
      },
    );
  });
}

/** Makes every tag canonical. Throws `refused-unqualified-tag` for all tags that the policy refuses. */
export function qualifyTags(
  tags: readonly ParsedTag[],
  policy: QualificationPolicy,
): readonly QualifiedTag[] {
  const qualified = tags.map((tag) => qualifyTag(tag, policy.expectedRef));
  const refused = qualified.filter((tag) => isRefused(tag, policy));
  if (refused.length > 0) throw refuse(collapse(refused, (tag) => tag.given));
  return collapse(qualified, (tag) => tag.canonical);
}

function qualifyTag({given, reference}: ParsedTag, expectedRef: string | undefined): QualifiedTag {
  const canonical = canonicalReference(reference);
  const sameName = canonical === given || canonical === `${given}:latest`;
  const silent = sameName || given === expectedRef;
  const note = `tag "${given}" is built as ${canonical}, the name that the kubelet looks for`;
  return Object.freeze({given, canonical, reference, ...(!silent && {note})});
}

function isRefused({given, reference}: QualifiedTag, policy: QualificationPolicy): boolean {
  return (
    policy.refuseUnqualified && !policy.qualify && !reference.explicitDomain && given !== policy.expectedRef
  );
}

/**
 * Seen on kind with containerd 2.1: an image stored under a familiar name is not found by any pod, and from then on
 * a well named tag of the same content fails with CreateContainerError too, even after the bad name is removed.
 */
function refuse(tags: readonly QualifiedTag[]): TiltbuildError {
  const which = tags.map(({given}) => `"${given}"`).join(', ');
  const width = Math.max(...tags.map((tag) => tag.given.length));
  return new TiltbuildError(
    'refused-unqualified-tag',
    `On kind a tag needs a registry host, and ${which} ${tags.length === 1 ? 'has' : 'have'} none. ` +
      'No pod would find the image, because the kubelet looks for its full name.',
    {
      detail: tags.map(({given, canonical}) => `${given.padEnd(width)}  ->  ${canonical}`),
      remedy: [advise`Use the full name, right of the arrow, or complete names with ${flag('qualify')}.`],
    },
  );
}

/** Keeps the first of the items with the same key. */
function collapse<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  const first = new Map<string, T>();
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item);
  return [...first.values()];
}
