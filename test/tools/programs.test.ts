/** Covers finding and running other programs, with tiny real ones. */
import {chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {PathPrograms} from '../../src/system/programs.ts';
import {Runner} from '../../src/system/runner.ts';

const NODE = process.execPath;
const LONG = {timeout: 60_000};

describe('PathPrograms', () => {
  let root: string;

  before(function () {
    if (process.platform === 'win32') this.skip();
    root = realpathSync(mkdtempSync(join(tmpdir(), 'programs-')));
    for (const directory of ['first', 'second', 'links']) mkdirSync(join(root, directory));
    for (const directory of ['first', 'second']) program(directory, 'one', `#!${NODE}\n`);
    program('second', 'two', `#!${NODE}\n`);
    program('second', 'no-interpreter', '#!/nowhere/at/all\n');
    program('second', 'no-program', '\u0000\u0001');
    symlinkSync(join(root, 'first', 'one'), join(root, 'links', 'one'));
  });
  after(() => root && rmSync(root, {recursive: true, force: true}));

  function program(directory: string, name: string, text: string) {
    writeFileSync(join(root, directory, name), text);
    chmodSync(join(root, directory, name), 0o755);
  }

  function open(directories: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const path = directories.map((name) => (/^\w/.test(name) ? join(root, name) : name)).join(delimiter);
    const runner = new Runner(process.platform, () => {});
    return new PathPrograms(runner, {...env, PATH: path}, process.platform);
  }

  it('returns the entries of PATH unchanged', () => {
    expect(open(['first', '', './x']).path).to.deep.equal([join(root, 'first'), '', './x']);
    expect(open([]).path).to.deep.equal([]);
  });

  it('finds the first, and all', async () => {
    const programs = open(['links', 'second', 'first', 'second']);
    expect(await programs.find('one')).to.equal(join(root, 'links', 'one'));
    expect(await programs.find('none')).to.equal(undefined);
    expect(await programs.findAll('two')).to.deep.equal([join(root, 'second', 'two')]);
    expect(await programs.findAll('none')).to.deep.equal([]);
    // That in `first` is the one that the link leads to.
    const both = ['links', 'second'].map((name) => join(root, name, 'one'));
    expect(await programs.findAll('one')).to.deep.equal(both);
  });

  it('returns the output of a program, which gets the given environment', async () => {
    const script = 'console.log(process.env.A, process.env.B); console.error("e"); process.exit(3)';
    const programs = open(['first'], {A: 'a', B: 'b'});
    const ended = await programs.run(NODE, ['-e', script], {...LONG, env: {B: 'c'}});
    expect(ended).to.include({exitCode: 3, stdout: 'a c\n', stderr: 'e\n'});
  });

  for (const [name, reason] of [
    ['no-interpreter', 'it or its interpreter does not exist'],
    ['none', 'it or its interpreter does not exist'],
    ['no-program', undefined],
  ] as const) {
    it(`says why a program cannot be started: ${name}`, async () => {
      const ended = await open(['second']).run(join(root, 'second', name), [], LONG);
      expect(ended.exitCode).to.not.equal(0);
      if (reason !== undefined)
        expect(ended).to.deep.equal({exitCode: undefined, stdout: '', stderr: reason});
    });
  }

  it('ends a program that takes too long', async () => {
    const ended = await open([]).run(NODE, ['-e', 'setInterval(() => {}, 1000)'], {timeout: 50});
    expect(ended.exitCode).to.equal(undefined);
  });
});
