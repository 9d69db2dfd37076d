/** Covers a file that several processes change at once. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect} from 'chai';
import {nameManifest} from '../../src/buildkit/oci-index.ts';
import {diskFiles} from '../helpers/private-place.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const [INDEX, FILES] = ['src/buildkit/oci-index.ts', 'test/helpers/private-place.ts'].map(
  (path) => pathToFileURL(join(ROOT, path)).href,
);
const PROCESSES = 8;
const CHANGES = 10;
const SCRIPT = `
  import {nameManifest} from '${INDEX}';
  import {diskFiles} from '${FILES}';
  const [, path, tag] = process.argv;
  const files = diskFiles('/nowhere');
  for (let count = 0; count < ${CHANGES}; count++) {
    const names = [{tag: tag + '-' + count}];
    await files.update(path, (before) => nameManifest(before, {digest: 'sha256:' + tag}, names));
  }
`;

describe('a file that processes change', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'update-file-'));
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  it('has the changes of all of them: the index of a layout loses no tag of eight builds', async () => {
    const path = join(directory, 'index.json');
    const started = Array.from({length: PROCESSES}, (_, tag) =>
      spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, path, String(tag)], {stdio: 'inherit'}),
    );
    for (const [code] of await Promise.all(started.map((child) => once(child, 'close'))))
      expect(code).to.equal(0);
    const {manifests} = JSON.parse(readFileSync(path, 'utf8'));
    expect(manifests).to.have.length(PROCESSES * CHANGES);
    expect(readdirSync(directory)).to.deep.equal(['index.json']);
  }).timeout(60_000);

  it('is changed although a process was killed that changed it, and is left as it was where a change fails', async () => {
    const path = join(directory, 'index.json');
    const files = diskFiles(directory);
    writeFileSync(`${path}.lock`, '');
    utimesSync(`${path}.lock`, 1, 1);
    await files.update(path, () => nameManifest(undefined, {digest: 'sha256:1'}, [{tag: 'one'}]));
    const before = readFileSync(path, 'utf8');
    const change = files.update(path, () => {
      throw new SyntaxError('no JSON');
    });
    expect(await change.catch((error: Error) => error)).to.be.instanceOf(SyntaxError);
    expect(readFileSync(path, 'utf8')).to.equal(before);
    expect(readdirSync(directory)).to.deep.equal(['index.json']);
  });
});
