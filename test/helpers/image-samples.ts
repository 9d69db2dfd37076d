/** Owns images for a stand-in of containerd, as builders leave them there. */
import type {ContainerdStandIn} from './containerd-stand-in.ts';
import {digestOf} from './containerd-stand-in-store.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Gives the digest of its manifest. */
export function storeImage(
  {store}: ContainerdStandIn,
  layers: readonly string[],
  [os, architecture]: readonly string[] = ['linux', 'amd64'],
): string {
  const describe = (data: string) => ({digest: digestOf(data), size: data.length});
  const config = JSON.stringify({os, architecture, rootfs: {type: 'layers', diff_ids: layers.map(digestOf)}});
  const manifest = {config: describe(config), layers: layers.map(describe)};
  const digests = [config, ...layers].map((data) => store.add(data));
  return store.add(JSON.stringify(manifest), label(digests));
}

/** Gives the digest of an index of these manifests, whether the node has them or not. */
export function storeIndex({store}: ContainerdStandIn, manifests: readonly string[]): string {
  const described = manifests.map((digest) => ({mediaType: MANIFEST, digest, size: 1}));
  return store.add(JSON.stringify({manifests: described}), label(manifests));
}

function label(digests: readonly string[]): Record<string, string> {
  return Object.fromEntries(digests.map((digest, at) => [`containerd.io/gc.ref.content.${at}`, digest]));
}
