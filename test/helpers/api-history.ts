/** Owns the stand-in cluster's versions: what changed in which order, whoever changed it, for the watches. */
import {isHeld, objectsOf, putObject, withMetadata} from './api-objects.ts';
import {type ResourceName, resourceNames} from './api-resources.ts';
import type {ApiObject} from './api-samples.ts';
import type {ApiState} from './api-state.ts';

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: ResourceName;
  readonly object: ApiObject;
  readonly version: number;
}

/** How soon a watch tells of what a test changed behind the server's back. */
const POLL_MS = 10;

export class ApiHistory {
  readonly #state: ApiState;
  readonly #known = new Map<string, {json: string; object: ApiObject; plural: ResourceName}>();
  readonly #changes: Change[] = [];
  readonly #listeners = new Set<(change: Change) => void>();
  #version = 5000;
  #timer: NodeJS.Timeout | undefined;

  constructor(state: ApiState) {
    this.#state = state;
  }

  get version(): string {
    return String(this.#version);
  }

  since(version: number): readonly Change[] {
    return this.#changes.filter((change) => change.version > version);
  }

  /** Gives what changed a version, and tells the watches. */
  observe(): void {
    const present = new Set<string>();
    for (const plural of resourceNames) {
      for (const object of objectsOf(plural, this.#state)) {
        const key = `${plural}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
        present.add(key);
        this.#observeOne(key, plural, object);
      }
    }
    for (const [key, {plural, object}] of this.#known) {
      if (present.has(key)) continue;
      this.#known.delete(key);
      this.#version += 1;
      this.#tell('DELETED', plural, withMetadata(object, {resourceVersion: this.version}));
    }
  }

  #observeOne(key: string, plural: ResourceName, object: ApiObject): void {
    const known = this.#known.get(key);
    // The very same object may have been changed in place.
    const json = JSON.stringify(object);
    if (known?.json === json) return;
    this.#version += 1;
    const {resourceVersion} = object.metadata;
    const stale = resourceVersion === undefined || resourceVersion === known?.object.metadata.resourceVersion;
    const current = stale && isHeld(plural) ? withMetadata(object, {resourceVersion: this.version}) : object;
    if (current !== object && isHeld(plural)) putObject(plural, this.#state, current);
    this.#known.set(key, {
      plural,
      object: current,
      json: current === object ? json : JSON.stringify(current),
    });
    this.#tell(known ? 'MODIFIED' : 'ADDED', plural, current);
  }

  #tell(type: Change['type'], plural: ResourceName, object: ApiObject): void {
    const change = {type, plural, object, version: this.#version};
    this.#changes.push(change);
    for (const listener of this.#listeners) listener(change);
  }

  /** Returns how to stop. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.observe(), POLL_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }
}
