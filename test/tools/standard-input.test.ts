/** Covers saving standard input in a file: whole, private, and given up on a signal. */
import {EventEmitter} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, statSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {PassThrough, Readable} from 'node:stream';
import {expect} from 'chai';
import {Interrupted, TiltbuildError} from '../../src/errors.ts';
import {SignalInterruption} from '../../src/system/interruption.ts';
import {StandardInput} from '../../src/system/standard-input.ts';
import {diskFiles} from '../helpers/private-place.ts';

describe('StandardInput', () => {
  let directory: string;
  let signals: EventEmitter;
  const path = () => join(directory, 'input');
  const input = (stream: Readable) =>
    new StandardInput(() => stream, diskFiles(directory), new SignalInterruption(signals));

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'input-'));
    signals = new EventEmitter();
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  it('saves every byte in a private file', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x0d, 0x0a, ...Buffer.alloc(200_000, 7)]);
    await input(Readable.from([bytes.subarray(0, 3), bytes.subarray(3)])).save(path());
    expect(readFileSync(path()).equals(bytes)).to.equal(true);
    if (process.platform !== 'win32') expect(statSync(path()).mode & 0o777).to.equal(0o600);
  });

  it('gives up on a signal, however long the rest would take', async () => {
    const stream = new PassThrough();
    stream.write('FROM');
    const saved = input(stream).save(path());
    signals.emit('SIGINT');
    const error = await saved.catch((thrown) => thrown);
    expect(error).to.be.instanceOf(Interrupted).with.property('signal', 'SIGINT');
  });

  it('reports that the file cannot be written', async () => {
    const error = await input(Readable.from(['x']))
      .save(join(directory, 'no', 'input'))
      .catch((thrown) => thrown);
    expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'temporary-files');
    expect(error.message).to.contain('Cannot save standard input');
  });
});
