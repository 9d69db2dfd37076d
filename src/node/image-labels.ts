/** Owns the labels on images that this program named in a node, and which of those images are old. */
import type {NodeImage} from './node-images.ts';

/** The canonical name, without a tag. */
export const NAME_LABEL = 'kubectl-tiltbuild.io/name';
/** A hash of where the build context is. */
const PROJECT_LABEL = 'kubectl-tiltbuild.io/project';
/** When the image was last built, in ISO 8601 by the user's clock. */
const BUILT_LABEL = 'kubectl-tiltbuild.io/built';

export interface ImageOrigin {
  readonly name: string;
  readonly project: string;
}

export function writeLabels({name, project}: ImageOrigin, built: number): ReadonlyMap<string, string> {
  return new Map([
    [NAME_LABEL, name],
    [PROJECT_LABEL, project],
    [BUILT_LABEL, new Date(built).toISOString()],
  ]);
}

export function isOurs({labels}: NodeImage): boolean {
  return labels.has(NAME_LABEL);
}

export function isOf({labels}: NodeImage, {name, project}: ImageOrigin): boolean {
  return labels.get(NAME_LABEL) === name && labels.get(PROJECT_LABEL) === project;
}

/** When it was last built, in epoch milliseconds. */
export function builtAt({labels, createdAt}: NodeImage): number {
  const built = Date.parse(labels.get(BUILT_LABEL) ?? '');
  return Number.isNaN(built) ? createdAt : built;
}

/** All but the newest `keep` of the images; all of them are of one origin. */
export function findOld(images: readonly NodeImage[], keep: number): readonly NodeImage[] {
  return images.toSorted((one, other) => builtAt(other) - builtAt(one)).slice(keep);
}
