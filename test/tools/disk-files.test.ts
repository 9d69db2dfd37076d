/** Covers the disk: modes of private files, whole files or none, and errors where nothing can be written. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {TiltbuildError} from '../../src/errors.ts';
import {type DiskFiles, openPrivate, readPieces} from '../../src/system/disk-files.ts';
import {catchError} from '../helpers/caught.ts';
import {diskFiles} from '../helpers/private-place.ts';

const mode = (path: string) => statSync(path).mode & 0o777;

describe('DiskFiles', () => {
  let root: string;
  let files: DiskFiles;
  let cleanUp: () => void;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'disk-files-'));
    mkdirSync(join(root, 'tmp'));
    files = diskFiles(join(root, 'tmp'), {
      atExit: (run) => {
        cleanUp = run;
      },
    });
  });
  afterEach(() => rmSync(root, {recursive: true, force: true}));

  it('makes directories and files that only this user can see, another directory each time', async () => {
    const {path: directory} = await files.makePrivateDirectory();
    expect((await files.makePrivateDirectory()).path).not.to.equal(directory);
    await files.writePrivate(join(directory, 'secret'), 'hunter2\n');
    expect(readFileSync(join(directory, 'secret'), 'utf8')).to.equal('hunter2\n');
    expect(directory.startsWith(join(root, 'tmp', 'kubectl-tiltbuild-'))).to.equal(true);
    if (process.platform !== 'win32') {
      expect([mode(directory), mode(join(directory, 'secret'))]).to.deep.equal([0o700, 0o600]);
    }
  });

  it('reads no file without an end', async function () {
    if (process.platform === 'win32') this.skip();
    for (const read of ['readBytes', 'readText'] as const) {
      const error = await catchError(files[read]('/dev/zero'));
      expect(error).to.have.property('message', 'Could not read "/dev/zero": it is larger than 64 MB.');
    }
  });

  it('writes no private file over another one, nor through a link', async () => {
    writeFileSync(join(root, 'there'), 'old');
    symlinkSync(join(root, 'elsewhere'), join(root, 'link'));
    for (const name of ['there', 'link']) {
      const error = await catchError(files.writePrivate(join(root, name), 'new'));
      expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'temporary-files');
    }
    expect(readFileSync(join(root, 'there'), 'utf8')).to.equal('old');
    expect(existsSync(join(root, 'elsewhere'))).to.equal(false);
  });

  it('says where no temporary file can be written, and why', async () => {
    const path = join(root, 'nowhere');
    const error = await catchError(diskFiles(path).makePrivateDirectory());
    expect(error).to.be.instanceOf(TiltbuildError).and.include({code: 'temporary-files'});
    expect(error.message).to.include(path).and.include('no such file or directory');
    expect((error as TiltbuildError).remedy.join()).to.include('TMPDIR');
  });

  it('removes private directories when the process ends, and no others', async () => {
    const {path: directory} = await files.makePrivateDirectory();
    await files.writePrivate(join(directory, 'secret'), 'x');
    mkdirSync(join(root, 'tmp', 'other'));
    cleanUp();
    expect(readdirSync(join(root, 'tmp'))).to.deep.equal(['other']);
  });

  it('removes files, whole directories and links, not what they lead to, and accepts that nothing is there', async () => {
    const {path: directory} = await files.makePrivateDirectory();
    await files.writePrivate(join(directory, 'secret'), 'x');
    for (const name of ['file', 'kept']) writeFileSync(join(root, name), '');
    symlinkSync(join(root, 'kept'), join(root, 'link'));
    const paths = ['file', 'link', 'nowhere'].map((name) => join(root, name));
    for (const path of [directory, ...paths]) await files.remove(path);
    expect(readdirSync(root)).to.have.members(['tmp', 'kept']);
    expect(readdirSync(join(root, 'tmp'))).to.deep.equal([]);
    cleanUp();
  });

  it('reads text as it is', async () => {
    writeFileSync(join(root, 'text'), '\ufeffä\r\n');
    expect(await files.readText(join(root, 'text'))).to.equal('\ufeffä\r\n');
    expect(Buffer.from(await files.readBytes(join(root, 'text'))).toString()).to.equal('\ufeffä\r\n');
    expect(await files.readText(join(root, 'nowhere'))).to.equal(undefined);
    expect(await files.readText(join(root, 'nowhere', 'x'))).to.equal(undefined);
    expect(await catchError(files.readText(root))).to.include({code: 'EISDIR'});
  });

  it('says what is at a path, links followed', () => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'file'), join(root, 'to-file'));
    symlinkSync(root, join(root, 'to-directory'));
    symlinkSync(join(root, 'nowhere'), join(root, 'to-nothing'));
    const expected = {
      '': 'directory',
      file: 'file',
      nowhere: 'missing',
      'file/x': 'missing',
      'to-file': 'file',
      'to-directory': 'directory',
      'to-nothing': 'missing',
    };
    for (const [name, kind] of Object.entries(expected))
      expect(files.kindOf(join(root, name)), name).to.equal(kind);
  });

  it('says where a file can be created', () => {
    expect(files.isWritableDirectory(root)).to.equal(true);
    expect(files.isWritableDirectory(join(root, 'nowhere'))).to.equal(false);
  });

  it('replaces a file whole, or makes it', async () => {
    for (const text of ['sha256:x', '', 'é\n']) {
      await files.replace(join(root, 'result'), text);
      expect(readFileSync(join(root, 'result'), 'utf8')).to.equal(text);
      expect(readdirSync(root)).to.have.members(['tmp', 'result']);
    }
  });

  it('lets a reader see the old file or the whole new one, never a part', async () => {
    const path = join(root, 'result');
    const [old, fresh] = ['a'.repeat(2_000_000), 'b'.repeat(2_000_000)];
    writeFileSync(path, old);
    let done = false;
    const replaced = files.replace(path, fresh).finally(() => {
      done = true;
    });
    while (!done) {
      const seen = readFileSync(path, 'utf8');
      expect(seen === old || seen === fresh).to.equal(true);
      await new Promise(setImmediate);
    }
    await replaced;
  });

  it('leaves nothing behind where replacing fails', async () => {
    mkdirSync(join(root, 'directory'));
    expect(await catchError(files.replace(join(root, 'directory'), 'x'))).to.be.instanceOf(Error);
    expect(await catchError(files.replace(join(root, 'nowhere', 'x'), 'x'))).to.include({code: 'ENOENT'});
    expect(readdirSync(root)).to.have.members(['tmp', 'directory']);
    expect(readdirSync(join(root, 'directory'))).to.deep.equal([]);
  });

  it('keeps pieces in a private file, in order', async () => {
    const path = join(root, 'pieces');
    const file = await openPrivate(path);
    for (let index = 0; index < 50; index += 1) await file.writeFile(Buffer.from(`${index}\n`));
    await file.close();
    let text = '';
    for await (const piece of readPieces(path)) text += Buffer.from(piece);
    expect(text).to.equal(Array.from({length: 50}, (_, i) => `${i}\n`).join(''));
    if (process.platform !== 'win32') expect(mode(path)).to.equal(0o600);
    expect(await catchError(openPrivate(path))).to.include({code: 'EEXIST'});
  });
});
