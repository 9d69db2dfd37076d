/** Covers the tag that is made from a digest. */
import {expect} from 'chai';
import fc from 'fast-check';
import {TiltbuildError} from '../../../src/errors.ts';
import {contentTag, DEFAULT_TAG_FORM, parseImageName, readTagForm} from '../../../src/image/content-tag.ts';
import {parseReference} from '../../../src/image/reference.ts';

const DIGEST = 'sha256:24cda528986e03d36fbe92c7fec9d42e88b9800459a6e72ebec1507173d8f183';

function refusal(run: () => unknown): TiltbuildError {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(TiltbuildError);
    return error as TiltbuildError;
  }
  throw new RangeError('nothing was refused');
}

describe('contentTag', () => {
  it('is tilt- and sixteen digits', () => {
    expect(contentTag(DIGEST, DEFAULT_TAG_FORM)).to.equal('tilt-24cda528986e03d3');
  });

  it('is as it was asked for', () => {
    expect(contentTag(DIGEST, readTagForm('', '8'))).to.equal('24cda528');
    expect(contentTag(DIGEST, readTagForm('dev.', '64'))).to.equal(`dev.${DIGEST.slice(7)}`);
  });
});

/** Of any text, and of what stands in references. */
const prefixes = fc.oneof(
  fc.string({maxLength: 130}),
  fc.string({unit: fc.constantFrom(...'aA0_.-:/@[]'), maxLength: 12}),
);

describe('readTagForm', () => {
  it('has defaults', () => expect(readTagForm(undefined, undefined)).to.deep.equal(DEFAULT_TAG_FORM));

  for (const length of ['7', '65', '-8', '8.5', '0x10', '1e1', ' 9', '', 'x'])
    it(`refuses the length ${JSON.stringify(length)}`, () => {
      const error = refusal(() => readTagForm(undefined, length));
      expect(error).to.include({code: 'usage'});
      expect(error.message).to.contain(`"${length}"`).and.contain('8 to 64');
    });

  for (const prefix of ['-a', '.a', 'a/b', '0/', '80/x/', 'a:b', 'a b', 'ä', 'a'.repeat(113)])
    it(`refuses the prefix ${prefix.slice(0, 8)}`, () => {
      const error = refusal(() => readTagForm(prefix, undefined));
      expect(error).to.include({code: 'usage'});
      expect(error.message).to.contain(`--tag-prefix "${prefix}"`);
    });

  it('takes what fits, and always makes a tag of it', () => {
    fc.assert(
      fc.property(prefixes, fc.integer({min: 8, max: 64}), (prefix, length) => {
        const fits = /^(\w[\w.-]*)?$/.test(prefix) && prefix.length + length <= 128;
        const read = () => readTagForm(prefix, String(length));
        if (fits) {
          const tag = contentTag(DIGEST, read());
          expect(parseReference(`localhost/a:${tag}`).tag).to.equal(tag);
        } else {
          expect(read).to.throw(TiltbuildError);
        }
      }),
      {numRuns: 1000},
    );
  });
});

describe('parseImageName', () => {
  for (const name of [
    'web',
    'localhost/web',
    'localhost:5000/a/b',
    'docker.io/library/web',
    '[::1]:5000/web',
  ])
    it(`takes ${name}`, () => expect(parseImageName(name).tag).to.equal(undefined));

  it('refuses a tag and a digest, which it is to make itself', () => {
    expect(refusal(() => parseImageName('localhost/web:dev'))).to.include({code: 'invalid-reference'});
    expect(refusal(() => parseImageName('localhost/web:dev')).message).to.contain('has a tag');
    expect(refusal(() => parseImageName(`web@${DIGEST}`)).message).to.contain('has a digest');
  });

  it('refuses what is no reference, with a caret', () => {
    expect(refusal(() => parseImageName('My App')).detail.at(-1)).to.match(/^ *\^$/);
  });
});
