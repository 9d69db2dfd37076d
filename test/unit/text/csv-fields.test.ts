/** Covers the records of Go's encoding/csv. */
import {expect} from 'chai';
import fc from 'fast-check';
import {readCsvFields, readCsvRecord, writeCsvRecord} from '../../../src/text/csv-fields.ts';

const awkward = fc
  .array(fc.oneof(fc.constantFrom(...'",=\n\r\t \'aé\\'), fc.constantFrom('""', '",', ',"')), {maxLength: 12})
  .map((parts) => parts.join(''));
const field = fc
  .oneof(awkward, fc.string(), fc.string({unit: 'binary'}))
  .map((text) => text.replaceAll('\0', ''));

describe('readCsvRecord', () => {
  for (const [text, fields] of [
    ['', ['']],
    ['a', ['a']],
    [',a,', ['', 'a', '']],
    [' a , b', [' a ', ' b']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a",', ['a', '']],
    ['""', ['']],
    ['""""', ['"']],
    ["'a',b", ["'a'", 'b']],
    ...['a"b', 'id="a"', '"a', '"a"b', '"a" ,b', '"', '"""'].map((text) => [text, undefined] as const),
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => expect(readCsvRecord(text)).to.deep.equal(fields));
  }

  it('reads any text without quotes, and throws for none', () => {
    fc.assert(
      fc.property(fc.oneof(awkward, fc.string({unit: 'binary'})), (text) => {
        const fields = readCsvRecord(text);
        if (!text.includes('"')) expect(fields?.join(',')).to.equal(text);
      }),
    );
  });
});

describe('readCsvFields', () => {
  for (const [text, ...fields] of [
    ['id=a,src=b', ['id', 'a'], ['src', 'b']],
    ['a=b=c', ['a', 'b=c']],
    ['=x', ['', 'x']],
    ['x=', ['x', '']],
    ['x', ['x', undefined]],
    ['"x=a,b"', ['x', 'a,b']],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(readCsvFields(text)?.map(({key, value}) => [key, value])).to.deep.equal(fields);
    });
  }

  it('is undefined for a stray quote', () => expect(readCsvFields('x="a"')).to.equal(undefined));
});

describe('writeCsvRecord', () => {
  for (const [fields, text] of [
    [['id=a', 'src=/b c'], 'id=a,src=/b c'],
    [['src=a,b'], '"src=a,b"'],
    [['a"b'], '"a""b"'],
    [[' a'], '" a"'],
    [['a\nb', 'c'], '"a\nb",c'],
  ] as const) {
    it(`writes ${JSON.stringify(fields)}`, () => expect(writeCsvRecord(fields)).to.equal(text));
  }

  it('is read back, whatever the fields', () => {
    fc.assert(
      fc.property(fc.array(field, {minLength: 1, maxLength: 5}), (fields) => {
        expect(readCsvRecord(writeCsvRecord(fields))).to.deep.equal(fields);
      }),
    );
  });
});
