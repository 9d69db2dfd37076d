/** Private files: nowhere that the build sends or that others can touch, and gone even after a run that was killed. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeEngines} from '../helpers/engines.ts';
import {program, runCommand} from '../helpers/programs.ts';
import {BUILD, describeCommand, expectBuilt, expectRefused, type World} from '../helpers/world.ts';

const SECRET = ['--secret', 'id=npm,env=NPM_TOKEN'];
const env = {NPM_TOKEN: 'hunter2'};
const isRoot = process.getuid?.() === 0;
const STRANGER = 4321;

const at = ({sandbox}: World, name: string) => join(sandbox.root, name);

/** A directory that shows whether anything was created in it. */
function makeUntouched(path: string): string {
  mkdirSync(path, {recursive: true});
  utimesSync(path, 1, 1);
  return path;
}

const isTouched = (path: string) => statSync(path).mtimeMs !== 1000;

describeEngines('a private file', ({engine, world, tiltbuild}) => {
  const link = (name: string) => symlinkSync('work', at(world, name));
  for (const [what, tmp, args, prepare] of [
    ['in the build context', 'work/t', ['.']],
    ['behind a link to it', 'link/t', ['.'], () => link('link')],
    ['in a build context behind a link', 'work/t', ['../alias'], () => link('alias')],
    ['in a build context above', 'work/t', ['-f', 'Dockerfile', '..'], () => {}],
    ['in another build context', 'more/t', ['--engine', 'builtin', '--build-context', 'x=../more', '.']],
    ['in the directory of the output', 'out/t', ['--output', 'type=local,dest=../out', '.']],
  ] as const) {
    it(`is elsewhere if TMPDIR is ${what}`, async () => {
      prepare?.();
      const temporary = makeUntouched(at(world, tmp));
      // The user's cache is the next place; where it is in the context as well, the one after it is.
      const cache = makeUntouched(at(world, 'home/.cache'));
      const ended = await tiltbuild([...SECRET, ...args], {env: {...env, TMPDIR: temporary}});
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(isTouched(temporary)).to.equal(false);
      if (args.at(-1) !== '..') expect(isTouched(cache)).to.equal(true);
      expect(readdirSync(cache).filter((name) => name !== 'kubectl-tiltbuild')).to.deep.equal([]);
      for (const {secrets, context} of world.sandbox.invocations()) {
        expect(secrets[0]).to.include({content: 'hunter2', mode: 0o600, directoryMode: 0o700});
        expect(context?.join()).to.contain('Dockerfile').and.not.contain('secret-');
      }
      if (engine === 'builtin') expect(world.sandbox.invocations()).to.deep.equal([]);
    });
  }

  it('is not written where every place is in the build context', async () => {
    const ended = await tiltbuild([...SECRET, '-f', 'Dockerfile', '/'], {env});
    expectRefused(world, ended, 4, `Cannot write temporary files in ${world.sandbox.tmp}`, 'inside "/"');
  });

  for (const [what, spoil, isForRoot] of [
    ['others may rename what is in TMPDIR', (tmp: string) => chmodSync(tmp, 0o777)],
    ['they may rename TMPDIR itself', (tmp: string) => chmodSync(join(tmp, '..'), 0o777)],
    ['TMPDIR belongs to another user', (tmp: string) => chownSync(tmp, STRANGER, STRANGER), true],
  ] as const) {
    it(`is elsewhere if ${what}`, async function () {
      if (isForRoot && !isRoot) this.skip();
      const temporary = makeUntouched(at(world, 'shared/tmp'));
      const cache = makeUntouched(at(world, 'home/.cache'));
      spoil(temporary);
      const ended = await tiltbuild([...SECRET, ...BUILD], {env: {...env, TMPDIR: temporary}});
      expectBuilt(ended);
      expect([isTouched(temporary), isTouched(cache)]).to.deep.equal([false, true]);
      chmodSync(temporary, 0o1777);
      chmodSync(join(temporary, '..'), 0o1777);
      chownSync(temporary, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
      expectBuilt(await tiltbuild([...SECRET, ...BUILD], {env: {...env, TMPDIR: temporary}}));
      expect(isTouched(temporary)).to.equal(true);
    });
  }

  it('is not in the current directory if a place is a relative path, or none is known', async () => {
    for (const [name, value] of [
      ['XDG_CACHE_HOME', 'cache'],
      ['XDG_RUNTIME_DIR', '.'],
      ['HOME', 'home'],
      ['HOME', undefined],
    ] as const) {
      const current = makeUntouched(at(world, 'elsewhere'));
      // The first choice is in the build context.
      const places = {TMPDIR: world.sandbox.work, HOME: undefined, [name]: value};
      const args = [...SECRET, '-t', 'localhost/web:dev', '../work'];
      expectBuilt(await tiltbuild(args, {cwd: current, env: {...env, ...places}}));
      expect(isTouched(current), `${name}=${value}`).to.equal(false);
    }
  });

  it('is removed even if the process may open no further file', async function () {
    if (process.platform === 'win32' || program.name === 'source') this.skip();
    const {work, env: own} = world.sandbox;
    for (const most of [10, 11, 12, 13, 14]) {
      const limit = ['-c', `ulimit -n ${most} && exec "$@"`, 'sh', program.command, ...SECRET, ...BUILD];
      const ended = await runCommand('/bin/sh', limit, {cwd: work, env: {...own, ...env}});
      expect(world.sandbox.leftovers(), ended.stderr).to.deep.equal([]);
    }
  });

  it('is in memory if that is private, and what may be large is not', async () => {
    const memory = makeUntouched(at(world, 'run'));
    for (const [mode, isTaken] of [
      [0o755, false],
      [0o700, true],
    ] as const) {
      chmodSync(memory, mode);
      const ended = await tiltbuild([...SECRET, ...BUILD], {env: {...env, XDG_RUNTIME_DIR: memory}});
      expectBuilt(ended);
      expect(isTouched(memory)).to.equal(isTaken);
    }
    expect(readdirSync(memory)).to.deep.equal([]);
    const [, second] = world.sandbox.invocations();
    if (second) expect(second.secrets[0]?.path.startsWith(memory)).to.equal(true);
    // The temporary directory of the plugin holds what it reads from standard input.
    if (second) expect(second.env.TMPDIR?.startsWith(world.sandbox.tmp)).to.equal(true);
  });
});

describeCommand('what a killed run leaves', (world) => {
  /** Starts a build that goes on until it is ended. */
  async function startSlowly() {
    world.sandbox.setDelegate('slow');
    const before = world.sandbox.invocations().length;
    const child = spawn(world.program.command, [...world.program.args, ...SECRET, ...BUILD], {
      cwd: world.sandbox.work,
      env: {...world.sandbox.env, ...env},
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    const isBuilding = new Promise<void>((resolve) => {
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
        if (stderr.includes('tick 0')) resolve();
      });
    });
    await isBuilding;
    world.sandbox.setDelegate('build');
    const delegate = world.sandbox.invocations()[before]?.pid as number;
    const end = async (signal: NodeJS.Signals) => {
      child.kill(signal);
      const [exitCode] = await once(child, 'close');
      return {exitCode, stderr};
    };
    return {child, delegate, end};
  }
  const secrets = () => world.sandbox.leftovers().filter((path) => path.endsWith('secret-0'));
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('is removed by the next run, which also ends its delegate, and touches nothing of a run that lives', async function () {
    if (process.platform !== 'linux') this.skip();
    const living = await startSlowly();
    const dead = await startSlowly();
    const [name] = readdirSync(world.sandbox.tmp).filter((one) => one.includes(String(dead.child.pid)));
    dead.child.stderr.destroy();
    dead.child.kill('SIGKILL');
    await once(dead.child, 'exit');
    expect([secrets().length, isAlive(dead.delegate)]).to.deep.equal([2, true]);
    // One without a process, one of another machine, and a link.
    const others = ['kubectl-tiltbuild-abcdef', `${name?.slice(0, -7)}x_abcdef`];
    for (const other of [...others, 'target']) mkdirSync(at(world, `tmp/${other}`));
    writeFileSync(at(world, 'tmp/target/kept'), '');
    symlinkSync('target', at(world, `tmp/${name?.slice(0, -6)}abcdef`));

    expectBuilt(await world.tiltbuild(BUILD));
    expect(secrets()).to.have.length(1);
    expect(isAlive(living.delegate)).to.equal(true);
    for (let tries = 0; isAlive(dead.delegate) && tries < 100; tries += 1)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isAlive(dead.delegate)).to.equal(false);
    expect(existsSync(at(world, 'tmp/target/kept'))).to.equal(true);
    for (const other of others) expect(existsSync(at(world, `tmp/${other}`)), other).to.equal(true);

    expect((await living.end('SIGTERM')).exitCode).to.equal(143);
    expect(secrets()).to.deep.equal([]);
    await runCommand('/bin/rm', ['-r', world.sandbox.tmp], {env: {}, cwd: '/'});
    mkdirSync(world.sandbox.tmp);
  });

  it('is named in a note if it cannot be removed, and changes no exit code', async function () {
    if (process.platform !== 'linux') this.skip();
    const build = [...program.args, ...SECRET, ...BUILD];
    // Root may do all without this.
    const [command, args] = isRoot
      ? ['/usr/bin/setpriv', ['--bounding-set=-all', '--inh-caps=-all', program.command, ...build]]
      : [program.command, build];
    writeFileSync(at(world, 'work/Dockerfile'), 'FROM scratch\n');
    const child = spawn(command, args, {cwd: world.sandbox.work, env: {...world.sandbox.env, ...env}});
    world.sandbox.setDelegate('slow');
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      if (!stderr.includes('tick 0') && String(chunk).includes('tick 0')) {
        chmodSync(world.sandbox.tmp, 0o500);
        child.kill('SIGINT');
      }
      stderr += chunk;
    });
    const [exitCode] = await once(child, 'close');
    chmodSync(world.sandbox.tmp, 0o700);
    const [left, ...files] = world.sandbox.leftovers();
    expect(exitCode).to.equal(130);
    expect(files).to.deep.equal([]);
    expect(stderr.match(/^note: .*$/gm), stderr).to.deep.equal([
      `note:  Could not remove all private files: ${join(world.sandbox.tmp, left ?? '')}`,
    ]);
    expect(stderr).to.not.match(/^ +at /m);
    await runCommand('/bin/rm', ['-r', join(world.sandbox.tmp, left ?? '')], {env: {}, cwd: '/'});
  });
});
