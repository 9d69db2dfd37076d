/** Owns the settings that a builder keeps in an annotation, which `builder create --replace` starts from. */
import {isDeepStrictEqual} from 'node:util';
import {asObject} from '../../cluster/api/json-values.ts';
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import {SETTINGS_ANNOTATION} from './marks.ts';
import {type BuilderSettings, defaultBuilderSettings} from './settings.ts';

/** What was set; for all else the defaults of the version that creates the builder hold. */
export type GivenSettings = Partial<Omit<BuilderSettings, keyof ObjectPlace | 'config'>>;

export function completeSettings({name, namespace}: ObjectPlace, given: GivenSettings): BuilderSettings {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  return {...defaultBuilderSettings(name, namespace, given.rootless), ...Object.fromEntries(set)};
}

/** For the Deployment: what differs from the defaults. Its registries and configuration have annotations of their own. */
export function writeKeptSettings({config, ...settings}: BuilderSettings): Readonly<Record<string, string>> {
  const {name, namespace, rootless} = settings;
  const defaults = asObject(defaultBuilderSettings(name, namespace));
  const usual = asObject(defaultBuilderSettings(name, namespace, rootless));
  const changed = Object.entries(settings).filter(
    ([key, value]) => !isDeepStrictEqual(value, (key === 'rootless' ? defaults : usual)[key]),
  );
  return changed.length === 0
    ? {}
    : {[SETTINGS_ANNOTATION]: JSON.stringify(Object.fromEntries(changed), sortKeys)};
}

/** A replacer: variables and labels may be given in any order. */
function sortKeys(_key: string, value: unknown): unknown {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}

/** An annotation that somebody has changed to something else has no settings. */
export function readKeptSettings(annotation: string | undefined): GivenSettings {
  try {
    return asObject(JSON.parse(annotation ?? '{}'));
  } catch {
    return {};
  }
}

/** Of these, what is given is added to what was kept: variables, labels, the CPU beside the memory. */
const ADDED = ['requests', 'limits', 'env', 'annotations', 'labels', 'podAnnotations', 'containerd'] as const;

/** What is given wins over what was kept. */
export function mergeSettings(kept: GivenSettings, given: GivenSettings): GivenSettings {
  const added = ADDED.map((key) => [key, {...kept[key], ...given[key]}] as const);
  const both = {...kept, ...given, ...Object.fromEntries(added)};
  return Object.fromEntries(Object.entries(both).filter(([, value]) => !isDeepStrictEqual(value, {})));
}
