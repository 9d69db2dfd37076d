/** Result files: what each kind of path gets, and what is left of an earlier result. */
import {execFileSync, spawn} from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {runCommand} from '../helpers/programs.ts';
import {BUILD, DIGEST, describeCommand, expectBuilt, expectRefused} from '../helpers/world.ts';

const isRoot = process.getuid?.() === 0;
const STRANGER = 4321;

describeCommand('a result file', (world) => {
  const at = (name: string) => join(world.sandbox.work, name);
  const read = (name: string) => readFileSync(at(name), 'utf8');
  const owner = (name: string) => {
    const {mode, uid, gid} = statSync(at(name));
    return [(mode & 0o7777).toString(8), uid, gid];
  };
  const build = (path: string) => world.tiltbuild(['--iidfile', path, ...BUILD]);
  /** As a root that owns nothing but its own files, as any other user. */
  const buildWithoutPrivileges = (...args: readonly string[]) => {
    const {command, args: own} = world.program;
    const words = ['--bounding-set=-all', '--inh-caps=-all', command, ...own, ...args, ...BUILD];
    const {env, work: cwd} = world.sandbox;
    return runCommand('/usr/bin/setpriv', words, {env, cwd});
  };

  it('keeps mode and owner, also behind a link, which stays', async () => {
    for (const [name, mode] of [
      ['iid', 0o640],
      ['other', 0o606],
    ] as const) {
      writeFileSync(at(name), 'old');
      chmodSync(at(name), mode);
      if (isRoot) chownSync(at(name), STRANGER, STRANGER + 1);
    }
    symlinkSync('other', at('link'));
    symlinkSync('new', at('to-new'));
    const ids = isRoot ? [STRANGER, STRANGER + 1] : owner('iid').slice(1);
    for (const name of ['iid', 'link', 'to-new']) {
      expectBuilt(await build(name));
      expect(read(name)).to.equal(DIGEST);
    }
    expect([owner('iid'), owner('other')]).to.deep.equal([
      ['640', ...ids],
      ['606', ...ids],
    ]);
    expect(['link', 'to-new'].map((name) => lstatSync(at(name)).isSymbolicLink())).to.deep.equal([
      true,
      true,
    ]);
    expect(readdirSync(world.sandbox.work).filter((name) => name.startsWith('.'))).to.deep.equal([]);
  });

  it('that is a device stays one', async function () {
    if (!isRoot) this.skip();
    execFileSync('mknod', [at('null'), 'c', '1', '3']);
    expectBuilt(await build('null'));
    expectBuilt(await world.tiltbuild(['--iidfile', '/dev/null', '--metadata-file', '/dev/null', ...BUILD]));
    expect([at('null'), '/dev/null'].map((path) => statSync(path).isCharacterDevice())).to.deep.equal([
      true,
      true,
    ]);
  });

  it('that is a FIFO goes to its reader, and stays one', async () => {
    execFileSync('mkfifo', [at('fifo')]);
    const reader = spawn('cat', [at('fifo')]);
    let text = '';
    reader.stdout.on('data', (chunk) => {
      text += chunk;
    });
    expectBuilt(await build('fifo'));
    if (reader.exitCode === null) await new Promise((resolve) => reader.on('close', resolve));
    expect([text, statSync(at('fifo')).isFIFO()]).to.deep.equal([DIGEST, true]);
  });

  for (const path of ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1', 'link']) {
    it(`is standard output as ${path}, a pipe as well as a file`, async function () {
      if (path.startsWith('/proc') && process.platform !== 'linux') this.skip();
      symlinkSync('/dev/stdout', at('link'));
      const args = ['--print', 'none', '--iidfile', path, ...BUILD];
      expect(await world.tiltbuild(args)).to.include({exitCode: 0, stdout: DIGEST});
      const {command, args: own} = world.program;
      const script = 'echo before >out; "$@" >>out; echo after >>out';
      await runCommand('/bin/sh', ['-c', script, 'sh', command, ...own, ...args], {
        env: world.sandbox.env,
        cwd: world.sandbox.work,
      });
      expect(read('out')).to.equal(`before\n${DIGEST}after\n`);
    });
  }

  it('of somebody else in a sticky directory is written in place, and so is one that cannot be replaced', async function () {
    if (!isRoot) this.skip();
    mkdirSync(at('sticky'));
    mkdirSync(at('locked'));
    for (const name of ['sticky/iid', 'locked/iid', 'locked/dead'])
      writeFileSync(at(name), 'old and long enough');
    chownSync(at('sticky'), STRANGER, STRANGER);
    chownSync(at('sticky/iid'), STRANGER, STRANGER);
    chmodSync(at('sticky'), 0o1777);
    chmodSync(at('sticky/iid'), 0o666);
    chmodSync(at('locked'), 0o555);
    chmodSync(at('locked/dead'), 0o444);
    for (const name of ['sticky/iid', 'locked/iid']) {
      const ended = await buildWithoutPrivileges('--iidfile', name);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(read(name)).to.equal(DIGEST);
    }
    expect(owner('sticky/iid')).to.deep.equal(['666', STRANGER, STRANGER]);
    const runs = world.sandbox.invocations().length;
    for (const [name, words] of [
      ['locked/dead', 'permission denied'],
      ['locked/new', 'is not writable'],
    ] as const) {
      const ended = await buildWithoutPrivileges('--iidfile', name);
      expect(ended.exitCode).to.equal(2);
      expect(ended.stderr).to.contain(words);
    }
    expect(world.sandbox.invocations()).to.have.length(runs);
    expect(read('locked/dead')).to.equal('old and long enough');
  });

  it('with further names keeps them', async () => {
    writeFileSync(at('iid'), 'old');
    linkSync(at('iid'), at('twin'));
    expectBuilt(await build('iid'));
    expect(read('twin')).to.equal(DIGEST);
  });

  for (const length of [217, 218, 240, 255]) {
    it(`may have a name of ${length} bytes`, async () => {
      for (const name of ['x'.repeat(length), 'ü'.repeat(length / 2)]) {
        expectBuilt(await build(name));
        expect(read(name)).to.equal(DIGEST);
      }
    });
  }

  it('is gone after whatever failure, and untouched by a dry run or a line that makes no sense', async () => {
    const fail = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      writeFileSync(at('iid'), 'old');
      await world.tiltbuild(['--iidfile', 'iid', ...args], {env});
      return existsSync(at('iid'));
    };
    expect(await fail(['nowhere'])).to.equal(false);
    expect(await fail(BUILD, {KUBECONFIG: at('none')})).to.equal(false);
    expect(await fail(['--secret', 'id=a,env=NONE', ...BUILD])).to.equal(false);
    world.sandbox.setDelegate('run-fails');
    expect(await fail(BUILD)).to.equal(false);
    expect(await fail(['--dry-run', ...BUILD])).to.equal(true);
    expect(await fail(['--unknown', ...BUILD])).to.equal(true);
  });

  for (const [one, other] of [
    ['x', './x'],
    ['x', 'api/.././x'],
    ['old', 'link'],
    ['old', 'hard'],
  ] as const) {
    it(`cannot be another one too: ${one} and ${other}`, async () => {
      writeFileSync(at('old'), 'old');
      symlinkSync('old', at('link'));
      linkSync(at('old'), at('hard'));
      const ended = await world.tiltbuild(['--iidfile', one, '--metadata-file', other, ...BUILD]);
      expectRefused(world, ended, 2, '--iidfile and --metadata-file are the same file');
      expect(read('old')).to.equal('old');
    });
  }

  it("of Tilt is refused below another user's directory in one that all share", async function () {
    if (!isRoot) this.skip();
    const shared = join(world.sandbox.root, 'shared');
    mkdirSync(join(shared, '.cache'), {recursive: true});
    chmodSync(shared, 0o1777);
    chownSync(join(shared, '.cache'), STRANGER, STRANGER);
    const file = join(shared, '.cache/kubectl-tiltbuild/tilt/web');
    const ended = await world.tiltbuild(['--image', 'localhost/web', '--ref-file', file, '.']);
    expectRefused(world, ended, 2, `.cache" belongs to another user`);
    expect(readdirSync(join(shared, '.cache'))).to.deep.equal([]);
  });
});
