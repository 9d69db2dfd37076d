/** Owns the tag that is made from an image's digest: the same content always has the same name. */
import {TiltbuildError} from '../errors.ts';
import {advise, flag} from '../text/advice.ts';
import {type ImageReference, parseReference} from './reference.ts';
import {RULES} from './reference-fault.ts';

/** How a tag is made from a digest. */
export interface ContentTagForm {
  readonly prefix: string;
  /** How many hex digits of the digest follow the prefix. */
  readonly length: number;
}

/** Sixteen digits are 64 bits: a million images have two with the same tag with a chance of one in 40 million. */
export const DEFAULT_TAG_FORM: ContentTagForm = {prefix: 'tilt-', length: 16};

/** Fewer digits would collide by chance; a sha256 digest has no more than 64. */
const SHORTEST = 8;
const LONGEST = 64;

/** The tag for `digest` (`sha256:…`). */
export function contentTag(digest: string, {prefix, length}: ContentTagForm): string {
  return prefix + digest.slice(digest.indexOf(':') + 1).slice(0, length);
}

/** Reads --tag-prefix and --tag-length. Throws `usage` for values that make no valid tag. */
export function readTagForm(prefix: string | undefined, length: string | undefined): ContentTagForm {
  const form = {prefix: prefix ?? DEFAULT_TAG_FORM.prefix, length: readLength(length)};
  try {
    // The host keeps a prefix with a slash from making a host of the text before the slash.
    parseReference(`localhost/a:${contentTag('0'.repeat(LONGEST), form)}`);
  } catch (cause) {
    throw new TiltbuildError('usage', `A tag cannot start with --tag-prefix "${form.prefix}".`, {
      remedy: [RULES.tag],
      cause,
    });
  }
  return form;
}

/** Reads the name of an image that gets such a tag. Throws `invalid-reference`. */
export function parseImageName(given: string): ImageReference {
  const reference = parseReference(given);
  const {tag, digest} = reference;
  if (tag === undefined && digest === undefined) return reference;
  throw new TiltbuildError(
    'invalid-reference',
    `--image "${given}" has a ${tag === undefined ? 'digest' : 'tag'}, but must be a name alone: the tag is made from the image's digest.`,
    {remedy: [advise`For a tag of your own as well, use ${flag('tag', 'NAME:TAG')}.`]},
  );
}

function readLength(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TAG_FORM.length;
  const length = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (length >= SHORTEST && length <= LONGEST) return length;
  throw new TiltbuildError('usage', `--tag-length "${text}" is not a number from ${SHORTEST} to ${LONGEST}.`);
}
