/**
 * Covers every method of every port, failing in every way, in every command: the outcome is an error for the user or a
 * success, and nothing is left behind.
 */
import {EventEmitter, once} from 'node:events';
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {Readable, Writable} from 'node:stream';
import {expect} from 'chai';
import {runBuilderCommand} from '../../src/builder/commands/run-command.ts';
import {readCommandLine} from '../../src/cli/argv/command-line.ts';
import {runDoctor} from '../../src/doctor/run-doctor.ts';
import {Interrupted, TiltbuildError} from '../../src/errors.ts';
import {buildImage} from '../../src/image-build/build-image.ts';
import {type BuildResult, formatResult} from '../../src/image-build/build-result.ts';
import {dryRunBuild} from '../../src/image-build/dry-run.ts';
import {type Host, makeAdapters} from '../../src/make-ports.ts';
import type {Notes, Ports} from '../../src/ports.ts';
import type {Surroundings} from '../../src/surroundings.ts';
import {describeFaults} from '../../src/system/describe-faults.ts';
import {Interruption} from '../../src/system/interruption.ts';
import {Terminal} from '../../src/system/terminal.ts';
import {describeSystemError} from '../../src/system-error.ts';
import {makeState} from '../helpers/api/state.ts';
import {type ApiServer, startApiServer} from '../helpers/api-server.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {FaultInjector, type Plan, type Seen} from '../helpers/faults.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';
import {serveSeveralNodes} from '../helpers/several-nodes.ts';
import {furnish, KIND_NAMES} from '../helpers/world.ts';

interface UseCase {
  readonly args: (sandbox: Sandbox) => readonly string[];
  /** Without the plugin on PATH. */
  readonly builtin?: true;
  readonly stdin?: string;
  /** Nodes with a pod of the builder on each; one without them. */
  readonly nodes?: readonly string[];
}

const build =
  (...more: readonly string[]) =>
  ({work}: Sandbox) => ['-t', 'localhost/web:dev', ...more, work];

const USE_CASES: Readonly<Record<string, UseCase>> = {
  'a build with the builtin engine': {
    args: ({work}) => ['-t', 'localhost/web:dev', '--secret', `id=npm,src=${join(work, 'Dockerfile')}`, work],
    builtin: true,
  },
  'a build with kubectl build': {args: build('--secret', 'id=npm,env=HOME')},
  'a quiet build with kubectl build': {args: build('--quiet')},
  'a build with a reference file': {
    args: ({work, root}) => ['--image', 'localhost/web', '--ref-file', join(root, 'refs', 'web'), work],
    builtin: true,
  },
  'a build for several nodes': {
    args: ({work, root}) => ['--image', 'localhost/web', '--ref-file', join(root, 'refs', 'web'), work],
    builtin: true,
    nodes: ['one', 'two', 'three'],
  },
  'a build of standard input': {
    args: () => ['-t', 'localhost/web:dev', '-'],
    stdin: 'FROM scratch\n',
    builtin: true,
  },
  'a dry run': {args: build('--dry-run')},
  'builder create': {args: () => ['builder', 'create', 'other']},
  'builder ls': {args: () => ['builder', 'ls']},
  'builder rm': {args: () => ['builder', 'rm', 'buildkit', '--yes']},
  'builder prune': {args: () => ['builder', 'prune']},
  'builder du': {args: () => ['builder', 'du']},
  doctor: {args: () => ['doctor']},
};

const systemError = (code: string, syscall: string) => () =>
  Object.assign(new Error(`${code}: injected, ${syscall}`), {code, syscall, errno: -1});

const FAULTS: Readonly<Record<string, () => Error>> = {
  EPERM: systemError('EPERM', 'open'),
  ENOSPC: systemError('ENOSPC', 'write'),
  EIO: systemError('EIO', 'read'),
  EMFILE: systemError('EMFILE', 'open'),
  reset: systemError('ECONNRESET', 'read'),
  abort: () => new DOMException('This operation was aborted', 'AbortError'),
};

const OUTAGES: Readonly<Record<string, ApiServer['state']['failWith']>> = {
  429: 429,
  503: 503,
  reset: 'destroy',
};

/** Methods that are about nothing that could be named: clocks, chance, our own streams. */
const NAMELESS =
  /^notes\.|^(?:now|wallClock|sleep|confirm|withGrace)$|^builtin\.(?:random|every|terminalSize|show|machine)$/;

interface Outcome {
  readonly error: unknown;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly requests: number;
  readonly problems: readonly string[];
}

/** Pairs of a method and a fault that some command has met: the next commands take one fault for each method. */
const tried = new Set<string>();

/** What the API server does from its n-th request on. */
interface Outage {
  readonly from: number;
  readonly failWith: ApiServer['state']['failWith'];
}

/** One command, from its line to its end, in a world of its own. */
async function run(
  api: ApiServer,
  useCase: UseCase,
  {plan, outage}: {plan?: Plan & {readonly isAsync: boolean}; outage?: Outage} = {},
): Promise<Outcome> {
  const sandbox = await makeSandbox();
  Reflect.deleteProperty(api.state, 'failWith');
  Object.assign(api.state, makeState());
  furnish(api);
  const buildkit = serveBuildkit({api});
  if (useCase.nodes !== undefined) serveSeveralNodes({api}, buildkit, useCase.nodes);
  sandbox.writeKubeconfig(api.kubeconfig({auth: 'certificate', names: KIND_NAMES, directory: sandbox.root}));
  const before = api.requests.length;
  const started = performance.now();
  const isOut = () => outage !== undefined && api.requests.length - before >= outage.from;
  Object.defineProperty(api.state, 'failWith', {
    configurable: true,
    get: () => (isOut() ? outage?.failWith : undefined),
  });
  const PATH = useCase.builtin ? realKubectlDirectory() : sandbox.env.PATH;
  const process = makeProcess({...sandbox.env, PATH}, useCase.stdin);
  const injector = new FaultInjector(
    plan && {
      ...plan,
      fail: () => {
        const error = plan.fail();
        if (error.name === 'AbortError') process.emit('SIGINT');
        return error;
      },
    },
  );
  const interruption = new Interruption(process, () => undefined);
  const terminal = new Terminal(process);
  const host: Host = {process, temporaryRoot: () => sandbox.tmp, hostname: () => 'here'};
  const notes: Notes = {note: () => undefined, detail: () => undefined};
  const adapters = makeAdapters(host, interruption, terminal, notes, () => undefined);
  const surroundings: Surroundings = {
    env: process.env,
    cwd: sandbox.work,
    platform: process.platform,
    terminal: false,
    resultTerminal: () => false,
    toolVersion: '1',
    self: {program: '/bin/false', args: []},
  };
  const problems: string[] = [];
  let error: unknown;
  try {
    const working = perform(
      useCase.args(sandbox),
      surroundings,
      // A limit counts from the start of the program, which this process is not.
      describeFaults(injector.wrap({...adapters, now: () => performance.now() - started})),
      terminal,
    );
    const limit = new AbortController();
    const late = once(AbortSignal.timeout(60_000), 'abort', {
      signal: limit.signal,
    });
    await Promise.race([
      interruption.cutOff(working),
      late.then(() => Promise.reject(new Error('it hangs'))),
    ]).finally(() => limit.abort());
  } catch (thrown) {
    error = describeSystemError(thrown);
  }
  injector.isOver = true;
  process.emit('exit');
  problems.push(...judge(error, plan));
  if (sandbox.leftovers().length > 0) problems.push(`left ${sandbox.leftovers().join(', ')}`);
  if (!(await childrenEnd())) problems.push('a child is alive');
  sandbox.remove();
  return {error, seen: injector.seen, requests: api.requests.length - before, problems};
}

function makeProcess(env: Record<string, string | undefined>, input = '') {
  const sink = () => new Writable({write: (_chunk, _encoding, done) => done()});
  const {platform, arch} = process;
  const streams = {stdin: Readable.from([input]), stdout: sink(), stderr: sink()};
  return Object.assign(new EventEmitter(), {env, platform, arch, ...streams}) as unknown as Host['process'] &
    EventEmitter;
}

async function perform(
  argv: readonly string[],
  surroundings: Surroundings,
  ports: Ports,
  terminal: Terminal,
): Promise<unknown> {
  const invocation = await readCommandLine(argv, surroundings);
  switch (invocation.kind) {
    case 'build': {
      const {request} = invocation;
      if (invocation.dryRun) return await dryRunBuild(request, surroundings, ports);
      const deliver = (result: BuildResult) => terminal.writeResult(formatResult(result, request.print));
      return await buildImage(request, surroundings, ports, deliver);
    }
    case 'builder':
      return await runBuilderCommand(invocation.request, surroundings, ports);
    case 'doctor':
      return await runDoctor(invocation.request, surroundings, ports);
    default:
      return expect.fail(`${invocation.kind} has no use case`);
  }
}

function judge(error: unknown, plan: Plan | undefined): readonly string[] {
  if (error === undefined || error instanceof Interrupted) return [];
  if (!(error instanceof TiltbuildError)) return [`a bug: ${error instanceof Error ? error.stack : error}`];
  const {message} = error;
  const isNamed = /"[^"]+"|\/|standard (?:input|output|error)|the temporary directory|kubectl|in pod /.test(
    message,
  );
  return [
    ...(message.includes('\n') ? [`several lines: ${message}`] : []),
    ...(isNamed || (plan && NAMELESS.test(plan.method)) ? [] : [`names nothing: ${message}`]),
  ];
}

/** Whether none of our children is left, or soon none. */
async function childrenEnd(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  for (let wait = 0; wait < 60; wait += 1) {
    if (!readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && parentOf(pid) === process.pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

function parentOf(pid: string): number {
  try {
    return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1]);
  } catch {
    return 0;
  }
}

describe('the fault matrix', () => {
  let api: ApiServer;
  before(async () => {
    api = await startApiServer();
  });
  after(() => api.close());
  for (const [number, [title, useCase]] of Object.entries(USE_CASES).entries()) {
    it(title, async function () {
      this.timeout(600_000);
      const well = await run(api, useCase);
      expect(well.error, String(well.error)).to.equal(undefined);
      expect(well.problems).to.deep.equal([]);
      const problems: string[] = [];
      const check = async (what: string, faulty: Parameters<typeof run>[2]) => {
        const outcome = await run(api, useCase, faulty);
        problems.push(...outcome.problems.map((problem) => `${what}: ${problem}`));
      };
      for (const [turn, [method, {calls, isAsync}]] of [...well.seen].entries()) {
        for (const [index, [name, fail]] of Object.entries(FAULTS).entries()) {
          const pair = `${method} ${name}`;
          if (tried.has(pair) && index !== turn % Object.keys(FAULTS).length) continue;
          tried.add(pair);
          // The first, the last and one between, in turn.
          const call = [1, calls, Math.ceil(calls / 2)][index % 3] as number;
          await check(`${method} #${call} ${name}`, {plan: {method, call, isAsync, fail}});
        }
      }
      for (const [turn, [name, failWith]] of Object.entries(OUTAGES).entries()) {
        // kubectl asks again for ten seconds where a connection is torn.
        const last = name === 'reset' ? 2 : well.requests;
        // Each waits for its retries: at the first request, the last and one between, from command to command.
        const from = [1, Math.ceil(last / 2), last][(number + turn) % 3] as number;
        await check(`request #${from} ${name}`, {outage: {from, failWith}});
      }
      expect(problems.join('\n')).to.equal('');
    });
  }
});
