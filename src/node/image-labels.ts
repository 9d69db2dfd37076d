/** Owns the labels on images that this program named in a node: of which project they are, and how old. */
import {createHash} from 'node:crypto';
import type {NodeImage} from './node-images.ts';

/** The canonical name, without a tag. */
export const NAME_LABEL = 'kubectl-tiltbuild.io/name';
/** Hashes of the build context's place and of every directory above it, the place last. */
const PROJECT_LABEL = 'kubectl-tiltbuild.io/project';
/** When the image was last built, in ISO 8601 by the user's clock. */
const BUILT_LABEL = 'kubectl-tiltbuild.io/built';

export interface ImageOrigin {
  readonly name: string;
  /** As `hashPlaces` gives it. */
  readonly project: readonly string[];
}

/**
 * Hashes of a place and of all that it is in, the place last. `machine` tells users and machines apart that have the
 * same paths, and nobody can guess a path from its hash without it.
 */
export function hashPlaces(places: readonly string[], machine: string): readonly string[] {
  return places.map((place) =>
    createHash('sha256').update(`${machine}\0${place}`).digest('hex').slice(0, HASH_LENGTH),
  );
}

/** The path and every directory above it, the path last; `dirname` is the platform's. */
export function withParents(path: string, dirname: (path: string) => string): readonly string[] {
  const parent = dirname(path);
  return parent === path ? [path] : [...withParents(parent, dirname), path];
}

const HASH_LENGTH = 16;
/** containerd takes 4096 bytes of a label's key and value together, and there is a dot between two hashes. */
const MOST_PLACES = Math.floor((4096 - PROJECT_LABEL.length + 1) / (HASH_LENGTH + 1));

export function writeLabels({name, project}: ImageOrigin, built: number): ReadonlyMap<string, string> {
  return new Map([
    [NAME_LABEL, name],
    [PROJECT_LABEL, project.slice(-MOST_PLACES).join('.')],
    [BUILT_LABEL, new Date(built).toISOString()],
  ]);
}

export function readOrigin({labels}: NodeImage): ImageOrigin {
  return {name: labels.get(NAME_LABEL) ?? '', project: (labels.get(PROJECT_LABEL) ?? '').split('.')};
}

/** Whether both are builds of one image in one place. */
export function isSameOrigin(one: ImageOrigin, other: ImageOrigin): boolean {
  return one.name === other.name && one.project.at(-1) === other.project.at(-1);
}

/** When it was last built, in epoch milliseconds. */
export function builtAt({labels, createdAt}: NodeImage): number {
  const built = Date.parse(labels.get(BUILT_LABEL) ?? '');
  return Number.isNaN(built) ? createdAt : built;
}

/** All but the newest `keep` images of each origin. */
export function findOld(images: readonly NodeImage[], keep: number): readonly NodeImage[] {
  const byOrigin = Map.groupBy(images, (image) => {
    const {name, project} = readOrigin(image);
    return `${name} ${project.at(-1)}`;
  });
  return [...byOrigin.values()].flatMap((ofOne) =>
    ofOne.toSorted((one, other) => builtAt(other) - builtAt(one)).slice(keep),
  );
}
