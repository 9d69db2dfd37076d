/** Covers what a build writes to the disk: nothing half, nothing through a link. */
import {execFileSync, spawn} from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
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
import {archiveTo, OutputDirectory} from '../../src/system/output-disk.ts';
import {openResult} from '../../src/system/result-file.ts';
import {catchError} from '../helpers/caught.ts';

let root: string;
const at = (...names: readonly string[]) => join(root, ...names);
const text = (...names: readonly string[]) => readFileSync(at(...names), 'utf8');
const mode = (...names: readonly string[]) => (lstatSync(at(...names)).mode & 0o7777).toString(8);
const bytes = (given: string) => Buffer.from(given);
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'output-'));
});
afterEach(() => rmSync(root, {recursive: true, force: true}));

describe('an output directory', () => {
  const open = () => new OutputDirectory(at('out'));
  async function writeFile(output: OutputDirectory, path: string, content: string, fileMode = 0o644) {
    await output.write(path, bytes(content));
    await output.finishFile(path, fileMode, 1_600_000_000_123_456_789n);
  }

  it('is created with the directories above it, and keeps what the build does not have', async () => {
    mkdirSync(at('out'));
    writeFileSync(at('out/kept'), 'kept');
    await writeFile(open(), 'new', 'new');
    expect(readdirSync(at('out')).sort()).to.deep.equal(['kept', 'new']);
    new OutputDirectory(at('a/b'));
    expect(existsSync(at('a/b'))).to.be.true;
  });

  it('gives files the mode with its special bits, whatever the umask, and the time to the microsecond', async () => {
    const output = open();
    for (const given of [0o4755, 0o2711, 0o000, 0o666]) await writeFile(output, given.toString(8), '', given);
    expect(readdirSync(at('out')).map((name) => mode('out', name))).to.deep.equal([
      '0',
      '2711',
      '4755',
      '666',
    ]);
    expect(lstatSync(at('out/666'), {bigint: true}).mtimeNs / 1000n).to.equal(1_600_000_000_123_456n);
  });

  it('gives directories theirs once they are full, and links their times', async () => {
    const output = open();
    await output.makeDirectory('closed');
    await writeFile(output, 'closed/file', 'x');
    await output.makeLink('link', '/nowhere', 5_000_000_000n);
    await output.finishDirectory('closed', 0o1555, 7_000_000_000n);
    expect([mode('out/closed'), lstatSync(at('out/closed')).mtimeMs]).to.deep.equal(['1555', 7_000]);
    expect(lstatSync(at('out/link')).mtimeMs).to.equal(5_000);
  });

  it('replaces whatever has the name, and follows no link', async () => {
    mkdirSync(at('outside'));
    writeFileSync(at('outside/file'), 'untouched');
    mkdirSync(at('out/directory/below'), {recursive: true});
    mkdirSync(at('out/directory-2/below'), {recursive: true});
    for (const name of ['file', 'link', 'hard']) symlinkSync(at('outside/file'), at('out', name));
    symlinkSync(at('outside'), at('out/tree'));
    const output = open();
    await writeFile(output, 'file', 'new');
    await writeFile(output, 'directory', 'now a file');
    await output.makeLink('link', 'file', 0n);
    await output.makeLink('directory-2', 'file', 0n);
    await output.makeHardLink('hard', 'file');
    await output.makeDirectory('tree');
    await writeFile(output, 'tree/file', 'inside');
    expect(readdirSync(at('outside'))).to.deep.equal(['file']);
    expect(text('outside/file')).to.equal('untouched');
    expect(
      ['file', 'directory', 'link', 'directory-2', 'hard', 'tree/file'].map((name) => text('out', name)),
    ).to.deep.equal(['new', 'now a file', 'new', 'new', 'new', 'inside']);
    expect(lstatSync(at('out/hard')).ino).to.equal(lstatSync(at('out/file')).ino);
  });

  it('has a file under its name once it is complete, and nothing of it otherwise', async () => {
    mkdirSync(at('out'));
    writeFileSync(at('out/file'), 'old');
    const output = open();
    const long = 'x'.repeat(255);
    await output.write('file', bytes('new'));
    await output.write(long, bytes('long'));
    expect(text('out/file')).to.equal('old');
    output.close();
    // What is still on its way goes nowhere.
    expect((await catchError(output.write('file', bytes('late')))).message).to.contain('closed');
    expect(readdirSync(at('out'))).to.deep.equal(['file']);
    // What a killed process left does not matter.
    await open().write('file', bytes('left'));
    const next = open();
    await writeFile(next, 'file', 'newer');
    next.close();
    expect(readdirSync(at('out'))).to.deep.equal(['file']);
    expect(text('out/file')).to.equal('newer');
  });
});

describe('an output archive', () => {
  it('replaces a file once it is complete, with its mode, behind a link too', async () => {
    writeFileSync(at('archive'), 'old');
    chmodSync(at('archive'), 0o640);
    symlinkSync('archive', at('link'));
    const output = openResult(at('link'), process.getuid?.());
    await output.write(bytes('new '));
    await output.write(bytes('content'));
    expect(text('archive')).to.equal('old');
    await output.complete();
    output.close();
    expect([text('archive'), mode('archive'), readdirSync(root)]).to.deep.equal([
      'new content',
      '640',
      ['archive', 'link'],
    ]);
  });

  it('leaves nothing where it was not completed, and the old file as it was', async () => {
    writeFileSync(at('old'), 'old');
    for (const name of ['old', 'x'.repeat(255)]) {
      const output = openResult(at(name), process.getuid?.());
      await output.write(bytes('half'));
      output.close();
      output.close();
    }
    expect([readdirSync(root), text('old')]).to.deep.equal([['old'], 'old']);
  });

  it('is refused at once where it cannot be written', () => {
    expect(() => openResult(at('none/archive'), process.getuid?.())).to.throw(/ENOENT/);
  });

  it('goes into a FIFO as it is, also where its reader comes late', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const output = openResult(at('fifo'), process.getuid?.());
    const written = output.write(Buffer.alloc(300_000, 'x')).then(() => output.complete());
    const reader = spawn('wc', ['-c', at('fifo')]);
    const counted = await new Promise((resolve) =>
      reader.stdout.on('data', (chunk) => resolve(String(chunk))),
    );
    await written;
    expect(counted).to.match(/^300000 /);
    expect(lstatSync(at('fifo')).isFIFO()).to.be.true;
  });

  it('goes wherever a function takes it', async () => {
    const taken: string[] = [];
    const output = archiveTo(async (chunk) => void taken.push(String(chunk)));
    await output.write(bytes('chunk'));
    await output.complete();
    output.close();
    expect(taken).to.deep.equal(['chunk']);
  });
});
