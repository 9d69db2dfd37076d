/** Owns what Tilt's `custom_build` expects of the command that it runs: the image's reference and registry. */
import {familiarReference, type ImageReference, parseReference} from '../image/reference.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Undefined outside Tilt, and where Tilt reads the reference from a file instead (`outputs_image_ref_to`). */
export function readExpectedRef(env: Env): string | undefined {
  return env.EXPECTED_REF || undefined;
}

/**
 * The registry that Tilt pushes to (`default_registry`, or a local one), as seen from this machine; undefined outside
 * Tilt and where it has none.
 */
export function readExpectedRegistry(env: Env): string | undefined {
  return env.EXPECTED_REGISTRY || undefined;
}

/**
 * The name of the image in `registry` (`localhost:5000`, `gcr.io/me`), by the rules of Tilt 0.37 (internal/container,
 * replaceRegistry): the familiar name, flattened, below the registry; a name in that registry stays as it is. Tilt does
 * not pass on the `single_name` of a registry. Throws `invalid-reference`.
 */
export function nameInRegistry(name: ImageReference, registry: string): ImageReference {
  const {tag: _tag, digest: _digest, ...bare} = name;
  const familiar = familiarReference(bare);
  if (familiar.startsWith(`${registry}/`)) return bare;
  return parseReference(`${registry}/${familiar.replaceAll(/[/:@]/g, '_')}`);
}
