/** Owns the comma-separated `key=value` form of docker's flag values, as Go's encoding/csv reads and writes it. */
import {type KeyValue, splitKeyValue} from './key-value.ts';

/** Reads one record; undefined where encoding/csv would report an error (a stray or unclosed quote). */
export function readCsvRecord(text: string): readonly string[] | undefined {
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    if (rest.startsWith('"')) {
      const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(rest);
      if (quoted === null) return undefined;
      fields.push((quoted[1] as string).replaceAll('""', '"'));
      rest = rest.slice(quoted[0].length);
    } else {
      const end = rest.indexOf(',');
      const field = end < 0 ? rest : rest.slice(0, end);
      if (field.includes('"')) return undefined;
      fields.push(field);
      rest = rest.slice(field.length);
    }
    if (rest === '') return fields;
    rest = rest.slice(1);
  }
}

/** Reads `key=value,…` with the keys as typed; undefined where the text is no record. */
export function readCsvFields(text: string): readonly KeyValue[] | undefined {
  return readCsvRecord(text)?.map(splitKeyValue);
}

/** Writes one record, with quotes where a field needs them to be read back. */
export function writeCsvRecord(fields: readonly string[]): string {
  return fields
    .map((field) => (/[",\r\n]|^\s/.test(field) ? `"${field.replaceAll('"', '""')}"` : field))
    .join(',');
}
