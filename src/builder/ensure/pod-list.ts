/** Owns the list of a builder's pods during a build: read once for all that ask, until the pods may be others. */
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {type ListedPods, listPods} from './inspect-builder.ts';

/** Every method throws as `listPods`. */
export class PodList {
  readonly #read: () => Promise<ListedPods>;
  #listed: Promise<ListedPods> | undefined;

  constructor(place: ObjectPlace, cluster: Cluster) {
    this.#read = () => listPods(place, cluster);
  }

  get(): Promise<ListedPods> {
    this.#listed ??= this.#read();
    return this.#listed;
  }

  getAgain(): Promise<ListedPods> {
    this.forget();
    return this.get();
  }

  forget(): void {
    this.#listed = undefined;
  }
}
