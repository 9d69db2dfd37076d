/** Owns x[i], x[i:j:k] and the assignment to x[i]. */
import {toSmallInt} from './builtin-arguments.ts';
import {byteLength, pickBytes, sliceBytes} from './byte-strings.ts';
import {getEntry, setEntry} from './dicts.ts';
import {prefixReason, raise} from './errors.ts';
import {checkChange} from './freezing.ts';
import {lengthOf, newRange, rangeItem} from './iteration.ts';
import {toRepr} from './text.ts';
import {isKind, isObject, type Mapping, newList, newTuple, type StarlarkValue, typeOf} from './values.ts';

type Sequence = Extract<StarlarkValue, string | {kind: 'list' | 'tuple' | 'range' | 'parts'}>;

function isSequence(value: StarlarkValue): value is Sequence {
  if (isKind(value, 'parts')) return lengthOf(value) !== undefined;
  return typeof value === 'string' || (isObject(value) && ['list', 'tuple', 'range'].includes(value.kind));
}

export function getIndex(of: StarlarkValue, index: StarlarkValue): StarlarkValue {
  if (isKind(of, 'dict')) {
    const value = getEntry(of, index);
    return value === undefined ? raise(`key ${toRepr(index)} not in dict`) : value;
  }
  if (isKind(of, 'mapping')) {
    const value = typeof index === 'string' ? of.host.get(index) : undefined;
    return value ?? raise(`key ${toRepr(index)} not in ${typeOf(of)}`);
  }
  if (!isSequence(of)) return raise(`unhandled index operation ${typeOf(of)}[${typeOf(index)}]`);
  const i = toIndex(of, index);
  if (typeof of === 'string') return sliceBytes(of, i, i + 1);
  return of.kind === 'range' ? rangeItem(of, i) : (of.items[i] ?? null);
}

function toIndex(of: StarlarkValue, index: StarlarkValue): number {
  const length = lengthOf(of) ?? 0;
  const given = prefixReason(`${typeOf(of)} index`, () => toSmallInt(index));
  const i = given < 0 ? given + length : given;
  if (i < 0 || i >= length) refuseIndex(of, given);
  return i;
}

export function refuseIndex(of: StarlarkValue, index: number): never {
  const length = lengthOf(of) ?? 0;
  if (length === 0) raise(`index ${index} out of range: empty ${typeOf(of)}`);
  return raise(`${typeOf(of)} index ${index} out of range [${-length}:${length - 1}]`);
}

export function setIndex(of: StarlarkValue, index: StarlarkValue, value: StarlarkValue): void {
  if (isKind(of, 'dict')) setEntry(of, index, value);
  else if (isKind(of, 'mapping')) setText(of, index, value);
  else setItem(of, index, value);
}

function setText(of: Mapping, index: StarlarkValue, value: StarlarkValue): void {
  if (typeof index !== 'string') raise(`${of.type} key must be a string, not ${typeOf(index)}`);
  if (typeof value !== 'string') raise(`${of.type} value must be a string, not ${typeOf(value)}`);
  of.host.set(index, value);
}

function setItem(of: StarlarkValue, index: StarlarkValue, value: StarlarkValue): void {
  if (!isKind(of, 'list')) raise(`${typeOf(of)} value does not support item assignment`);
  const i = toIndex(of, index);
  checkChange(of, 'assign to element of', 'list');
  of.items[i] = value;
}

export function getSlice(of: StarlarkValue, bounds: readonly (StarlarkValue | undefined)[]): StarlarkValue {
  if (!isSequence(of) || isKind(of, 'parts')) return raise(`invalid slice operand ${typeOf(of)}`);
  const length = lengthOf(of) ?? 0;
  const step = prefixReason('invalid slice step', () => toSmallInt(bounds[2] ?? 1n));
  if (step === 0) raise('zero is not a valid slice step');
  const [start, end] =
    step > 0 ? toBounds(bounds[0], bounds[1], length) : toBackwardBounds(bounds[0], bounds[1], length);
  const indices: number[] = [];
  for (let i = start; step > 0 ? i < end : i > end; i += step) indices.push(i);
  if (typeof of === 'string') {
    if (step === 1) return sliceBytes(of, start, end);
    return byteLength(of) === of.length ? indices.map((i) => of[i]).join('') : pickBytes(of, indices);
  }
  if (of.kind === 'range') {
    return newRange(
      of.start + start * of.step,
      of.start + (start + indices.length * step) * of.step,
      of.step * step,
    );
  }
  const items = indices.map((i) => of.items[i] ?? null);
  return of.kind === 'list' ? newList(items) : newTuple(items);
}

function toOffset(bound: StarlarkValue | undefined, length: number, fallback: number, which: string): number {
  if (bound === undefined || bound === null) return fallback;
  const given = prefixReason(`invalid ${which} index`, () => toSmallInt(bound));
  return given < 0 ? given + length : given;
}

/** Bounds of a range that goes forward, clamped to the length. */
export function toBounds(
  start: StarlarkValue | undefined,
  end: StarlarkValue | undefined,
  length: number,
): [number, number] {
  const clamp = (offset: number): number => Math.min(Math.max(offset, 0), length);
  return [clamp(toOffset(start, length, 0, 'start')), clamp(toOffset(end, length, length, 'end'))];
}

function toBackwardBounds(
  start: StarlarkValue | undefined,
  end: StarlarkValue | undefined,
  length: number,
): [number, number] {
  const first = toOffset(start, length, length - 1, 'start');
  return [Math.min(first, length - 1), Math.max(toOffset(end, length, -1, 'end'), -1)];
}
