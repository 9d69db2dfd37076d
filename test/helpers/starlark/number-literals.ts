/** Owns how numbers are read, from literals and by int() and float(). */

export type ReadNumber = {value: bigint | number; length: number} | {problem: string};

/** Reads the number that the text begins with. */
export function readNumber(text: string): ReadNumber {
  const prefixed = /^0(?:[xX][0-9a-fA-F]*|[oO][0-7]*|[bB][01]*)/.exec(text)?.[0];
  if (prefixed !== undefined) {
    if (prefixed.length === 2) return {problem: `invalid ${nameBase(prefixed)} literal`};
    return {value: BigInt(prefixed), length: prefixed.length};
  }
  const decimal = /^(?:[0-9]+(\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]*)?/.exec(text)?.[0] ?? '';
  if (/[.eE]/.test(decimal)) {
    if (!/[0-9.]$/.test(decimal)) return {problem: 'invalid float literal'};
    const value = Number(decimal);
    return Number.isFinite(value) ? {value, length: decimal.length} : {problem: 'invalid float literal'};
  }
  if (/^0[0-9]*[1-9]/.test(decimal)) {
    return {problem: `obsolete form of octal literal; use 0o${decimal.slice(1)}`};
  }
  return {value: BigInt(decimal), length: decimal.length};
}

function nameBase(prefix: string): string {
  const letter = prefix[1]?.toLowerCase();
  if (letter === 'x') return 'hex';
  return letter === 'o' ? 'octal' : 'binary';
}

/** Reads a whole text as an integer; base 0 takes the base from the prefix. */
export function parseInteger(text: string, base: number): bigint | undefined {
  const [, sign, body] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === undefined) return undefined;
  const prefixBase = {'0x': 16, '0o': 8, '0b': 2}[body.slice(0, 2).toLowerCase()];
  const strip = prefixBase !== undefined && (base === 0 || base === prefixBase);
  const digits = strip ? body.slice(2) : body;
  const actual = base === 0 ? (prefixBase ?? 10) : base;
  if (base === 0 && !strip && /^0[0-9]*[1-9]/.test(digits)) return undefined;
  if (digits === '') return undefined;
  let value = 0n;
  for (const digit of digits) {
    const worth = /^[0-9a-zA-Z]$/.test(digit) ? Number.parseInt(digit, 36) : Number.NaN;
    if (!(worth < actual)) return undefined;
    value = value * BigInt(actual) + BigInt(worth);
  }
  return sign === '-' ? -value : value;
}

export function parseFloatText(text: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? -Infinity : Infinity;
  }
  if (!/^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) return undefined;
  return Number(text);
}

/** Writes a float as Starlark does: shortest digits, an exponent from a million on, and always a mark of being a float. */
export function writeFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? '+inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 6) {
    const plain = value.toString();
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${Math.abs(exponent).toString().padStart(2, '0')}`;
}
