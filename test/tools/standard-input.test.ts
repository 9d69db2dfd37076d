/** Covers saving standard input in a file: whole and private. */
import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {Readable} from 'node:stream';
import {expect} from 'chai';
import {TiltbuildError} from '../../src/errors.ts';
import {StandardInput} from '../../src/system/standard-input.ts';
import {diskFiles} from '../helpers/private-place.ts';

describe('StandardInput', () => {
  let directory: string;
  const path = () => join(directory, 'input');
  const input = (stream: Readable) => new StandardInput(() => stream, diskFiles(directory));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'input-'));
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  it('saves every byte in a private file', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x0a, ...Buffer.alloc(200_000, 7)]);
    await input(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)])).save(path());
    expect(readFileSync(path()).equals(bytes)).to.equal(true);
    if (process.platform !== 'win32') expect(statSync(path()).mode & 0o777).to.equal(0o600);
  });

  it('reports that the file cannot be written', async () => {
    const error = await input(Readable.from(['x']))
      .save(join(directory, 'no', 'input'))
      .catch((thrown) => thrown);
    expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'temporary-files');
    expect(error.message).to.contain('Cannot save standard input');
  });
});
