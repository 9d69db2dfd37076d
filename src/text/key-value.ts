/** Owns the form `key=value` of flags and labels. */

export interface KeyValue {
  readonly key: string;
  /** Undefined where there is no `=`. */
  readonly value: string | undefined;
}

/** Splits at the first `=`; the value may have more of them. */
export function splitKeyValue(text: string): KeyValue {
  const at = text.indexOf('=');
  return at < 0 ? {key: text, value: undefined} : {key: text.slice(0, at), value: text.slice(at + 1)};
}
