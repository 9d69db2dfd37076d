/** Owns how strings are split, stripped and searched. */
import {toSmallInt} from './builtin-arguments.ts';
import {byteIndex, byteLength, sliceBytes} from './byte-strings.ts';
import {raise} from './errors.ts';
import {toBounds} from './indexing.ts';
import type {StarlarkValue} from './values.ts';
import {typeOf} from './values.ts';

export function split(
  text: string,
  separator: StarlarkValue | undefined,
  limit: StarlarkValue | undefined,
  fromEnd: boolean,
): string[] {
  const most = limit === undefined ? -1 : toSmallInt(limit);
  if (separator === undefined || separator === null) return splitAtSpace(text, most, fromEnd);
  if (typeof separator !== 'string')
    return raise(`split: got ${typeOf(separator)} for separator, want string`);
  if (separator === '') raise('split: empty separator');
  const parts = text.split(separator);
  const excess = parts.length - most;
  if (most < 0 || excess <= 0) return parts;
  return fromEnd
    ? [parts.slice(0, excess).join(separator), ...parts.slice(excess)]
    : [...parts.slice(0, most), parts.slice(most).join(separator)];
}

/** The last field, or the first from the end, keeps what is left, with the blanks on its far side. */
function splitAtSpace(text: string, most: number, fromEnd: boolean): string[] {
  const fields = [...text.matchAll(/\S+/g)];
  if (most < 0 || fields.length <= most) return fields.map(([field]) => field);
  if (fromEnd) {
    const kept = fields.slice(fields.length - most);
    const last = fields[fields.length - most - 1];
    const rest = last === undefined ? [] : [text.slice(0, last.index + last[0].length)];
    return [...rest, ...kept.map(([field]) => field)];
  }
  const rest = fields[most];
  return [
    ...fields.slice(0, most).map(([field]) => field),
    ...(rest === undefined ? [] : [text.slice(rest.index)]),
  ];
}

export function splitLines(text: string, keepEnds: boolean): string[] {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  return keepEnds ? [...lines] : lines.map((line) => line.replace(/\n$/, ''));
}

export function strip(text: string, chars: string, start: boolean, end: boolean): string {
  const dropped = (char: string): boolean => (chars === '' ? /\s/.test(char) : chars.includes(char));
  const all = [...text];
  let from = 0;
  let to = all.length;
  while (start && from < to && dropped(all[from] ?? '')) from++;
  while (end && to > from && dropped(all[to - 1] ?? '')) to--;
  return all.slice(from, to).join('');
}

/** Offsets count bytes, in and out; -1 when it is not there. */
export function find(
  text: string,
  sought: string,
  bounds: readonly (StarlarkValue | undefined)[],
  fromEnd: boolean,
): number {
  const [start, end] = toBounds(bounds[0], bounds[1], byteLength(text));
  if (start > end) return -1;
  const part = sliceBytes(text, start, end);
  const at = byteIndex(part, fromEnd ? part.lastIndexOf(sought) : part.indexOf(sought));
  return at < 0 ? at : at + start;
}

export function count(text: string, sought: string, bounds: readonly (StarlarkValue | undefined)[]): number {
  const [start, end] = toBounds(bounds[0], bounds[1], byteLength(text));
  const part = sliceBytes(text, start, end);
  return sought === '' ? [...part].length + 1 : part.split(sought).length - 1;
}

export function replace(text: string, from: string, to: string, limit: number): string {
  if (limit < 0) return text.replaceAll(from, () => to);
  let done = 0;
  return text.replaceAll(from, (found) => (done++ < limit ? to : found));
}

export function partition(text: string, separator: string, fromEnd: boolean): [string, string, string] {
  const at = fromEnd ? text.lastIndexOf(separator) : text.indexOf(separator);
  if (at < 0) return fromEnd ? ['', '', text] : [text, '', ''];
  return [text.slice(0, at), separator, text.slice(at + separator.length)];
}
