/** Covers the forms of a result, and the files that it is written to. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {
  type BuildResult,
  checkResultFile,
  clearResultFile,
  formatResult,
} from '../../../src/image-build/build-result.ts';
import type {Files} from '../../../src/ports.ts';
import {catchError} from '../../helpers/caught.ts';
import {DIGEST} from './build-world.ts';

const RESULT: BuildResult = {
  digest: DIGEST,
  reference: 'app:tilt-aaaaaaaaaaaaaaaa',
  references: ['docker.io/library/app:dev', 'localhost/app:1'],
  product: 'kind',
  context: 'kind-kind',
  namespace: 'default',
  builder: 'buildkit',
  engine: 'builtin',
  engineReason: 'kubectl build is not on PATH',
  pullSecret: null,
  seconds: 1.25,
};
const WITHOUT: BuildResult = {...RESULT, digest: undefined, reference: null, references: []};

describe('formatResult', () => {
  it('prints each form, and null in JSON where there is no digest', () => {
    expect(formatResult(RESULT, 'digest')).to.equal(`${DIGEST}\n`);
    expect(formatResult(RESULT, 'ref')).to.equal('docker.io/library/app:dev\nlocalhost/app:1\n');
    for (const form of ['digest', 'ref', 'none'] as const) expect(formatResult(WITHOUT, form)).to.equal('');
    expect(formatResult(RESULT, 'json')).to.match(/^[^\n]+\n$/);
    expect(JSON.parse(formatResult(RESULT, 'json'))).to.deep.equal(RESULT);
    expect(JSON.parse(formatResult(WITHOUT, 'json'))).to.deep.equal({...WITHOUT, digest: null});
  });
});

/** A disk with the directories `.`, `out` and the write-protected `locked`. */
function disk(texts: Record<string, string> = {}) {
  const left = new Map(Object.entries(texts));
  const directories = ['.', 'out', 'locked'];
  const files = {
    kindOf: (path) => (directories.includes(path) ? 'directory' : left.has(path) ? 'file' : 'missing'),
    isWritableDirectory: (path) => directories.includes(path) && path !== 'locked',
    dirname: (path) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.'),
    makeDirectory: async (path) => {
      if (path.startsWith('locked/')) throw Object.assign(new Error(), {code: 'EACCES'});
      directories.push(path);
    },
    remove: async (path) => void left.delete(path),
  } as Partial<Files> as Files;
  return {files, left, directories};
}

const iidFile = (path: string) => ({flag: '--iidfile', path, format: () => 'text'});
const refFile = (path: string) => ({...iidFile(path), flag: '--ref-file', createsDirectory: true});

describe('a result file', () => {
  for (const [file, why] of [
    [iidFile('out'), 'it is a directory'],
    [iidFile('nowhere/iid.txt'), 'there is no directory "nowhere"'],
    [iidFile('a-file/iid.txt'), 'there is no directory "a-file"'],
    [iidFile('locked/iid.txt'), '"locked" is not writable'],
    [refFile('a-file/ref.txt'), 'there is no directory "a-file"'],
  ] as const) {
    it(`is refused for ${file.flag} ${file.path}`, () => {
      const {files, left} = disk({'a-file': 'x', 'locked/iid.txt': 'old'});
      expect(() => checkResultFile(file, files))
        .to.throw(TiltbuildError, `${file.flag} "${file.path}" cannot be written: ${why}.`)
        .with.property('code', 'usage');
      expect([...left.keys()]).to.deep.equal(['a-file', 'locked/iid.txt']);
    });
  }

  it('is removed before a build, along with nothing else, and gets a directory where it may have one', async () => {
    const {files, left, directories} = disk({'out/iid.txt': 'old', 'out/other': 'kept'});
    for (const file of [iidFile('out/iid.txt'), iidFile('out/iid.txt'), refFile('refs/web')]) {
      checkResultFile(file, files);
      await clearResultFile(file, files);
    }
    expect([...left.keys()]).to.deep.equal(['out/other']);
    expect(directories.slice(3)).to.deep.equal(['refs']);
    const error = await catchError(clearResultFile(refFile('locked/refs/web'), files));
    expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'usage');
    expect(error.message).to.include('could not create "locked/refs": permission denied.');
  });
});
