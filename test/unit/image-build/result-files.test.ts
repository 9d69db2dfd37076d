/** Covers the files that a result is written to: what is refused before, and what goes wrong after. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {prepareResultFile, writeResultFile} from '../../../src/image-build/result-files.ts';
import type {Files} from '../../../src/ports.ts';

/** A disk with the directories `.`, `out` and the write-protected `locked`; it notes what is changed. */
function disk(texts: Record<string, string> = {}) {
  const left = new Map(Object.entries(texts));
  const directories = ['.', 'out', 'locked'];
  const files = {
    kindOf: (path) => (directories.includes(path) ? 'directory' : left.has(path) ? 'file' : 'missing'),
    isWritableDirectory: (path) => directories.includes(path) && path !== 'locked',
    dirname: (path) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.'),
    remove: async (path) => void left.delete(path),
    replace: async (path, text) => {
      if (path.startsWith('locked/')) throw new Error('EACCES: permission denied');
      left.set(path, text);
    },
  } as Partial<Files> as Files;
  return {files, left};
}

async function refusal(run: Promise<unknown>): Promise<TiltbuildError> {
  const error = await run.then(
    () => undefined,
    (caught) => caught,
  );
  expect(error).to.be.instanceOf(TiltbuildError);
  return error;
}

describe('prepareResultFile', () => {
  for (const path of ['iid.txt', 'out/iid.txt']) {
    it(`removes an older ${path}, and makes none`, async () => {
      const {files, left} = disk({[path]: 'old', 'out/other': 'kept'});
      await prepareResultFile({flag: '--iidfile', path}, files);
      expect([...left]).to.deep.equal([['out/other', 'kept']]);
      await prepareResultFile({flag: '--iidfile', path}, files);
      expect([...left.keys()]).to.deep.equal(['out/other']);
    });
  }

  for (const [path, why] of [
    ['out', 'it is a directory'],
    ['nowhere/iid.txt', 'there is no directory "nowhere"'],
    ['a-file/iid.txt', 'there is no directory "a-file"'],
    ['locked/iid.txt', '"locked" may not be written to'],
  ] as const) {
    it(`refuses ${path}`, async () => {
      const {files, left} = disk({'a-file': 'x', 'locked/iid.txt': 'old'});
      const error = await refusal(prepareResultFile({flag: '--metadata-file', path}, files));
      expect(error.code).to.equal('usage');
      expect(error.message).to.equal(`--metadata-file "${path}" cannot be written: ${why}.`);
      expect([...left.keys()]).to.deep.equal(['a-file', 'locked/iid.txt']);
    });
  }
});

describe('writeResultFile', () => {
  it('writes the text as it is', async () => {
    const {files, left} = disk();
    await writeResultFile({flag: '--iidfile', path: 'out/i'}, 'sha256:x', files);
    expect([...left]).to.deep.equal([['out/i', 'sha256:x']]);
  });

  it('says that the image is built where it cannot', async () => {
    const {files} = disk();
    const error = await refusal(writeResultFile({flag: '--iidfile', path: 'locked/i'}, 'x', files));
    expect(error.code).to.equal('result-not-written');
    expect(error.message).to.include('is built').and.include('--iidfile "locked/i"');
    expect(error.detail).to.deep.equal(['EACCES: permission denied']);
    expect(error.cause).to.be.instanceOf(Error);
  });
});
