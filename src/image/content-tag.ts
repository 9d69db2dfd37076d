/** Owns the tag that is made from an image's digest, so that the same content has the same name. */
import {TiltbuildError} from '../errors.ts';
import {type ImageReference, parseReference} from './reference.ts';

/** How a tag is made of a digest. */
export interface ContentTagForm {
  readonly prefix: string;
  /** How many hex digits of the digest follow it. */
  readonly length: number;
}

/** Sixteen digits are 64 bits: among a million images two meet with a chance of one in 40 million. */
export const DEFAULT_TAG_FORM: ContentTagForm = {prefix: 'tilt-', length: 16};

/** Fewer digits would meet by chance; more a sha256 digest does not have. */
const SHORTEST = 8;
const LONGEST = 64;

/** The tag for `digest` (`sha256:…`). */
export function contentTag(digest: string, {prefix, length}: ContentTagForm): string {
  return prefix + digest.slice(digest.indexOf(':') + 1).slice(0, length);
}

/** Reads --tag-prefix and --tag-length, or throws `usage` for what no tag could be made of. */
export function readTagForm(prefix: string | undefined, length: string | undefined): ContentTagForm {
  const form = {prefix: prefix ?? DEFAULT_TAG_FORM.prefix, length: readLength(length)};
  try {
    // With a host before it, so that no prefix with a slash makes one of what stands before the slash.
    parseReference(`localhost/a:${contentTag('0'.repeat(LONGEST), form)}`);
  } catch (cause) {
    throw new TiltbuildError('usage', `--tag-prefix "${form.prefix}" cannot begin a tag.`, {
      remedy: [
        'A tag has letters, digits, "_", "." and "-", begins with none of the last two, and has at most 128 characters.',
      ],
      cause,
    });
  }
  return form;
}

/** Reads the name of an image that is to get such a tag. Throws `invalid-reference`. */
export function parseImageName(given: string): ImageReference {
  const reference = parseReference(given);
  const {tag, digest} = reference;
  if (tag === undefined && digest === undefined) return reference;
  throw new TiltbuildError(
    'invalid-reference',
    `"${given}" has a ${tag === undefined ? 'digest' : 'tag'}, and --image takes the name alone: its tag is made from the digest.`,
    {remedy: ['For a tag of your own besides: --tag.']},
  );
}

function readLength(text: string | undefined): number {
  if (text === undefined) return DEFAULT_TAG_FORM.length;
  const length = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (length >= SHORTEST && length <= LONGEST) return length;
  throw new TiltbuildError(
    'usage',
    `--tag-length "${text}" is not a number of hex digits from ${SHORTEST} to ${LONGEST}.`,
  );
}
