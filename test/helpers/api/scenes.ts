/** Owns the scenes of a builder that comes up, or does not: the recordings, with the names at hand. */
import {type Json, readApiRecording, readBuilderRecording} from '../api-samples.ts';
import type {ApiEvent} from './pods.ts';
import {type BuilderOutcome, now} from './state.ts';

export interface Scene {
  readonly deployment: {readonly status: object};
  /** None where not even a pod comes to be: a quota or a policy is in the way. */
  readonly pods: readonly {readonly status: Json}[];
  readonly events: readonly (ApiEvent & {
    readonly involvedObject: Readonly<Record<'kind' | 'name', string>>;
  })[];
  /** The last words of a container that ends at once. */
  readonly logs?: string;
}

/** What the recordings call `own` or `buildkit`, its ReplicaSet and pod, their namespace and image. */
export type SceneNames = Readonly<Record<'name' | 'namespace' | 'set' | 'pod' | 'image', string>>;

export function readScene(outcome: BuilderOutcome, {name, namespace, set, pod, image}: SceneNames): Scene {
  const text = JSON.stringify(readRecorded(outcome))
    .replaceAll(/\b(?:own|buildkit)-[0-9a-f]{8,10}(-[a-z0-9]{5})?/g, (_, isPod) => (isPod ? pod : set))
    .replaceAll(/(?<="name":)"(own|buildkit)"/g, JSON.stringify(name))
    .replaceAll(/registry\.example\/nope:1|docker\.io\/moby\/buildkit:buildx-stable-1/g, image)
    .replaceAll(/(?<=assigned )\w+(?=\/)|(?<=_)(stuck|default)(?=\()/g, namespace)
    .replaceAll(/(?<="\w+Time":")[^"]+/g, now());
  return JSON.parse(text);
}

export function readRecorded(outcome: BuilderOutcome): Scene {
  const read = (name: string) => readBuilderRecording(name) as Scene;
  switch (outcome) {
    case 'ready': {
      const {items} = readBuilderRecording('builder-by-plugin-pods').body;
      return {deployment: readApiRecording('builder-by-plugin').body, pods: items, events: []};
    }
    case 'never':
      return {...read('stuck-hostpath'), events: []};
    case 'stuck-lock':
      // The events that were recorded of it are of other pods.
      return {...read(outcome), events: read('stuck-crash').events};
    case 'stuck-crash':
      // From the source of the library that reads BuildKit's flags: its words were not recorded.
      return {...read(outcome), logs: 'buildkitd: flag provided but not defined: -no-such-flag\n'};
    default:
      return read(outcome);
  }
}
