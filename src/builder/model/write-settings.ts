/** Owns what a builder keeps of its settings in an annotation, and what is added to them. */
import {isDeepStrictEqual} from 'node:util';
import {asObject} from '../../cluster/api/json-values.ts';
import type {GivenSettings} from './kept-settings.ts';
import {SETTINGS_ANNOTATION} from './marks.ts';
import {type BuilderSettings, defaultBuilderSettings} from './settings.ts';

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

/** Of these, what is given is added to what was kept: variables, labels, the CPU beside the memory. */
const ADDED = ['requests', 'limits', 'env', 'annotations', 'labels', 'podAnnotations', 'containerd'] as const;

/** What is given wins over what was kept. */
export function mergeSettings(kept: GivenSettings, given: GivenSettings): GivenSettings {
  const added = ADDED.map((key) => [key, {...kept[key], ...given[key]}] as const);
  const both = {...kept, ...given, ...Object.fromEntries(added)};
  return Object.fromEntries(Object.entries(both).filter(([, value]) => !isDeepStrictEqual(value, {})));
}
