/** Covers the forms of a result on standard output and in a metadata file. */
import {expect} from 'chai';
import {type BuildResult, formatMetadata, formatResult} from '../../../src/image-build/build-result.ts';

const RESULT: BuildResult = {
  digest: `sha256:${'a'.repeat(64)}`,
  reference: 'app:tilt-aaaaaaaaaaaaaaaa',
  references: ['docker.io/library/app:dev', 'localhost/app:1'],
  product: 'kind',
  context: 'kind-kind',
  namespace: 'default',
  builder: 'buildkit',
  pullSecret: null,
  seconds: 1.25,
};

const WITHOUT: BuildResult = {...RESULT, digest: undefined, reference: null, references: []};

describe('formatResult', () => {
  for (const [form, result, text] of [
    ['digest', RESULT, `sha256:${'a'.repeat(64)}\n`],
    ['digest', WITHOUT, ''],
    ['ref', RESULT, 'docker.io/library/app:dev\nlocalhost/app:1\n'],
    ['ref', WITHOUT, ''],
    ['none', RESULT, ''],
  ] as const) {
    it(`prints ${JSON.stringify(text)} for ${form}`, () => expect(formatResult(result, form)).to.equal(text));
  }

  it('prints for json what the metadata file has', () => {
    expect(formatResult(RESULT, 'json')).to.equal(formatMetadata(RESULT));
    expect(formatResult(WITHOUT, 'json')).to.equal(formatMetadata(WITHOUT));
  });
});

describe('formatMetadata', () => {
  it('is one line of JSON with everything in it', () => {
    const text = formatMetadata(RESULT);
    expect(text).to.match(/^[^\n]+\n$/);
    expect(JSON.parse(text)).to.deep.equal(RESULT);
  });

  it('says null where there is no digest', () => {
    expect(JSON.parse(formatMetadata(WITHOUT))).to.deep.equal({...WITHOUT, digest: null});
  });
});
