/** Owns what str() and repr() make of values. */
import {itemsOf} from './dicts.ts';
import {writeFloat} from './number-literals.ts';
import {quote} from './string-literals.ts';
import {type Mapping, type StarlarkValue, typeOf} from './values.ts';

export function toText(value: StarlarkValue): string {
  return typeof value === 'string' ? value : toRepr(value);
}

export function toRepr(value: StarlarkValue, inside: readonly StarlarkValue[] = []): string {
  if (value === null) return 'None';
  switch (typeof value) {
    case 'boolean':
      return value ? 'True' : 'False';
    case 'bigint':
      return value.toString();
    case 'number':
      return writeFloat(value);
    case 'string':
      return quote(value);
  }
  const within = [...inside, value];
  const repr = (item: StarlarkValue): string => toRepr(item, within);
  switch (value.kind) {
    case 'list':
      return inside.includes(value) ? '[...]' : `[${value.items.map(repr).join(', ')}]`;
    case 'tuple':
      return value.items.length === 1
        ? `(${value.items.map(repr)},)`
        : `(${value.items.map(repr).join(', ')})`;
    case 'dict': {
      if (inside.includes(value)) return '{...}';
      const entries = itemsOf(value).map(({items}) => items.map(repr).join(': '));
      return `{${entries.join(', ')}}`;
    }
    case 'range': {
      const {start, stop, step} = value;
      if (step !== 1) return `range(${start}, ${stop}, ${step})`;
      return start === 0 ? `range(${stop})` : `range(${start}, ${stop})`;
    }
    case 'parts':
      return `${quote(value.text)}.${value.method}()`;
    case 'function':
      return `<function ${value.name}>`;
    case 'builtin':
      return value.receiver === undefined
        ? `<built-in function ${value.name}>`
        : `<built-in method ${value.name} of ${typeOf(value.receiver)} value>`;
    case 'module':
      return `[module: ${value.name}]`;
    case 'mapping':
      return `{${entriesOf(value)
        .map((entry) => entry.map(quote).join(': '))
        .join(', ')}}`;
    case 'opaque':
      return value.text;
  }
}

export function entriesOf({host}: Mapping): [string, string][] {
  return [...host.keys()].map((key) => [key, host.get(key) ?? '']);
}
