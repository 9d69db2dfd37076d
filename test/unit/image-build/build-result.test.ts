/** Covers the forms of a result, and the files that it is written to. */
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {
  type BuildResult,
  checkResultFiles,
  clearResultFiles,
  formatResult,
} from '../../../src/image-build/build-result.ts';
import type {DiskFiles} from '../../../src/system/disk-files.ts';
import {catchError} from '../../helpers/caught.ts';
import {diskFiles} from '../../helpers/private-place.ts';
import {DIGEST} from './build-world.ts';

const RESULT: BuildResult = {
  digest: DIGEST,
  reference: 'app:tilt-aaaaaaaaaaaaaaaa',
  references: ['docker.io/library/app:dev', 'localhost/app:1'],
  product: 'kind',
  context: 'kind-kind',
  namespace: 'default',
  builder: 'buildkit',
  node: 'worker',
  nodes: [{name: 'worker', state: 'built', bytes: 0}],
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

const iidFile = (path: string) => ({flag: '--iidfile', path, format: () => 'text'});
const refFile = (path: string) => ({...iidFile(path), flag: '--ref-file', createsDirectory: true});

describe('result files', () => {
  let root: string;
  let files: DiskFiles;
  const at = (path: string) => join(root, path);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'build-result-'));
    files = diskFiles(root);
    mkdirSync(at('out'));
    for (const name of ['out/iid.txt', 'a-file', 'out/other']) writeFileSync(at(name), 'old');
  });
  afterEach(() => rmSync(root, {recursive: true}));

  for (const [what, make, why] of [
    ['a directory', () => iidFile(at('out')), 'it is a directory'],
    ['no directory', () => iidFile(at('no/iid')), 'there is no directory "@/no"'],
    ['a file for a directory', () => refFile(at('a-file/ref')), 'there is no directory "@/a-file"'],
  ] as const) {
    it(`are refused where there is ${what}`, () => {
      const file = make();
      expect(() => checkResultFiles([file], files))
        .to.throw(TiltbuildError, `${file.flag} "${file.path}" cannot be written: ${why.replace('@', root)}.`)
        .with.property('code', 'usage');
    });
  }

  it('are refused where two are one, however they are spelled', () => {
    symlinkSync('out', at('link'));
    symlinkSync('iid.txt', at('out/link.txt'));
    symlinkSync('new', at('out/to-new'));
    linkSync(at('out/iid.txt'), at('hard'));
    for (const [one, other] of [
      ['out/iid.txt', 'link/../out/iid.txt'],
      ['out/iid.txt', 'out/link.txt'],
      ['out/iid.txt', 'hard'],
      ['out/new', 'link/new'],
      ['out/new', 'out/to-new'],
    ] as const) {
      const both = [iidFile(at(one)), {...iidFile(`${root}/${other}`), flag: '--metadata-file'}];
      expect(() => checkResultFiles(both, files), other).to.throw(
        TiltbuildError,
        '--iidfile and --metadata-file are the same file',
      );
    }
    checkResultFiles([iidFile(at('out/iid.txt')), iidFile(at('out/other')), iidFile(at('out/new'))], files);
    checkResultFiles([iidFile('/dev/null'), iidFile('/dev/null')], files);
  });

  it('are removed before a build, along with nothing else, and get a directory where they may have one', async () => {
    const results = [iidFile(at('out/iid.txt')), iidFile(at('out/new')), refFile(at('refs/web'))];
    checkResultFiles(results, files);
    expect(readFileSync(at('out/iid.txt'), 'utf8')).to.equal('old');
    await clearResultFiles(results, files);
    expect(readdirSync(root, {recursive: true})).to.have.members(['a-file', 'out', 'out/other', 'refs']);
    const error = await catchError(clearResultFiles([refFile(at('a-file/refs/web'))], files));
    expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'usage');
    expect(error.message).to.include(`could not create "${at('a-file/refs')}"`);
  });
});
