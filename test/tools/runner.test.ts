/** Covers starting programs, with tiny real ones: how they end, where their output goes, what signals do to them. */
import {execFile} from 'node:child_process';
import {devNull} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect} from 'chai';
import {Interrupted} from '../../src/errors.ts';
import {Runner, type Sink, type SuperviseOptions} from '../../src/system/runner.ts';
import {catchError} from '../helpers/caught.ts';

const NODE = process.execPath;
const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'system');
const ENV = {PATH: process.env.PATH, MARK: 'é x'};
const ARGS = ['a b', '', '"', '$HOME', '*', 'é\n'];

/** A runner, with an end of the process that only the test brings. */
function setUp(platform: NodeJS.Platform = 'linux', hasTerminal = false) {
  let exit = () => {};
  const atExit = (cleanUp: () => void) => {
    exit = cleanUp;
  };
  return {runner: new Runner(platform, atExit, () => hasTerminal), exit: () => exit()};
}

const NEVER = new AbortController().signal;

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
      onErrorLine: (line) => void lines.push(line),
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

  it('ends a program that takes too long, and one that prints too much', async () => {
    const options = {env: ENV, onErrorLine: () => {}};
    const late = await setUp().runner.collect(NODE, ['-e', FOREVER], {...options, timeout: 50});
    expect(late).to.include({exitCode: undefined, signal: 'SIGKILL'});
    const endless = 'const b = Buffer.alloc(65536, 120); for (;;) require("fs").writeSync(1, b)';
    const run = setUp().runner.collect(NODE, ['-e', endless], {...options, longest: 1024 * 1024});
    expect((await catchError(run)).message).to.equal(`The program "${NODE}" printed more than 1 MB.`);
  });

  it('passes on the start of a long line, and keeps the start of long errors', async () => {
    const lines: string[] = [];
    const script = 'process.stderr.write("x".repeat(3_000_000) + "\\nlast\\n")';
    const {stderr} = await setUp().runner.collect(NODE, ['-e', script], {
      env: ENV,
      onErrorLine: (line) => void lines.push(line),
    });
    expect(lines.map(({length}) => length)).to.deep.equal([65_536, 4]);
    expect(stderr).to.have.length(1024 * 1024);
  });

  it('waits for nothing that a program leaves behind, and still has all of its output', async () => {
    const script = `
      const {spawn} = require('child_process');
      const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {detached: true, stdio: 'inherit'});
      process.stdout.write(child.pid + ' ' + 'x'.repeat(3_000_000), () => process.exit(0));`;
    const {stdout, exitCode} = await collect(script);
    process.kill(Number.parseInt(stdout, 10));
    expect([exitCode, stdout.replace(/^\d+ /, '').length]).to.deep.equal([0, 3_000_000]);
  });

  it('ends with us', async () => {
    const {runner, exit} = setUp();
    const onErrorLine = (line: string) => line === 'ready' && exit();
    const run = runner.collect(NODE, ['-e', endsOn('SIGTERM')], {
      env: ENV,
      onErrorLine: (line) => void onErrorLine(line),
    });
    expect(await run).to.include({exitCode: 1});
  });
});

// The way a program is started depends on its standard input.
for (const [way, from] of [
  ['directly', {}],
  ['with a file as input', {input: devNull}],
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
        stop: NEVER,
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
        const options = {env: ENV, stdout: 'stderr', stderr, stop: NEVER, ...from} as const;
        const error = await catchError(setUp().runner.supervise('/nowhere/x', [], options));
        expect(String(error)).to.include('ENOENT');
      }
    });

    it("sends a program's standard output to ours, or to standard error", async () => {
      const outer = `
        import {Runner} from ${JSON.stringify(join(SOURCE, 'runner.ts'))};
        const runner = new Runner('linux', () => {});
        const stop = new AbortController().signal;
        for (const stdout of ['inherit', 'stderr'])
          await runner.supervise(process.execPath, ['-e', 'console.log("to " + ' + JSON.stringify(stdout) + ')'],
            {env: process.env, stdout, stderr: 'inherit', stop, ...${JSON.stringify(from)}});`;
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
    for (const [reason, received] of [
      [new Interrupted('SIGINT'), 'SIGINT'],
      [new Interrupted('SIGTERM'), 'SIGTERM'],
      // kubectl build does not cancel on SIGHUP.
      [new Interrupted('SIGHUP'), 'SIGTERM'],
      [new Error('lost'), 'SIGTERM'],
    ] as const) {
      it(`stops a program once, with ${received} for ${reason}, and kills it when we end`, async () => {
        const {runner, exit} = setUp();
        const stop = new AbortController();
        const react = (line: string) => {
          if (line === 'ready') stop.abort(reason);
          // Time enough for another one to arrive, if there were any.
          if (line === received) setTimeout(exit, 200);
        };
        const ended = await watch(runner, STUBBORN, react, {stop: stop.signal});
        expect(ended).to.deep.equal({...KILLED, heard: ['ready', received]});
      });
    }

    it('leaves SIGINT to the terminal at first, and sends it later to a program that did not get that', async () => {
      const stop = new AbortController();
      const react = (line: string) => line === 'ready' && stop.abort(new Interrupted('SIGINT'));
      const {runner} = setUp('linux', true);
      const script = `
        let told; process.on('SIGINT', () => { console.error(told ? 'late' : 'early'); process.exit(1); });
        setTimeout(() => { told = true }, 700); console.error('ready'); ${FOREVER}`;
      const ended = await watch(runner, script, (line) => void react(line), {stop: stop.signal});
      expect(ended).to.deep.equal({exitCode: 1, signal: undefined, heard: ['ready', 'late']});
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

it('Runner.supervise sends nothing on Windows, where the console signals the program; our end kills', async function () {
  if (process.platform === 'win32') this.skip();
  const {runner, exit} = setUp('win32');
  const stop = new AbortController();
  let heard = '';
  const ended = await runner.supervise(NODE, ['-e', STUBBORN], {
    env: ENV,
    stdout: 'stderr',
    stop: stop.signal,
    stderr: (chunk) => {
      heard += Buffer.from(chunk);
      stop.abort(new Interrupted('SIGINT'));
      setTimeout(exit, 200);
    },
  });
  expect({heard, ...ended}).to.deep.equal({heard: 'ready\n', exitCode: undefined, signal: 'SIGKILL'});
});
