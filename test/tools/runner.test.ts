/** Covers starting programs, with tiny real ones: how they end, where their output goes, what signals do to them. */
import {execFile} from 'node:child_process';
import {devNull} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect} from 'chai';
import {Interrupted, type InterruptSignal} from '../../src/errors.ts';
import {SignalInterruption} from '../../src/system/interruption.ts';
import {Runner, type Sink, type SuperviseOptions} from '../../src/system/runner.ts';
import {catchError} from '../helpers/caught.ts';

const NODE = process.execPath;
const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'system');
const ENV = {PATH: process.env.PATH, MARK: 'é x'};
const ARGS = ['a b', '', '"', '$HOME', '*', 'é\n'];

/** A runner, with signals that only the test sends. */
function setUp(platform: NodeJS.Platform = 'linux') {
  const listeners = new Map<InterruptSignal, () => void>();
  const interruption = new SignalInterruption({on: (signal, listener) => listeners.set(signal, listener)});
  let exit = () => {};
  const runner = new Runner(interruption, platform, (cleanUp) => {
    exit = cleanUp;
  });
  return {runner, send: (signal: InterruptSignal) => listeners.get(signal)?.(), exit: () => exit()};
}

const ENDS = [
  ['', {exitCode: 0, signal: undefined}],
  ['process.exit(7)', {exitCode: 7, signal: undefined}],
  ['process.kill(process.pid, "SIGKILL")', {exitCode: undefined, signal: 'SIGKILL'}],
] as const;

const FOREVER = 'setInterval(() => {}, 1000);';
/** Says when it is ready, and ends by itself on the signal. */
const endsOn = (signal: string) =>
  `process.on('${signal}', () => process.exit(1)); console.error('ready'); ${FOREVER}`;
/** Reports signals, and goes on. */
const STUBBORN = `
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => console.error(signal));
  console.error('ready'); ${FOREVER}`;

describe('Runner.collect', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  const collect = (script: string, options: {readonly input?: string} = {}) =>
    setUp().runner.collect(NODE, ['-e', script], {env: ENV, onErrorLine: () => {}, ...options});

  it('reports how a program ended', async () => {
    for (const [script, ended] of ENDS)
      expect(await collect(script)).to.deep.equal({...ended, stdout: '', stderr: ''});
  });

  it('returns both outputs unchanged, and passes arguments and environment without a shell', async () => {
    const script = 'console.log(JSON.stringify([process.argv.slice(1), process.env])); console.error("$x ");';
    const lines: string[] = [];
    const {stdout, stderr} = await setUp().runner.collect(NODE, ['-e', script, '--', ...ARGS], {
      env: ENV,
      onErrorLine: (line) => lines.push(line),
    });
    const [argv, env] = JSON.parse(stdout);
    expect(argv).to.deep.equal(ARGS);
    expect(env).to.include(ENV).and.not.have.property('HOME');
    expect({lines, stderr, last: stdout.at(-1)}).to.deep.equal({lines: ['$x '], stderr: '$x \n', last: '\n'});
  });

  it('gives a program its input, and does not fail if it does not read it', async () => {
    const script = 'process.stdin.on("end", () => console.log("end")).pipe(process.stdout)';
    const large = 'é'.repeat(500_000);
    expect((await collect(script)).stdout).to.equal('end\n');
    expect((await collect(script, {input: large})).stdout === `${large}end\n`).to.equal(true);
    expect(await collect('process.exit(3)', {input: large})).to.include({exitCode: 3});
  });

  it('throws if a program cannot be started', async () => {
    const run = setUp().runner.collect('/nowhere/x', [], {env: ENV, onErrorLine: () => {}});
    expect(String(await catchError(run))).to.include('ENOENT');
  });

  it('ends the program on a signal, and throws', async () => {
    const {runner, send} = setUp();
    const run = runner.collect(NODE, ['-e', FOREVER], {env: ENV, onErrorLine: () => {}});
    setTimeout(() => send('SIGHUP'), 100);
    expect(await catchError(run))
      .to.be.instanceOf(Interrupted)
      .with.property('signal', 'SIGHUP');
  });
});

// The way a program is started depends on its standard input.
for (const [way, from] of [
  ['directly', {}],
  ['through execa', {input: devNull}],
] as const) {
  describe(`Runner.supervise, ${way}`, () => {
    before(function () {
      if (process.platform === 'win32') this.skip();
    });

    const supervise = (
      runner: Runner,
      script: string,
      stderr: Sink = () => {},
      options: Partial<SuperviseOptions> = {},
    ) =>
      runner.supervise(NODE, ['-e', script, '--', ...ARGS], {
        env: ENV,
        stdout: 'stderr',
        ...from,
        stderr,
        ...options,
      });

    /** Calls `react` with each line of standard error, and returns how the program ended and those lines. */
    async function watch(
      runner: Runner,
      script: string,
      react: (line: string) => void = () => {},
      options: Partial<SuperviseOptions> = {},
    ) {
      const heard: string[] = [];
      const hear = (chunk: Uint8Array) => {
        for (const line of Buffer.from(chunk).toString().split('\n').filter(Boolean)) {
          heard.push(line);
          react(line);
        }
      };
      return {...(await supervise(runner, script, hear, options)), heard};
    }

    it('reports how a program ended', async () => {
      for (const [script, ended] of ENDS)
        expect(await supervise(setUp().runner, script)).to.deep.equal(ended);
    });

    it('passes arguments and environment without a shell', async () => {
      const script = 'console.error(JSON.stringify([process.argv.slice(1), process.env]))';
      const env = {...ENV, GONE: undefined};
      const {heard} = await watch(setUp().runner, script, () => {}, {env});
      const [argv, seen] = JSON.parse(heard.join(''));
      expect(argv).to.deep.equal(ARGS);
      expect(seen).to.include(ENV).and.not.have.any.keys('HOME', 'GONE');
    });

    it('throws if a program cannot be started', async () => {
      for (const stderr of ['inherit', () => {}] as const) {
        const options = {env: ENV, stdout: 'stderr', stderr, ...from} as const;
        const error = await catchError(setUp().runner.supervise('/nowhere/x', [], options));
        expect(String(error)).to.include('ENOENT');
      }
    });

    it("sends a program's standard output to ours, or to standard error", async () => {
      const outer = `
        import {Runner} from ${JSON.stringify(join(SOURCE, 'runner.ts'))};
        import {SignalInterruption} from ${JSON.stringify(join(SOURCE, 'interruption.ts'))};
        const runner = new Runner(new SignalInterruption({on() {}}), 'linux', () => {});
        for (const stdout of ['inherit', 'stderr'])
          await runner.supervise(process.execPath, ['-e', 'console.log("to " + ' + JSON.stringify(stdout) + ')'],
            {env: process.env, stdout, stderr: 'inherit', ...${JSON.stringify(from)}});`;
      const ended = await promisify(execFile)(NODE, ['--input-type=module', '-e', outer], {env: ENV});
      expect(ended).to.include({stdout: 'to inherit\n', stderr: 'to stderr\n'});
    });

    it('passes pieces on one after the other, has the program wait, and loses none', async () => {
      const script =
        'const b = Buffer.alloc(65536, "x"); for (let i = 0; i < 64; i++) require("fs").writeSync(2, b);';
      let [open, most, bytes, ended] = [0, 0, 0, false];
      const gate = Promise.withResolvers<void>();
      const run = supervise(setUp().runner, script, async (chunk) => {
        open += 1;
        most = Math.max(most, open);
        await gate.promise;
        bytes += chunk.length;
        open -= 1;
      });
      run.finally(() => {
        ended = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect({open, bytes, ended}).to.deep.equal({open: 1, bytes: 0, ended: false});
      gate.resolve();
      expect(await run).to.deep.equal({exitCode: 0, signal: undefined});
      expect({most, bytes}).to.deep.equal({most: 1, bytes: 64 * 65536});
    });

    const KILLED = {exitCode: undefined, signal: 'SIGKILL'};
    for (const [sent, received] of [
      ['SIGINT', 'SIGINT'],
      ['SIGTERM', 'SIGTERM'],
      // kubectl build does not cancel on SIGHUP.
      ['SIGHUP', 'SIGTERM'],
    ] as const) {
      it(`passes ${sent} on once as ${received}; the second signal kills`, async () => {
        const {runner, send} = setUp();
        const ended = await watch(runner, STUBBORN, (line) => {
          if (line === 'ready') send(sent);
          // Time enough for another one to arrive, if there were any.
          if (line === received) setTimeout(() => send('SIGINT'), 200);
        });
        expect(ended).to.deep.equal({...KILLED, heard: ['ready', received]});
      });
    }

    it('stops a program once, with SIGTERM; signals to us still count from one', async () => {
      const {runner, send} = setUp();
      const stop = new AbortController();
      const react = (line: string) => {
        if (line === 'ready') stop.abort();
        if (line === 'SIGTERM') setTimeout(() => send('SIGINT'), 200);
        if (line === 'SIGINT') send('SIGINT');
      };
      const ended = await watch(runner, STUBBORN, react, {stop: stop.signal});
      expect(ended).to.deep.equal({...KILLED, heard: ['ready', 'SIGTERM', 'SIGINT']});
    });

    it('stops a program that starts after the order to stop', async () => {
      const options = {stop: AbortSignal.abort()};
      const ended = await supervise(setUp().runner, FOREVER, () => {}, options);
      expect(ended).to.deep.equal({exitCode: undefined, signal: 'SIGTERM'});
    });

    it('ends a program that still runs when we end, and no other', async () => {
      const {runner, exit} = setUp();
      const ended = await supervise(runner, endsOn('SIGTERM'), exit);
      expect(ended).to.deep.equal({exitCode: 1, signal: undefined});
      exit();
    });

    it('ends a program whose output could not be kept when we end', async () => {
      const {runner, exit} = setUp();
      const pid = Promise.withResolvers<number>();
      const run = supervise(runner, `console.error(process.pid); ${FOREVER}`, (chunk) => {
        pid.resolve(Number(Buffer.from(chunk)));
        throw new Error('the disk is full');
      });
      expect(await catchError(run)).to.have.property('message', 'the disk is full');
      exit();
      await waitUntilGone(await pid.promise);
    });
  });
}

/** Fails by the test's own time limit if the process does not end. */
async function waitUntilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

it('Runner.supervise sends nothing on Windows, where the console signals the program; the second signal kills', async function () {
  if (process.platform === 'win32') this.skip();
  const {runner, send} = setUp('win32');
  let heard = '';
  const ended = await runner.supervise(NODE, ['-e', STUBBORN], {
    env: ENV,
    stdout: 'stderr',
    stderr: (chunk) => {
      heard += Buffer.from(chunk);
      send('SIGINT');
      setTimeout(() => send('SIGINT'), 200);
    },
  });
  expect({heard, ...ended}).to.deep.equal({heard: 'ready\n', exitCode: undefined, signal: 'SIGKILL'});
});
