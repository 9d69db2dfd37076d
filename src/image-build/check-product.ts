/** Owns what the product means for a build: how it is found out, and what is refused on it. */
import {type Identified, refuseK3d} from '../cluster/product.ts';
import {type QualifiedTag, qualifyTags} from '../image/qualification.ts';
import type {BuildRequest} from './build-request.ts';

/** The tags as they are built, or the refusal of what cannot work on this product. */
export function checkProduct(request: BuildRequest, identified: Identified): readonly QualifiedTag[] {
  refuseK3d(identified);
  const {tags, qualify, expectedRef} = request;
  return qualifyTags(tags, {refuseUnqualified: identified.product === 'kind', qualify, expectedRef});
}
