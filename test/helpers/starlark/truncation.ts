/** Owns the way from numbers to ints, by cutting off the fraction. */
import {raise} from './errors.ts';
import {type StarlarkValue, typeOf} from './values.ts';

export function truncate(value: StarlarkValue): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value !== 'number') return raise(`cannot convert ${typeOf(value)} to int`);
  if (Number.isNaN(value)) raise('cannot convert float NaN to integer');
  if (!Number.isFinite(value)) raise('cannot convert float infinity to integer');
  return BigInt(Math.trunc(value));
}
