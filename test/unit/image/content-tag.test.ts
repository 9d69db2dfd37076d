/** Covers the tag that is made from a digest. */
import {expect} from 'chai';
import fc from 'fast-check';
import {TiltbuildError} from '../../../src/errors.ts';
import {contentTag, parseImageName, readTagForm} from '../../../src/image/content-tag.ts';
import {parseReference} from '../../../src/image/reference.ts';
import {refusalOf} from '../../helpers/caught.ts';

const DIGEST = 'sha256:24cda528986e03d36fbe92c7fec9d42e88b9800459a6e72ebec1507173d8f183';

describe('contentTag', () => {
  for (const [prefix, length, tag] of [
    [undefined, undefined, 'tilt-24cda528986e03d3'],
    ['', '8', '24cda528'],
    ['dev.', '64', `dev.${DIGEST.slice(7)}`],
  ] as const) {
    it(`is ${tag}`, () => expect(contentTag(DIGEST, readTagForm(prefix, length))).to.equal(tag));
  }
});

/** Any text, and texts of the characters in references. */
const prefixes = fc.oneof(
  fc.string({maxLength: 130}),
  fc.stringMatching(/^\w{100,130}$/),
  fc.string({unit: fc.constantFrom(...'aA0_.-:/@[]'), maxLength: 12}),
);

describe('readTagForm', () => {
  for (const length of ['7', '65', '-8', '8.5', '0x10', '1e1', ' 9', '', 'x']) {
    it(`rejects the length ${JSON.stringify(length)}`, () => {
      const {code, message} = refusalOf(() => readTagForm(undefined, length));
      expect(code).to.equal('usage');
      expect(message).to.equal(`--tag-length "${length}" is not a number from 8 to 64.`);
    });
  }

  it('rejects a prefix, and says so', () => {
    const {code, message} = refusalOf(() => readTagForm('80/x/', undefined));
    expect(code).to.equal('usage');
    expect(message).to.equal('A tag cannot start with --tag-prefix "80/x/".');
  });

  it('accepts exactly the forms that make a valid tag', () => {
    fc.assert(
      fc.property(prefixes, fc.integer({min: 8, max: 64}), (prefix, length) => {
        const read = () => contentTag(DIGEST, readTagForm(prefix, String(length)));
        if (!/^(\w[\w.-]*)?$/.test(prefix) || prefix.length + length > 128) {
          expect(read).to.throw(TiltbuildError);
        } else {
          expect(parseReference(`localhost/a:${read()}`).tag).to.equal(read());
        }
      }),
      {numRuns: 1000},
    );
  });
});

describe('parseImageName', () => {
  for (const name of ['web', 'localhost/web', 'localhost:5000/a/b', '[::1]:5000/web'])
    it(`accepts ${name}`, () => expect(parseImageName(name).tag).to.equal(undefined));

  it('rejects a name with a tag or a digest, and says which it has', () => {
    expect(refusalOf(() => parseImageName('localhost/web:dev')).message)
      .to.contain('localhost/web:dev')
      .and.contain('has a tag');
    expect(refusalOf(() => parseImageName(`web@${DIGEST}`)).message).to.contain('has a digest');
  });
});
