/** Owns reading the settings that a builder keeps in an annotation, which `builder create --replace` starts from. */
import {asList, asObject, asTextFields} from '../../cluster/api/json-values.ts';
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import {type BuilderSettings, defaultBuilderSettings, type Placement} from './settings.ts';

/** What was set; for all else the defaults of the version that creates the builder hold. */
export type GivenSettings = Partial<Omit<BuilderSettings, keyof ObjectPlace | 'config'>>;

export function completeSettings({name, namespace}: ObjectPlace, given: GivenSettings): BuilderSettings {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return {...defaultBuilderSettings(name, namespace, given.rootless), ...Object.fromEntries(set)};
}

/** An annotation that somebody has changed to something else has no settings. */
export function readKeptSettings(annotation: string | undefined): GivenSettings {
  try {
    return asObject(JSON.parse(annotation ?? '{}'));
  } catch {
    return {};
  }
}

/** The nodes that it was created for. */
export function readPlacement(annotation: string | undefined): Placement {
  const {nodeSelector, tolerations} = asObject(readKeptSettings(annotation));
  return {
    nodeSelector: asTextFields(nodeSelector),
    tolerations: asList(tolerations).map((given) => {
      const {key, operator, value, effect} = asTextFields(given);
      return {key, operator: operator === 'Exists' ? operator : 'Equal', value, effect: effect ?? ''};
    }),
  };
}
