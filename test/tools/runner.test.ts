/** Covers starting programs, with tiny real ones: how they end, where their output goes, what signals do to them. */
import {execFile} from 'node:child_process';
import {devNull} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect} from 'chai';
import {Interrupted, type InterruptSignal} from '../../src/errors.ts';
import {SignalInterruption} from '../../src/system/interruption.ts';
import {Runner} from '../../src/system/runner.ts';
import {catchError} from '../helpers/caught.ts';

const NODE = process.execPath;
const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'system');
const ENV = {PATH: process.env.PATH, MARK: 'é x'};

/** Signals that nobody sends but the test. */
function makeSignals() {
  const listeners = new Map<InterruptSignal, () => void>();
  const interruption = new SignalInterruption({on: (signal, listener) => listeners.set(signal, listener)});
  return {interruption, send: (signal: InterruptSignal) => listeners.get(signal)?.()};
}

function setUp(platform: NodeJS.Platform = 'linux') {
  const {interruption, send} = makeSignals();
  const atExit: (() => void)[] = [];
  const runner = new Runner(interruption, platform, (cleanUp) => atExit.push(cleanUp));
  const exit = () => {
    for (const cleanUp of atExit) cleanUp();
  };
  return {runner, send, exit};
}

/** What a program reads from says how it is started. */
const WAYS = [
  ['directly', {}],
  ['through execa', {input: devNull}],
] as const;
type Way = (typeof WAYS)[number][1];

const ARGS = ['a b', '', '"', '$HOME', '*', 'é\n'];

/** A program that goes on after signals, and says so. */
const STUBBORN = `
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.stderr.write(signal + '\\n'));
  process.stderr.write('ready\\n');
  setInterval(() => {}, 1000);`;

/** Runs `script`, calling `heard` with each line that it writes to stderr. */
async function supervise(
  runner: Runner,
  script: string,
  heard: (text: string) => void,
  options: Way & {readonly stop?: AbortSignal} = {},
) {
  return await runner.supervise(NODE, ['-e', script], {
    env: ENV,
    stdout: 'stderr',
    ...options,
    stderr: (chunk) => {
      for (const line of Buffer.from(chunk).toString().split('\n')) if (line !== '') heard(line);
    },
  });
}

const ENDS = [
  ['', {exitCode: 0, signal: undefined}],
  ['process.exit(7)', {exitCode: 7, signal: undefined}],
  ['process.kill(process.pid, "SIGKILL")', {exitCode: undefined, signal: 'SIGKILL'}],
] as const;

/** Says so when it is there, and ends by itself with the signal. */
function endsOn(signal: string): string {
  return `process.on('${signal}', () => process.exit(1)); console.error('ready'); setInterval(() => {}, 1000);`;
}

describe('Runner.collect', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  for (const [script, ended] of ENDS) {
    it(`tells how a program ended: ${script || 'well'}`, async () => {
      const {runner} = setUp();
      expect(await runner.collect(NODE, ['-e', script], {env: ENV, onErrorLine: () => {}})).to.deep.equal({
        ...ended,
        stdout: '',
        stderr: '',
      });
    });
  }

  it('gives both outputs as they are, and the program its arguments and environment without a shell', async () => {
    const script = 'console.log(JSON.stringify([process.argv.slice(1), process.env])); console.error("$x ");';
    const lines: string[] = [];
    const {stdout, stderr} = await setUp().runner.collect(NODE, ['-e', script, '--', ...ARGS], {
      env: ENV,
      onErrorLine: (line) => lines.push(line),
    });
    expect(lines).to.deep.equal(['$x ']);
    const [argv, env] = JSON.parse(stdout);
    expect(argv).to.deep.equal(ARGS);
    expect(env).to.include(ENV).and.not.have.property('HOME');
    expect([stdout.endsWith('\n'), stderr]).to.deep.equal([true, '$x \n']);
  });

  const ECHO = 'process.stdin.on("end", () => console.log("end")).pipe(process.stdout)';
  for (const [input, output] of [
    [undefined, 'end\n'],
    ['', 'end\n'],
    ['{"a": "é"}\n', '{"a": "é"}\nend\n'],
    ['x'.repeat(1_000_000), `${'x'.repeat(1_000_000)}end\n`],
  ] as const) {
    it(`gives a program ${input?.length ?? 'no'} characters to read`, async () => {
      const {stdout} = await setUp().runner.collect(NODE, ['-e', ECHO], {
        env: ENV,
        ...(input !== undefined && {input}),
        onErrorLine: () => {},
      });
      expect(stdout === output).to.equal(true);
    });
  }

  it('gives no failure for a program that does not read what it is given', async () => {
    const {exitCode} = await setUp().runner.collect(NODE, ['-e', 'process.exit(3)'], {
      env: ENV,
      input: 'x'.repeat(1_000_000),
      onErrorLine: () => {},
    });
    expect(exitCode).to.equal(3);
  });

  it('throws where a program cannot be started', async () => {
    const error = await catchError(
      setUp().runner.collect('/nowhere/x', [], {env: ENV, onErrorLine: () => {}}),
    );
    expect(error).to.be.instanceOf(Error).and.not.instanceOf(Interrupted);
    expect(String(error)).to.include('ENOENT');
  });

  it('ends the program at a signal, and says that it was interrupted', async () => {
    const {runner, send} = setUp();
    const run = runner.collect(NODE, ['-e', 'setInterval(() => {}, 1000)'], {
      env: ENV,
      onErrorLine: () => {},
    });
    setTimeout(() => send('SIGHUP'), 100);
    expect(await catchError(run))
      .to.be.instanceOf(Interrupted)
      .with.property('signal', 'SIGHUP');
  });
});

for (const [way, from] of WAYS) {
  describe(`Runner.supervise, ${way}`, () => {
    before(function () {
      if (process.platform === 'win32') this.skip();
    });

    for (const [script, ended] of ENDS) {
      it(`tells how a program ended: ${script || 'well'}`, async () => {
        expect(await supervise(setUp().runner, script, () => {}, from)).to.deep.equal(ended);
      });
    }

    it('gives a program its arguments and its environment without a shell', async () => {
      const script = 'console.error(JSON.stringify([process.argv.slice(1), process.env]))';
      let said = '';
      await setUp().runner.supervise(NODE, ['-e', script, '--', ...ARGS], {
        env: {...ENV, GONE: undefined},
        stdout: 'stderr',
        ...from,
        stderr: (chunk) => {
          said += Buffer.from(chunk).toString();
        },
      });
      const [argv, env] = JSON.parse(said);
      expect(argv).to.deep.equal(ARGS);
      expect(env).to.include(ENV).and.not.have.any.keys('HOME', 'GONE');
    });

    it('throws where a program cannot be started', async () => {
      for (const stderr of ['inherit', () => {}] as const) {
        const options = {env: ENV, stdout: 'stderr', stderr, ...from} as const;
        const error = await catchError(setUp().runner.supervise('/nowhere/x', [], options));
        expect(error).to.be.instanceOf(Error).and.not.instanceOf(Interrupted);
        expect(String(error)).to.include('ENOENT');
      }
    });

    for (const [stdout, out, err] of [
      ['stderr', '', 'to out\n'],
      ['inherit', 'to out\n', ''],
    ] as const) {
      it(`leads a program's standard output to ${stdout === 'stderr' ? 'stderr' : 'our own'}`, async () => {
        const outer = `
          import {Runner} from ${JSON.stringify(join(SOURCE, 'runner.ts'))};
          import {SignalInterruption} from ${JSON.stringify(join(SOURCE, 'interruption.ts'))};
          const runner = new Runner(new SignalInterruption({on() {}}), 'linux', () => {});
          await runner.supervise(process.execPath, ['-e', 'console.log("to out")'],
            {env: process.env, stdout: '${stdout}', stderr: 'inherit', ...${JSON.stringify(from)}});`;
        const seen = await promisify(execFile)(NODE, ['--input-type=module', '-e', outer], {env: ENV});
        expect(seen).to.include({stdout: out, stderr: err});
      });
    }

    it('gives pieces one after the other, lets the program wait, and loses none', async () => {
      const script =
        'const b = Buffer.alloc(65536, "x"); for (let i = 0; i < 64; i++) require("fs").writeSync(2, b);';
      let [open, most, bytes, ended] = [0, 0, 0, false];
      let release = () => {};
      const gate = new Promise<void>((resolve) => {
        release = resolve;
      });
      const run = setUp().runner.supervise(NODE, ['-e', script], {
        env: ENV,
        stdout: 'stderr',
        ...from,
        stderr: async (chunk) => {
          open += 1;
          most = Math.max(most, open);
          await gate;
          bytes += chunk.length;
          open -= 1;
        },
      });
      run.finally(() => {
        ended = true;
      });
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect({open, bytes, ended}).to.deep.equal({open: 1, bytes: 0, ended: false});
      release();
      expect(await run).to.deep.equal({exitCode: 0, signal: undefined});
      expect({most, bytes}).to.deep.equal({most: 1, bytes: 64 * 65536});
    });

    for (const [sent, received] of [
      ['SIGINT', 'SIGINT'],
      ['SIGTERM', 'SIGTERM'],
      // kubectl build does not cancel on SIGHUP.
      ['SIGHUP', 'SIGTERM'],
    ] as const) {
      it(`hands ${sent} on once as ${received}; the second signal kills`, async () => {
        const {runner, send} = setUp();
        const heard: string[] = [];
        const hear = (line: string) => {
          heard.push(line);
          if (line === 'ready') send(sent);
          // Time enough for a second one, if there were any.
          if (line === received) setTimeout(() => send('SIGINT'), 200);
        };
        const ended = await supervise(runner, STUBBORN, hear, from);
        expect(heard).to.deep.equal(['ready', received]);
        expect(ended).to.deep.equal({exitCode: undefined, signal: 'SIGKILL'});
      });
    }

    it('lets a program end by itself after the first signal', async () => {
      const {runner, send} = setUp();
      const ended = await supervise(runner, endsOn('SIGINT'), () => send('SIGINT'), from);
      expect(ended).to.deep.equal({exitCode: 1, signal: undefined});
    });

    it('ends a program that is to be stopped, once, as a signal for us would', async () => {
      const {runner, send} = setUp();
      const stop = new AbortController();
      const heard: string[] = [];
      const hear = (line: string) => {
        heard.push(line);
        if (line === 'ready') stop.abort();
        if (line === 'SIGTERM') setTimeout(() => send('SIGINT'), 200);
        // The first signal for us goes on as ever, and only the second one kills.
        if (line === 'SIGINT') send('SIGINT');
      };
      const ended = await supervise(runner, STUBBORN, hear, {...from, stop: stop.signal});
      expect(heard).to.deep.equal(['ready', 'SIGTERM', 'SIGINT']);
      expect(ended).to.deep.equal({exitCode: undefined, signal: 'SIGKILL'});
    });

    it('tells how a program ended that cancelled as it was to be stopped', async () => {
      const stop = new AbortController();
      const options = {...from, stop: stop.signal};
      const ended = await supervise(setUp().runner, endsOn('SIGTERM'), () => stop.abort(), options);
      expect(ended).to.deep.equal({exitCode: 1, signal: undefined});
    });

    it('ends a program that was to be stopped before it began', async () => {
      const script = 'setTimeout(() => process.exit(0), 3000);';
      const options = {...from, stop: AbortSignal.abort()};
      const ended = await supervise(setUp().runner, script, () => {}, options);
      expect(ended).to.deep.equal({exitCode: undefined, signal: 'SIGTERM'});
    });

    it('ends a program that still runs when we end', async () => {
      const {runner, exit} = setUp();
      const heard: string[] = [];
      const hear = (line: string) => {
        heard.push(line);
        exit();
      };
      const ended = await supervise(runner, endsOn('SIGTERM'), hear, from);
      expect({heard, ended}).to.deep.equal({heard: ['ready'], ended: {exitCode: 1, signal: undefined}});
      exit();
    });
  });
}

describe('Runner.supervise on Windows', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('sends nothing, as the console has told the program', async () => {
    const {runner, send} = setUp('win32');
    const heard: string[] = [];
    await supervise(runner, STUBBORN, (line) => {
      heard.push(line);
      send('SIGINT');
      setTimeout(() => send('SIGINT'), 200);
    });
    expect(heard).to.deep.equal(['ready']);
  });
});
