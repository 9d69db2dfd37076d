/** Covers one pass: what the plugin is given, what is read from it, what is retried, the limit, and what a failure says. */
import {expect} from 'chai';
import type {BuilderRequest} from '../../../../src/builder/model/request.ts';
import type {ExitStatus} from '../../../../src/cluster/ports.ts';
import {Interrupted} from '../../../../src/errors.ts';
import type {BuildRequest} from '../../../../src/image-build/build-request.ts';
import {kubectlBuild} from '../../../../src/image-build/engines/kubectl-build/kubectl-build.ts';
import {runPass} from '../../../../src/image-build/engines/run-pass.ts';
import type {DelegateRun} from '../../../../src/ports.ts';
import {catchError, collectUnhandled} from '../../../helpers/caught.ts';
import {makeSurroundings} from '../../../helpers/surroundings.ts';
import {
  builderRequest,
  buildRequest,
  failureOf,
  found,
  list,
  makePorts,
  pod,
  type Script,
  scriptCluster,
  startingDeployment,
  type TestPorts,
  workingDeployment,
} from '../../builder/builder-world.ts';
import {DIGEST, outputTo, preparedBuild} from '../build-world.ts';

const DONE = {exitCode: 0, signal: undefined} as const;
const FAILED = {exitCode: 1, signal: undefined} as const;
const EXPORTED = `#7 exporting manifest ${DIGEST} done\n`;
const NO_EXPORTER = 'Error: loading image into cluster runtime not supported by this builder\n';
const STEP_ERROR = 'process "/bin/sh -c exit 3" did not complete successfully: exit code: 3\n';
const STEP_FAILED = `#5 ERROR: ${STEP_ERROR}Error: failed to solve: ${STEP_ERROR}`;
const RETRYING = 'Your build did not cause this; retrying once.';
const CRASHED = 'panic: send on closed channel\n\ngoroutine 1 [running]:\n';

type Run = (run: DelegateRun, ports: TestPorts) => Promise<ExitStatus>;

/** Prints `text` byte by byte, and ends. */
const say =
  (text: string, ended: ExitStatus = FAILED): Run =>
  async ({progress}) => {
    if (progress.mode !== 'shown')
      for (const byte of Buffer.from(text)) progress.observe(Uint8Array.of(byte));
    return ended;
  };
const succeed = say('', DONE);
/** As kubectl build when its builder is gone: it hangs until it is stopped. */
const hang: Run = async ({stop}) => {
  await new Promise<void>((resolve) => stop?.addEventListener('abort', () => resolve(), {once: true}));
  return FAILED;
};

const A = pod({name: 'a', owner: 'o'});
const B = pod({name: 'b', owner: 'o'});
const C = pod({name: 'c', owner: 'o'});
const READY = found(workingDeployment());
const QUIET: Script['get'] = {pods: [list(A)], deployments: [READY], events: [list()]};
/** The pod goes, and another one comes. */
const LOST_ONCE: Script['get'] = {...QUIET, pods: [list(A), list(), list(B)]};

interface Case {
  readonly runs: readonly Run[];
  readonly get?: Script['get'];
  readonly request?: Partial<BuildRequest>;
  readonly builder?: Partial<BuilderRequest>;
  readonly terminal?: boolean;
  /** Text of the image ID file. */
  readonly imageId?: string | undefined;
  /** From the start on, in milliseconds. */
  readonly limit?: number;
}

function start(given: Case) {
  const {runs, get = QUIET, terminal = false, limit} = given;
  const started: DelegateRun[] = [];
  const shown: string[] = [];
  const base = makePorts({
    delegate: async (run) => {
      started.push(run);
      const next = runs[started.length - 1];
      if (next === undefined) throw new RangeError('one run too many');
      return await next(run, ports);
    },
    files: {
      readText: async (path) => {
        expect(path).to.equal('/private/image-id');
        return 'imageId' in given ? given.imageId : DIGEST;
      },
    },
  });
  const builtin = {
    ...base.builtin,
    every: () => () => undefined,
    show: async (text: string) => void shown.push(text),
    terminalSize: () => ({columns: 80, rows: 24}),
  };
  const ports = Object.create(base, {builtin: {value: builtin}}) as TestPorts;
  const cluster = scriptCluster({get, kubectl: () => ({exitCode: 1})});
  const begin = ports.now();
  const request = buildRequest(given.request);
  if (limit !== undefined) ports.limit(limit);
  const build = preparedBuild({
    request,
    cluster,
    surroundings: makeSurroundings({terminal}),
    builder: {...preparedBuild({cluster}).builder, request: builderRequest(given.builder)},
  });
  const staged = {context: '-', file: undefined, secretSpecs: [], input: '/private/context.tar'};
  const engine = kubectlBuild('/bin/kubectl-build', staged, build, 'containerd', ports);
  const run = () => runPass({number: 1, request, tags: [{canonical: 'localhost/a:1'}]}, engine, build, ports);
  const stopped = () => started.map(({stop}) => stop?.aborted);
  const lookedAt = (kind: string) => cluster.gets.filter((path) => path.includes(`/${kind}/`));
  return {run, ports, shown, cluster, started, stopped, lookedAt, waited: () => ports.now() - begin};
}

const PLATFORM = {platforms: ['linux/amd64']};
const TTY = {progress: 'tty'};
const LOCAL = outputTo('out');
const ARCHIVE = outputTo('type=oci,dest=a');
/** The plugin's own affair is the builder: nothing is watched. */
const UNWATCHED = {builder: {policy: 'never'}, get: {}} as const;

describe('runPass', () => {
  it('gives the plugin what is planned, and the digest to the caller, and says nothing', async () => {
    const {run, ports, started, stopped} = start({runs: [succeed]});
    expect((await run()).digest).to.equal(DIGEST);
    expect([started.length, stopped(), ports.said]).to.deep.equal([1, [false], []]);
    expect(started[0]).to.include({
      program: '/bin/kubectl-build',
      stdout: 'stderr',
      input: '/private/context.tar',
    });
    expect(started[0]?.argv).to.include.members(['--context', 'kind-demo', '--tag', 'localhost/a:1']);
    const place = {TMPDIR: '/private', TEMP: '/private', TMP: '/private'};
    expect(started[0]?.env).to.deep.equal({DOCKER_DEFAULT_PLATFORM: undefined, ...place});
  });

  for (const [what, given, mode, digest] of [
    ['in the image ID file, with the progress read on a terminal', {terminal: true}, 'read', DIGEST],
    ['in the image ID file, with --progress tty', {terminal: true, request: TTY}, 'shown', DIGEST],
    [
      'in the image ID file, with --progress plain',
      {terminal: true, request: {progress: 'plain'}},
      'watched',
      DIGEST,
    ],
    ['in the image ID file, with the progress watched elsewhere', {}, 'watched', DIGEST],
    ['in the image ID file, with --quiet', {terminal: true, request: {quiet: true}}, 'held', DIGEST],
    ['in the progress', {request: PLATFORM, imageId: 'x'}, 'watched', DIGEST],
    ['in the progress on a terminal', {request: {...PLATFORM, ...TTY}, terminal: true}, 'read', DIGEST],
    ['in the progress with --quiet', {request: {...PLATFORM, quiet: true}}, 'held', DIGEST],
    ['nowhere, for files', {request: LOCAL, terminal: true}, 'read', undefined],
    ['nowhere, for an archive that has none', {request: ARCHIVE, imageId: ''}, 'watched', undefined],
  ] as const) {
    it(`finds the digest ${what}`, async () => {
      const {run, started} = start({runs: [say(EXPORTED, DONE)], ...given});
      expect((await run()).digest).to.equal(digest);
      expect(started[0]?.progress).to.include({mode});
    });
  }

  it('fails where the image ID file has something else', async () => {
    const error = await failureOf(start({runs: [succeed], imageId: 'x'}).run());
    expect(error.code).to.equal('digest-missing');
  });

  it('is interrupted where a signal came, however the plugin ended, and runs nothing after one', async () => {
    for (const ended of [DONE, FAILED]) {
      const interrupted: Run = async (_, ports) => {
        ports.interrupt();
        return ended;
      };
      const {run} = start({runs: [interrupted]});
      for (const _ of ['first', 'again']) expect(await catchError(run())).to.be.instanceOf(Interrupted);
    }
  });

  it('looks at no builder that is left to the plugin', async () => {
    const {run, cluster} = start({runs: [say(NO_EXPORTER), succeed], ...UNWATCHED});
    expect((await run()).digest).to.equal(DIGEST);
    expect(cluster.gets).to.deep.equal([]);
  });
});

describe('runPass, when a build fails', () => {
  for (const [what, run, message] of [
    ['it says nothing', say(''), 'kubectl build exited with 1.'],
    ['it is killed', say('', {exitCode: undefined, signal: 'SIGKILL'}), 'was killed by SIGKILL.'],
    ['it crashes after a failed step', say(`#5 ERROR: ${STEP_ERROR}${CRASHED}`), 'A step failed'],
  ] as const) {
    it(`does not retry where ${what}`, async () => {
      const {run: build, stopped, ports} = start({runs: [run]});
      const error = await failureOf(build());
      expect([error.code, error.remedy, stopped(), ports.said]).to.deep.equal([
        'build-failed',
        [],
        [false],
        [],
      ]);
      expect(error.message).to.include('The build failed').and.include(message);
    });
  }

  it('retries once where the builder may be at fault, says so, and keeps the progress of both apart', async () => {
    const {run, ports, started, lookedAt} = start({
      runs: [say(NO_EXPORTER), say(STEP_FAILED)],
      request: {quiet: true},
    });
    const error = await failureOf(run());
    expect(error.code).to.equal('build-failed');
    expect(error.message).to.include('exited with 1');
    expect(ports.said).to.have.length(1);
    expect(ports.said[0]).to.include('could not find the runtime').and.include(RETRYING);
    // The builder is still there, so nobody waits for it.
    expect(lookedAt('deployments')).to.deep.equal([]);
    expect(started.map(({progress}) => progress.mode === 'held' && progress.spool)).to.deep.equal([
      '/private/pass-1-progress-1',
      '/private/pass-1-progress-2',
    ]);
  });

  it('shows, finds and retries the same on a terminal', async () => {
    const step = `#5 [2/2] RUN exit 3\n#5 0.1 words of the step\n${STEP_FAILED}`;
    const {run, ports, shown} = start({runs: [say(NO_EXPORTER), say(step)], terminal: true});
    const error = await failureOf(run());
    expect(error.message).to.include('exited with 1');
    expect(ports.said.join()).to.include('could not find the runtime').and.include(RETRYING);
    const text = shown.join('');
    expect(text)
      .to.include(NO_EXPORTER)
      .and.match(/ => ERROR \[2\/2\] RUN exit 3/);
    expect(text).to.match(/ > \[2\/2\] RUN exit 3:\nwords of the step\n-+\nError: failed to solve: process/);
  });

  it('does not retry with a result that may be on standard output in part', async () => {
    for (const given of [{runs: [say(NO_EXPORTER)]}, {runs: [hang], get: LOST_ONCE}]) {
      const {run} = start({...given, request: outputTo('-')});
      expect((await failureOf(run())).code).to.equal('build-failed');
    }
  });
});

describe('runPass, when the builder is lost', () => {
  it('stops the plugin, waits and retries, on a terminal as well', async () => {
    const {run, ports, stopped, lookedAt} = start({runs: [hang, succeed], get: LOST_ONCE, terminal: true});
    expect((await run()).digest).to.equal(DIGEST);
    expect(stopped()).to.deep.equal([true, false]);
    expect(ports.said).to.have.length(1);
    expect(ports.said[0]).to.include('pod "a" was deleted').and.include(RETRYING);
    expect(lookedAt('deployments')).to.have.length(1);
  });

  const ended = (restartCount: number) =>
    pod({name: 'a', ready: false, restartCount, state: {terminated: {exitCode: 1, reason: 'Error'}}});
  const again = (restartCount: number) =>
    pod({name: 'a', restartCount, lastState: {terminated: {exitCode: 1, reason: 'Error'}}});
  for (const [what, get, looks] of [
    [
      'there is a pod again',
      {
        deployments: [...Array(5).fill(found(startingDeployment())), READY],
        pods: [list(A), ...Array(6).fill(list()), list(B)],
      },
      6,
    ],
    [
      'BuildKit runs again, though it was restarted before',
      {
        deployments: [found(startingDeployment()), READY],
        pods: [list(pod({name: 'a', restartCount: 1})), list(ended(1)), list(ended(1)), list(again(2))],
      },
      2,
    ],
    [
      'the pod is ready, though the Deployment counts it as ready all the time',
      {pods: [list(A), list(ended(0)), list(ended(0)), list(again(1))]},
      2,
    ],
  ] as const) {
    it(`waits until ${what}`, async () => {
      const {run, lookedAt} = start({runs: [hang, succeed], get: {...QUIET, ...get}});
      expect((await run()).digest).to.equal(DIGEST);
      expect(lookedAt('deployments')).to.have.length(looks);
    });
  }

  it('fails with what happened where it is lost a second time', async () => {
    const {run, stopped} = start({
      runs: [hang, hang],
      get: {...QUIET, pods: [list(A), list(), list(B), list(B), list(), list(C)]},
    });
    const error = await failureOf(run());
    expect(error.code).to.equal('build-failed');
    expect(error.message).to.include('The build failed.').and.include('pod "b" was deleted');
    expect(stopped()).to.deep.equal([true, true]);
  });

  it('takes a build for done that was done before it could be stopped', async () => {
    const late: Run = async (run, ports) => ({...(await hang(run, ports)), exitCode: 0});
    expect((await start({runs: [late], get: LOST_ONCE}).run()).digest).to.equal(DIGEST);
  });
});

describe('runPass, of an engine that throws', () => {
  const broken: Run = async () => {
    throw new RangeError('broken');
  };
  for (const [what, given] of [
    ['is watched', {}],
    ['is not watched', UNWATCHED],
  ] as const) {
    it(`throws the same once, where the builder ${what}`, async () => {
      const unhandled = await collectUnhandled(async () =>
        expect(await catchError(start({runs: [broken], ...given}).run())).to.be.instanceOf(RangeError),
      );
      expect(unhandled).to.deep.equal([]);
    });
  }
});

describe('runPass, with a limit', () => {
  const late: Run = async (run, ports) => {
    await hang(run, ports);
    return await say(NO_EXPORTER)(run, ports);
  };
  for (const [what, given, stopped, code = 'timed-out'] of [
    ['stops the plugin when it is over', {runs: [hang], ...UNWATCHED}, [true]],
    ['starts nothing that lasts where it is over before', {runs: [hang], ...UNWATCHED, limit: -5}, [true]],
    ['does not retry once it is over', {runs: [late], ...UNWATCHED}, [true]],
    ['holds for the second attempt', {runs: [say(NO_EXPORTER), hang], ...UNWATCHED}, [true, true]],
    ['does not touch a build that fails sooner', {runs: [say('')], limit: 60_000}, [false], 'build-failed'],
  ] as const) {
    it(what, async () => {
      const begun = start({limit: 20, ...given});
      expect((await failureOf(begun.run())).code).to.equal(code);
      expect(begun.stopped()).to.deep.equal(stopped);
    });
  }
});
