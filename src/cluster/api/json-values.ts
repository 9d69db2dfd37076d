/** Owns reading values out of JSON that may be anything: what is not as it should be is empty, zero or left out. */

export type Json = Readonly<Record<string, unknown>>;

export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

export function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** Epoch milliseconds. */
export function asTime(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

/** The texts of a list. */
export function asTexts(value: unknown): readonly string[] {
  return asList(value).filter((item) => typeof item === 'string');
}

/** The fields that hold a text, as those of labels and annotations do. */
export function asTextFields(value: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asObject(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

/** The items of a List, or of an array that was taken from one. */
export function asItems(value: unknown): readonly Json[] {
  return asList(Array.isArray(value) ? value : asObject(value).items).map(asObject);
}

/** The field, or none at all where there is nothing to say. */
export function optional<K extends string, V>(key: K, value: V | undefined): {readonly [P in K]?: V} {
  return value === undefined ? {} : ({[key]: value} as {readonly [P in K]: V});
}
