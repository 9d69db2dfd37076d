/** Owns the policy on image names: which tags are built, under which canonical name, and which are refused. */
import {TiltbuildError} from '../errors.ts';
import type {ImageReference} from './reference.ts';
import {canonicalReference, familiarReference, parseReference} from './reference.ts';
import {pointAt} from './reference-fault.ts';

export interface QualificationPolicy {
  /** Whether a tag without a registry host is refused, as it is on kind. */
  readonly refuseUnqualified: boolean;
  /** Whether such a tag is qualified instead: `--qualify`. */
  readonly qualify: boolean;
  /** Tilt's `EXPECTED_REF`. Tilt strips `docker.io/` from it, so that it counts as qualified. */
  readonly expectedRef?: string;
}

/** A tag as it was typed, known to be a reference. */
export interface ParsedTag {
  readonly given: string;
  readonly reference: ImageReference;
}

export interface QualifiedTag extends ParsedTag {
  /** What the builder is given. */
  readonly canonical: string;
  /** One line for stderr, where the image is named differently from what was typed. */
  readonly note?: string;
}

/** Parses the tags, or throws `invalid-reference`: all that can be said before the cluster's product is known. */
export function parseTags(tags: readonly string[]): readonly ParsedTag[] {
  return tags.map((given) => {
    const reference = parseReference(given);
    if (reference.digest === undefined) return Object.freeze({given, reference});
    const {digest: _, ...tagged} = reference;
    throw new TiltbuildError(
      'invalid-reference',
      `"${given}" cannot be a tag: a digest is known only after the build.`,
      {
        detail: pointAt(given, given.indexOf('@')),
        remedy: [`Leave the digest out: ${familiarReference(tagged)}`],
      },
    );
  });
}

/** Makes every tag canonical, or throws `refused-unqualified-tag` with all that the policy refuses. */
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
 * a well named tag of the same content ends in CreateContainerError too, even after the bad name is removed.
 */
function refuse(tags: readonly QualifiedTag[]): TiltbuildError {
  const which = tags.map(({given}) => `"${given}"`).join(', ');
  const width = Math.max(...tags.map((tag) => tag.given.length));
  return new TiltbuildError(
    'refused-unqualified-tag',
    `On kind a tag has to name its registry host, and ${which} ${tags.length === 1 ? 'names' : 'name'} none. ` +
      'No pod would find the image, as the kubelet looks for the full name.',
    {
      detail: tags.map(({given, canonical}) => `${given.padEnd(width)}  ->  ${canonical}`),
      remedy: ['Use the full name, on the right of the arrow, or pass --qualify to have it used for you.'],
    },
  );
}

/** Keeps the first of those with the same key. */
function collapse<T>(items: readonly T[], key: (item: T) => string): readonly T[] {
  const first = new Map<string, T>();
  for (const item of items) if (!first.has(key(item))) first.set(key(item), item);
  return [...first.values()];
}
