/** Covers docker's comma-separated flag values, as Go's encoding/csv reads and writes them. */
import {expect} from 'chai';
import {readCsvFields, readCsvRecord, writeCsvRecord} from '../../../src/text/csv-fields.ts';

describe('readCsvRecord', () => {
  for (const [text, fields] of [
    ['', ['']],
    ['a', ['a']],
    ['a,b', ['a', 'b']],
    [',', ['', '']],
    ['a,', ['a', '']],
    [' a , b ', [' a ', ' b ']],
    ['"a,b",c', ['a,b', 'c']],
    ['"a",', ['a', '']],
    ['""', ['']],
    ['"a""b"', ['a"b']],
    ['""""', ['"']],
    ['"a\nb"', ['a\nb']],
    ["'a',b", ["'a'", 'b']],
    ['a"b', undefined],
    ['id="a"', undefined],
    ['"a', undefined],
    ['"a"b', undefined],
    ['"a" ,b', undefined],
    ['"', undefined],
    ['"""', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => expect(readCsvRecord(text)).to.deep.equal(fields));
  }
});

describe('readCsvFields', () => {
  for (const [text, fields] of [
    [
      'id=a,src=b',
      [
        {key: 'id', value: 'a'},
        {key: 'src', value: 'b'},
      ],
    ],
    ['a=b=c', [{key: 'a', value: 'b=c'}]],
    ['=x', [{key: '', value: 'x'}]],
    ['x=', [{key: 'x', value: ''}]],
    ['x', [{key: 'x', value: undefined}]],
    ['"x=a,b"', [{key: 'x', value: 'a,b'}]],
    ['x="a"', undefined],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => expect(readCsvFields(text)).to.deep.equal(fields));
  }
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
});
