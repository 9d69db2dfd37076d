/** Owns what the product means for a build: how it is found out, and what is refused on it. */

import type {ClusterFacts} from '../cluster/api/facts.ts';
import {readNodes} from '../cluster/api/objects.ts';
import {type Identified, identifyProductByNames, identifyProductByNodes} from '../cluster/product.ts';
import type {Target} from '../cluster/target/target.ts';
import {TiltbuildError} from '../errors.ts';
import {type QualifiedTag, qualifyTags} from '../image/qualification.ts';
import type {BuildRequest} from './build-request.ts';

/** By the names in the kubeconfig, which cost nothing. */
export function identifyByNames(target: Target): Identified {
  const providers = (target.cluster.extensions ?? []).flatMap(({extension}) =>
    typeof extension === 'object' && extension !== null && 'provider' in extension
      ? [String(extension.provider)]
      : [],
  );
  return identifyProductByNames({
    cluster: target.cluster.name,
    context: target.context,
    user: target.user.name,
    server: target.cluster.server,
    extensionProviders: providers,
  });
}

/** By the nodes where the names did not tell. A 403 on the nodes is no error: the product then stays unknown. */
export function identify({nodes}: ClusterFacts, byNames: Identified): Identified {
  if (byNames.product !== 'unknown') return byNames;
  return nodes?.kind === 'found' ? identifyProductByNodes(readNodes(nodes.value)) : byNames;
}

/** The tags as they are built, or the refusal of what cannot work on this product. */
export function checkProduct(request: BuildRequest, identified: Identified): readonly QualifiedTag[] {
  refuseK3d(identified);
  const {tags, qualify, expectedRef} = request;
  return qualifyTags(tags, {refuseUnqualified: identified.product === 'kind', qualify, expectedRef});
}

/** Throws `refused-k3d`. */
export function refuseK3d({product, reason}: Identified): void {
  if (product !== 'k3d') return;
  throw new TiltbuildError(
    'refused-k3d',
    `Images cannot be built inside a k3d cluster, which this is: ${reason}. ` +
      'k3d does not mount the containerd directories of its nodes with bidirectional propagation, so BuildKit cannot put an image into the runtime there.',
    {
      remedy: [
        'Use a kind cluster (`kind create cluster`), or choose another one with --context.',
        'To stay on k3d, build with docker and load the image with `k3d image import`.',
      ],
    },
  );
}
