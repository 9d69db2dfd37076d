/** Owns which objects a label selector and a field selector choose. */
import type {ApiObject} from './api-samples.ts';

export interface Selectors {
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export function matches(object: ApiObject, {fieldSelector = '', labelSelector = ''}: Selectors): boolean {
  const labels = object.metadata.labels ?? {};
  return (
    requirements(fieldSelector).every((requirement) => {
      const {key, negated, values} = parseRequirement(requirement);
      return (values ?? []).includes(String(fieldOf(object, key) ?? '')) !== negated;
    }) &&
    requirements(labelSelector).every((requirement) => {
      const {key, negated, values} = parseRequirement(requirement);
      const value = labels[key];
      const chosen = value !== undefined && (values === undefined || values.includes(value));
      return chosen !== negated;
    })
  );
}

/** Fields by their path alone; older names of an event's object are the same field. */
function fieldOf(object: ApiObject, path: string): unknown {
  const steps = path.replace(/^regarding\./, 'involvedObject.').split('.');
  return steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    object,
  );
}

/** At the commas outside parentheses. */
function requirements(selector: string): string[] {
  return selector.split(/,(?![^(]*\))/).filter((requirement) => requirement.trim() !== '');
}

/** No values: the key alone counts. */
function parseRequirement(text: string): {key: string; negated: boolean; values: string[] | undefined} {
  const set = /^\s*(\S+)\s+(in|notin)\s+\(([^)]*)\)\s*$/.exec(text);
  if (set) {
    const values = (set[3] as string).split(',').map((value) => value.trim());
    return {key: set[1] as string, negated: set[2] === 'notin', values};
  }
  const equality = /^\s*([^!=\s]+)\s*(!=|==?)\s*(.*?)\s*$/.exec(text);
  if (equality) {
    return {key: equality[1] as string, negated: equality[2] === '!=', values: [equality[3] as string]};
  }
  const key = text.trim();
  return key.startsWith('!')
    ? {key: key.slice(1).trim(), negated: true, values: undefined}
    : {key, negated: false, values: undefined};
}
