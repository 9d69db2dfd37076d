/** Owns image references: parsing them as distribution/reference does, and their canonical and familiar forms. */
import {explain} from './reference-fault.ts';
import {attempt, DEFAULT_DOMAIN, type ImageReference, OFFICIAL} from './reference-grammar.ts';

export type {ImageReference} from './reference-grammar.ts';

/**
 * Parses a reference as ParseNormalizedNamed does. Throws `invalid-reference` with a caret below the fault.
 *
 * A first component that looks like a host but has a `_` (`my_host.lan/app`) is no host in the grammar. The package
 * takes it for a path without a domain, and the name is canonical as it is.
 */
export function parseReference(text: string): ImageReference {
  const result = attempt(text);
  if ('at' in result) throw explain(text, result);
  return Object.freeze(result);
}

/** The full name without tag and digest. */
export function canonicalName({domain, path}: ImageReference): string {
  return domain === '' ? path : `${domain}/${path}`;
}

/** The name that the kubelet asks for: host, path and tag, `latest` where there is neither tag nor digest. */
export function canonicalReference(reference: ImageReference): string {
  const {tag, digest} = reference;
  return (
    canonicalName(reference) + suffix(tag === undefined && digest === undefined ? 'latest' : tag, digest)
  );
}

/**
 * The short form, as FamiliarString gives it. As there, it means another image where the path itself looks like a host
 * (`docker.io/localhost/app`) or like an image ID.
 */
export function familiarReference(reference: ImageReference): string {
  const {domain, path, tag, digest} = reference;
  if (domain !== DEFAULT_DOMAIN) return canonicalName(reference) + suffix(tag, digest);
  const official = path.startsWith(OFFICIAL) && !path.includes('/', OFFICIAL.length);
  return (official ? path.slice(OFFICIAL.length) : path) + suffix(tag, digest);
}

function suffix(tag: string | undefined, digest: string | undefined): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}
