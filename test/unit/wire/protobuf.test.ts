import {create, createFileRegistry, fromBinary, toBinary} from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import {expect} from 'chai';
import fc from 'fast-check';
import * as proto from '../../../src/wire/protobuf/message.ts';

const {field, optional, repeated, map} = proto;
const Inner = proto.message({name: field(1, proto.string), size: field(2, proto.int64)});
const Everything = proto.message({
  text: field(1, proto.string),
  data: field(2, proto.bytes),
  yes: field(3, proto.bool),
  small: field(4, proto.int32),
  unsigned: field(5, proto.uint32),
  large: field(6, proto.int64),
  huge: field(7, proto.uint64),
  inner: optional(8, Inner),
  texts: repeated(9, proto.string),
  numbers: repeated(10, proto.int32),
  inners: repeated(11, Inner),
  labels: map(12, proto.string),
  sizes: map(13, proto.int64),
  maybe: optional(2_000, proto.int32),
});
type Everything = proto.MessageOf<typeof Everything>;

/** The same messages in the library, which has them from a description. */
function describeInLibrary() {
  const {OPTIONAL, REPEATED} = FieldDescriptorProto_Label;
  const one = (name: string, number: number, type: keyof typeof FieldDescriptorProto_Type, more = {}) => ({
    name,
    number,
    type: FieldDescriptorProto_Type[type],
    label: OPTIONAL,
    ...more,
  });
  const many = {label: REPEATED};
  const inner = {typeName: '.Inner'};
  const entry = (name: string, type: keyof typeof FieldDescriptorProto_Type) => ({
    name,
    field: [one('key', 1, 'STRING'), one('value', 2, type)],
    options: {mapEntry: true},
  });
  const file = create(FileDescriptorProtoSchema, {
    name: 'test.proto',
    syntax: 'proto3',
    messageType: [
      {name: 'Inner', field: [one('name', 1, 'STRING'), one('size', 2, 'INT64')]},
      {
        name: 'Everything',
        nestedType: [entry('LabelsEntry', 'STRING'), entry('SizesEntry', 'INT64')],
        oneofDecl: [{name: '_maybe'}],
        field: [
          one('text', 1, 'STRING'),
          one('data', 2, 'BYTES'),
          one('yes', 3, 'BOOL'),
          one('small', 4, 'INT32'),
          one('unsigned', 5, 'UINT32'),
          one('large', 6, 'INT64'),
          one('huge', 7, 'UINT64'),
          one('inner', 8, 'MESSAGE', inner),
          one('texts', 9, 'STRING', many),
          one('numbers', 10, 'INT32', many),
          one('inners', 11, 'MESSAGE', {...inner, ...many}),
          one('labels', 12, 'MESSAGE', {...many, typeName: '.Everything.LabelsEntry'}),
          one('sizes', 13, 'MESSAGE', {...many, typeName: '.Everything.SizesEntry'}),
          one('maybe', 2_000, 'INT32', {proto3Optional: true, oneofIndex: 0}),
        ],
      },
    ],
  });
  const schema = createFileRegistry(file, () => undefined).getMessage('Everything');
  if (schema === undefined) throw new Error('the library does not know it');
  return schema;
}

const text = fc.string({unit: 'grapheme', maxLength: 40});
const int32 = fc.integer();
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const inner = fc.record({name: text, size: int64});
const everything: fc.Arbitrary<Everything> = fc.record({
  text,
  data: fc.uint8Array(),
  yes: fc.boolean(),
  small: int32,
  unsigned: fc.nat(2 ** 31 - 1).map((half) => half * 2 + 1),
  large: int64,
  huge: fc.bigInt(0n, 2n ** 64n - 1n),
  inner: fc.option(inner, {nil: undefined}),
  texts: fc.array(text),
  numbers: fc.array(int32),
  inners: fc.array(inner),
  labels: fc.array(fc.tuple(text, text)).map((entries) => new Map(entries)),
  sizes: fc.array(fc.tuple(text, int64)).map((entries) => new Map(entries)),
  maybe: fc.option(int32, {nil: undefined}),
});

describe('protobuf messages', () => {
  it('are what the library makes of them, in both directions', () => {
    const schema = describeInLibrary();
    fc.assert(
      fc.property(everything, (value) => {
        const ours = Everything.encode(value);
        expect(Everything.decode(ours)).to.deep.equal(value);
        expect(Everything.decode(toBinary(schema, fromBinary(schema, ours)))).to.deep.equal(value);
      }),
      {numRuns: 300},
    );
  });

  it('have nothing of fields that are absent, and a value for each that is read', () => {
    expect(
      Everything.encode({text: '', data: new Uint8Array(), large: 0n, texts: [], labels: new Map()}),
    ).to.have.length(0);
    expect(Everything.decode(new Uint8Array())).to.deep.equal({
      text: '',
      data: new Uint8Array(),
      yes: false,
      small: 0,
      unsigned: 0,
      large: 0n,
      huge: 0n,
      inner: undefined,
      texts: [],
      numbers: [],
      inners: [],
      labels: new Map(),
      sizes: new Map(),
      maybe: undefined,
    });
    expect([...Everything.encode({maybe: 0, inner: {}})]).to.deep.equal([0x42, 0, 0x80, 0x7d, 0]);
  });

  const read: Record<string, [string, Partial<Everything>]> = {
    'fields that are not known, of any kind': [
      'e01f05 e11f0000000000000000 e21f026162 e51f00000000 e31fe41f 0a0161',
      {text: 'a'},
    ],
    'a field of a kind that is not its own': ['0805 0a0161', {text: 'a'}],
    'the last of several': ['0a0161 0a0162', {text: 'b'}],
    'numbers each for itself': ['5001 5202 0203 5004', {numbers: [1, 2, 3, 4]}],
    'a key and a value that are absent': ['6200 6203120162', {labels: new Map([['', 'b']])}],
  };
  for (const [what, [hex, expected]] of Object.entries(read)) {
    it(`are read with ${what}`, () => {
      expect(Everything.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).to.deep.include(expected);
    });
  }

  const broken: Record<string, string> = {
    'a string longer than the bytes': '0a0561',
    'a message longer than the bytes': '42050a0161',
    'a field longer than its message': '42020a0161',
    'a number without its end': '20ff',
    'a group without its end': 'e31f0805',
    'no field of the number nought': '0001',
    'a kind that there is not': '0f',
    'groups without bounds': 'e31f'.repeat(10_000),
  };
  for (const [what, hex] of Object.entries(broken)) {
    it(`are refused with ${what}`, () => {
      expect(() => Everything.decode(Buffer.from(hex, 'hex'))).to.throw(Error);
    });
  }
});
