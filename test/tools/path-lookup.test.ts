/** Covers finding programs on PATH, in real directories, and never in the current directory. */
import {chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {findOnPath} from '../../src/system/path-lookup.ts';

const NAME = 'kubectl-build';

describe('findOnPath', () => {
  let root: string;
  const cwd = process.cwd();

  before(function () {
    if (process.platform === 'win32') this.skip();
    root = realpathSync(mkdtempSync(join(tmpdir(), 'path-lookup-')));
    for (const directory of ['first', 'second', 'ünï 😀', 'empty', 'here', 'here/bin']) {
      mkdirSync(join(root, directory));
    }
    for (const directory of ['first', 'second', 'ünï 😀', 'here', 'here/bin']) program(directory);
    mkdirSync(join(root, 'directory', NAME), {recursive: true});
    mkdirSync(join(root, 'plain'));
    writeFileSync(join(root, 'plain', NAME), 'x', {mode: 0o644});
    mkdirSync(join(root, 'links'));
    symlinkSync(join(root, 'second', NAME), join(root, 'links', NAME));
    mkdirSync(join(root, 'broken'));
    symlinkSync(join(root, 'nowhere'), join(root, 'broken', NAME));
  });

  beforeEach(() => process.chdir(join(root, 'here')));
  afterEach(() => process.chdir(cwd));
  after(() => root && rmSync(root, {recursive: true, force: true}));

  function program(directory: string) {
    const path = join(root, directory, NAME);
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o755);
  }

  const find = (...entries: string[]) => findOnPath(NAME, {PATH: entries.join(':')}, process.platform);
  const at = (...directories: string[]) => directories.map((one) => join(root, one));

  for (const [what, directories, found] of [
    ['the first that has it', ['empty', 'first', 'second'], 'first'],
    ['a directory with a space and letters of all kinds', ['ünï 😀'], 'ünï 😀'],
    ['a link to a program', ['links', 'first'], 'links'],
    ['no directory of that name', ['directory', 'second'], 'second'],
    ['no file that cannot be run', ['plain', 'second'], 'second'],
    ['no link that leads nowhere', ['broken', 'second'], 'second'],
    ['no directory that is not there', ['nowhere', 'second'], 'second'],
    ['nothing where there is none', ['empty', 'plain', 'directory', 'broken'], undefined],
  ] as const) {
    it(`finds ${what}`, async () => {
      expect(await find(...at(...directories))).to.equal(found && join(root, found, NAME));
    });
  }

  for (const entry of ['', '.', './', 'bin', './bin', '../here', '..//first']) {
    it(`skips the entry "${entry}", though the program is there`, async () => {
      expect(await find(entry)).to.equal(undefined);
      expect(await find(entry, ...at('second'))).to.equal(join(root, 'second', NAME));
      expect(await find(...at('empty'), entry)).to.equal(undefined);
      expect(await find(...at('empty'), entry, ...at('second'))).to.equal(join(root, 'second', NAME));
    });
  }

  it('finds nothing without a PATH', async () => {
    expect(await findOnPath(NAME, {}, process.platform)).to.equal(undefined);
    expect(await findOnPath(NAME, {PATH: ''}, process.platform)).to.equal(undefined);
    expect(await findOnPath(NAME, {Path: join(root, 'first')}, process.platform)).to.equal(undefined);
  });
});
