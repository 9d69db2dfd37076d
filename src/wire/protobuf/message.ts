/** Owns protobuf messages as tables: a field's name, number and kind, from which its type and both directions follow. */
import {BinaryReader, BinaryWriter, WireType} from '@bufbuild/protobuf/wire';

/** How one value is read and written. `In` is what may be given for it, `Out` what is read. */
export interface Kind<Out, In = Out> {
  readonly wireType: WireType;
  /** What is meant where a field is absent, and is not written; undefined: nothing is. */
  readonly zero: Out | undefined;
  read(reader: BinaryReader): Out;
  write(writer: BinaryWriter, value: In): unknown;
}

export interface Field<Out, In = Out> {
  readonly number: number;
  /** What is read where the field is absent. */
  empty(): Out;
  /** Undefined where the bytes are not of this kind, so that they are skipped. */
  read(reader: BinaryReader, wireType: WireType, before: Out): Out | undefined;
  write(writer: BinaryWriter, value: In): void;
}

// biome-ignore lint/suspicious/noExplicitAny: a table has fields of all types, each with its own.
type Fields = Readonly<Record<string, Field<any, any>>>;
export type Decoded<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer Out, infer _> ? Out : never;
};
export type Encodable<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Field<infer _, infer In> ? In : never;
};

export interface Message<Out, In> extends Kind<Out, In> {
  /** Throws where the bytes are no such message. What `bytes` are taken out of them is not copied. */
  decode(bytes: Uint8Array): Out;
  encode(value: In): Uint8Array;
}

/** What a message is when it is read. */
export type MessageOf<M> = M extends Message<infer Out, infer _> ? Out : never;

export const string: Kind<string> = {
  wireType: WireType.LengthDelimited,
  zero: '',
  read: (reader) => reader.string(),
  write: (writer, value) => writer.string(value),
};
const NO_BYTES = new Uint8Array();
export const bytes: Kind<Uint8Array> = {
  wireType: WireType.LengthDelimited,
  zero: NO_BYTES,
  read: (reader) => reader.bytes(),
  write: (writer, value) => writer.bytes(value),
};
export const bool: Kind<boolean> = {
  wireType: WireType.Varint,
  zero: false,
  read: (reader) => reader.bool(),
  write: (writer, value) => writer.bool(value),
};
/** Enums as well. */
export const int32: Kind<number> = {
  wireType: WireType.Varint,
  zero: 0,
  read: (reader) => reader.int32(),
  write: (writer, value) => writer.int32(value),
};
export const uint32: Kind<number> = {
  wireType: WireType.Varint,
  zero: 0,
  read: (reader) => reader.uint32(),
  write: (writer, value) => writer.uint32(value),
};
export const int64: Kind<bigint> = {
  wireType: WireType.Varint,
  zero: 0n,
  read: (reader) => BigInt(reader.int64()),
  write: (writer, value) => writer.int64(value),
};
export const uint64: Kind<bigint> = {
  wireType: WireType.Varint,
  zero: 0n,
  read: (reader) => BigInt(reader.uint64()),
  write: (writer, value) => writer.uint64(value),
};

/** One value, which is the kind's zero where it is absent. */
export function field<Out, In>(number: number, kind: Kind<Out, In>): Field<Out, In> {
  return {
    number,
    empty: () => kind.zero as Out,
    read: (reader, wireType) => (wireType === kind.wireType ? kind.read(reader) : undefined),
    write: (writer, value) => {
      if (!isZero(value, kind.zero)) kind.write(writer.tag(number, kind.wireType), value);
    },
  };
}

/** A message, or a value whose absence means something; one of a `oneof`. */
export function optional<Out, In>(
  number: number,
  kind: Kind<Out, In>,
): Field<Out | undefined, In | undefined> {
  return {
    number,
    empty: () => undefined,
    read: (reader, wireType) => (wireType === kind.wireType ? kind.read(reader) : undefined),
    write: (writer, value) => {
      if (value !== undefined) kind.write(writer.tag(number, kind.wireType), value);
    },
  };
}

export function repeated<Out, In>(number: number, kind: Kind<Out, In>): Field<readonly Out[], readonly In[]> {
  const isPacked = kind.wireType === WireType.Varint;
  return {
    number,
    empty: () => [],
    read: (reader, wireType, before) => {
      // The list is ours: it was made for this message.
      const list = before as Out[];
      if (wireType === kind.wireType) list.push(kind.read(reader));
      else if (isPacked && wireType === WireType.LengthDelimited) {
        readDelimited(reader, (end) => {
          while (reader.pos < end) list.push(kind.read(reader));
        });
      } else return undefined;
      return list;
    },
    write: (writer, values) => {
      if (isPacked && values.length > 0) {
        writer.tag(number, WireType.LengthDelimited).fork();
        for (const value of values) kind.write(writer, value);
        writer.join();
      } else for (const value of values) kind.write(writer.tag(number, kind.wireType), value);
    },
  };
}

/** Its keys are strings. */
export function map<Out, In>(
  number: number,
  kind: Kind<Out, In>,
): Field<ReadonlyMap<string, Out>, ReadonlyMap<string, In>> {
  const entry = message({key: field(1, string), value: optional(2, kind)});
  return {
    number,
    empty: () => new Map(),
    read: (reader, wireType, before) => {
      if (wireType !== WireType.LengthDelimited) return undefined;
      const {key, value} = entry.read(reader);
      return (before as Map<string, Out>).set(key, (value ?? kind.zero) as Out);
    },
    write: (writer, values) => {
      for (const [key, value] of values)
        entry.write(writer.tag(number, WireType.LengthDelimited), {key, value});
    },
  };
}

export function message<F extends Fields>(fields: F): Message<Decoded<F>, Encodable<F>> {
  const entries = Object.entries(fields);
  const byNumber = new Map(entries.map(([name, {number}]) => [number, name]));
  const readFields = (reader: BinaryReader, end: number): Decoded<F> => {
    const value = Object.fromEntries(entries.map(([name, one]) => [name, one.empty()]));
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const name = byNumber.get(number);
      const read = name === undefined ? undefined : fields[name]?.read(reader, wireType, value[name]);
      if (name === undefined || read === undefined) reader.skip(wireType, number);
      else value[name] = read;
    }
    return value as Decoded<F>;
  };
  /** Kept for its buffer, which grows to what the messages need. */
  let writer: BinaryWriter | undefined;
  const writeFields = (writer: BinaryWriter, value: Encodable<F>) => {
    for (const [name, one] of entries) {
      const given = value[name];
      if (given !== undefined) one.write(writer, given);
    }
  };
  return {
    wireType: WireType.LengthDelimited,
    zero: undefined,
    read: (reader) => readDelimited(reader, (end) => readFields(reader, end)),
    write: (writer, value) => {
      writer.fork();
      writeFields(writer, value);
      writer.join();
    },
    decode: (input) => {
      const reader = new BinaryReader(input);
      return within(reader, reader.len, (end) => readFields(reader, end));
    },
    encode: (value) => {
      // One that failed halfway is not used again.
      const own = writer ?? new BinaryWriter();
      writer = undefined;
      writeFields(own, value);
      const encoded = own.finish();
      writer = own;
      return encoded;
    },
  };
}

/** What stands before the content of a field of bytes. */
export function announceBytes(number: number, length: number): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
}

/** A message that is not looked into: its bytes. */
export const raw: Message<Uint8Array, Uint8Array> = {
  ...bytes,
  decode: (given) => given,
  encode: (given) => given,
};

/** What stands behind its length. */
function readDelimited<T>(reader: BinaryReader, read: (end: number) => T): T {
  const length = reader.uint32();
  return within(reader, reader.pos + length, read);
}

function within<T>(reader: BinaryReader, end: number, read: (end: number) => T): T {
  if (end > reader.len) throw new RangeError('a message is longer than its bytes');
  const value = read(end);
  if (reader.pos !== end) throw new RangeError('a field is longer than its message');
  return value;
}

function isZero(value: unknown, zero: unknown): boolean {
  return value === zero || (value instanceof Uint8Array && value.length === 0);
}
