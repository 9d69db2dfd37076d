/** Covers what holds for every record: it is read back as it was written, and reading never throws. */
import {expect} from 'chai';
import fc from 'fast-check';
import {readCsvFields, readCsvRecord, writeCsvRecord} from '../../../src/text/csv-fields.ts';

const awkward = fc
  .array(fc.oneof(fc.constantFrom(...'",=\n\r\t \'aé\\'), fc.constantFrom('""', '",', ',"')), {maxLength: 12})
  .map((parts) => parts.join(''));
const field = fc
  .oneof(awkward, fc.string(), fc.string({unit: 'binary'}))
  .map((text) => text.replaceAll('\0', ''));
const record = fc.array(field, {minLength: 1, maxLength: 5});

describe('a record', () => {
  it('is read back as it was written', () => {
    fc.assert(
      fc.property(record, (fields) => {
        expect(readCsvRecord(writeCsvRecord(fields))).to.deep.equal(fields);
      }),
    );
  });

  it('gives key=value fields back, whatever the values', () => {
    const key = fc.constantFrom('id', 'src', 'KEY');
    fc.assert(
      fc.property(fc.array(fc.record({key, value: field}), {minLength: 1, maxLength: 4}), (fields) => {
        const text = writeCsvRecord(fields.map((one) => `${one.key}=${one.value}`));
        expect(readCsvFields(text)).to.deep.equal(fields);
      }),
    );
  });

  it('is read or refused without a throw, and what is read has all of the text', () => {
    fc.assert(
      fc.property(fc.oneof(awkward, fc.string({unit: 'binary'})), (text) => {
        const fields = readCsvRecord(text);
        if (text.includes('"')) return fields === undefined || fields.length > 0;
        expect(fields?.join(',')).to.equal(text);
        return true;
      }),
    );
  });
});
