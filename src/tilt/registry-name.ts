/** Owns the name that Tilt gives an image in a registry of its own choosing (`default_registry`, or a local one). */
import {familiarReference, type ImageReference, parseReference} from '../image/reference.ts';

/** The registry that Tilt pushes to, as seen from this machine; undefined outside Tilt and where it has none. */
export function readExpectedRegistry(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.EXPECTED_REGISTRY || undefined;
}

/**
 * The name under `registry` (`localhost:5000`, `gcr.io/me`), by the rules of Tilt 0.37 (internal/container,
 * replaceRegistry): the familiar name, flattened, behind the registry; one that is there already stays. What a
 * `single_name` would make of it is not told to custom builds. Throws `invalid-reference`.
 */
export function nameInRegistry(name: ImageReference, registry: string): ImageReference {
  const {tag: _tag, digest: _digest, ...bare} = name;
  const familiar = familiarReference(bare);
  if (familiar.startsWith(`${registry}/`)) return bare;
  return parseReference(`${registry}/${familiar.replaceAll(/[/:@]/g, '_')}`);
}
