/** Covers a build as a whole: success, what is tried once more and what is not, the limit, and what a failure says. */
import {expect} from 'chai';
import type {BuilderRequest} from '../../../../src/builder/model/request.ts';
import type {DelegateResult} from '../../../../src/cluster/ports.ts';
import {Interrupted} from '../../../../src/errors.ts';
import type {BuildRequest} from '../../../../src/image-build/build-request.ts';
import {attemptBuild} from '../../../../src/image-build/delegate/attempt-build.ts';
import type {Plan} from '../../../../src/image-build/delegate/plan.ts';
import type {DelegateRun} from '../../../../src/ports.ts';
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

const DIGEST = `sha256:${'a'.repeat(64)}`;
const DONE = {exitCode: 0, signal: undefined} as const;
const FAILED = {exitCode: 1, signal: undefined} as const;

type Run = (run: DelegateRun, ports: TestPorts) => Promise<DelegateResult>;

const succeed: Run = async () => DONE;
const say =
  (text: string): Run =>
  async ({progress}) => {
    if (progress.mode !== 'shown') progress.observe(Buffer.from(text));
    return FAILED;
  };
/** As kubectl build when its builder is gone: it hangs until it is stopped. */
const hang: Run = async ({stop}) => {
  await new Promise<void>((resolve) => stop?.addEventListener('abort', () => resolve(), {once: true}));
  return FAILED;
};

const NO_EXPORTER = 'Error: loading image into cluster runtime not supported by this builder\n';
const ENTITLEMENT =
  'Error: failed to solve: granting entitlement network.host is not allowed by build daemon configuration\n';
const STEP_FAILED =
  '#5 ERROR: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3\nError: failed to solve: process "/bin/sh -c exit 3" did not complete successfully: exit code: 3\n';

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
  readonly plan?: Partial<Plan>;
  readonly builder?: BuilderRequest | undefined;
  readonly terminal?: boolean;
  readonly imageId?: string | undefined;
  /** From the start on, in milliseconds. */
  readonly limit?: number;
}

function attempt(given: Case) {
  const {runs, get = QUIET, request, plan = {}, terminal = false, limit} = given;
  const started: DelegateRun[] = [];
  const ports = makePorts({
    delegate: async (run) => {
      started.push(run);
      const next = runs[started.length - 1];
      if (next === undefined) throw new RangeError('one run too many');
      return await next(run, ports);
    },
    files: {
      readText: async () => ('imageId' in given ? given.imageId : DIGEST),
    },
  });
  const cluster = scriptCluster({get, kubectl: () => ({exitCode: 1})});
  const start = ports.now();
  const run = () =>
    attemptBuild(
      {
        run: {
          program: '/bin/kubectl-build',
          plan: {
            argv: ['.'],
            env: {},
            digest: {from: 'image-id-file', path: '/private/image-id'},
            ...plan,
          },
          request: buildRequest(request),
          namespace: 'default',
          terminal,
        },
        privatePath: (name) => `/private/${name}`,
        cluster,
        builder: 'builder' in given ? given.builder : builderRequest(),
        deadline: limit === undefined ? undefined : start + limit,
        scene: {asked: buildRequest(request), pullSecret: undefined, platform: 'linux'},
      },
      ports,
    );
  const stopped = () => started.map(({stop}) => stop?.aborted);
  return {run, ports, cluster, started, stopped, waited: () => ports.now() - start};
}

describe('attemptBuild', () => {
  it('gives the digest of a build that succeeds, and says nothing', async () => {
    const {run, ports, started, stopped} = attempt({runs: [succeed]});
    expect(await run()).to.equal(DIGEST);
    expect([started.length, stopped(), ports.said]).to.deep.equal([1, [false], []]);
  });

  it('runs nothing where a signal came before', async () => {
    const {run, ports, started} = attempt({runs: []});
    ports.interrupt();
    expect(await run().catch((error) => error)).to.be.instanceOf(Interrupted);
    expect(started).to.deep.equal([]);
  });

  it('keeps the progress of two attempts apart', async () => {
    const {run, started} = attempt({runs: [say(NO_EXPORTER), succeed], request: {quiet: true}});
    await run();
    expect(started.map(({progress}) => progress.mode === 'held' && progress.spool)).to.deep.equal([
      '/private/progress-1',
      '/private/progress-2',
    ]);
  });

  it('leaves a builder that is left to kubectl build alone', async () => {
    const {run, cluster} = attempt({runs: [say(NO_EXPORTER), succeed], builder: undefined, get: {}});
    expect(await run()).to.equal(DIGEST);
    expect(cluster.gets).to.deep.equal([]);
  });

  for (const [what, given] of [
    ['is not told', {imageId: undefined}],
    ['is not told by the progress', {plan: {digest: {from: 'progress'}}}],
  ] as const) {
    it(`fails where the digest ${what}`, async () => {
      const error = await failureOf(attempt({runs: [succeed], ...given}).run());
      expect(error.code).to.equal('digest-missing');
      expect(error.remedy.join('\n')).to.include('--verbose');
    });
  }

  for (const [what, given] of [
    ['an archive', {request: {destination: {kind: 'archive', stdout: false}}}],
    ['files', {plan: {digest: {from: 'nowhere'}}}],
  ] as const) {
    it(`needs no digest of ${what}`, async () => {
      expect(await attempt({runs: [succeed], imageId: undefined, ...given}).run()).to.equal(undefined);
    });
  }
});

describe('attemptBuild, when a build fails', () => {
  for (const [what, runs, message] of [
    [
      'a step of the Dockerfile fails',
      [say(STEP_FAILED)],
      'kubectl build exited with 1. What it said is above.',
    ],
    ['it says nothing', [say('')], 'kubectl build exited with 1.'],
    [
      'it is killed',
      [async () => ({exitCode: undefined, signal: 'SIGKILL'})],
      'kubectl build was killed by SIGKILL.',
    ],
    ['it requires what the builder does not allow', [say(ENTITLEMENT)], 'does not allow network.host'],
    [
      'it crashes behind its own failure',
      [say(`${STEP_FAILED.split('\n')[0]}\npanic: send on closed channel\n\ngoroutine 1 [running]:\n`)],
      'as shown above',
    ],
  ] as const satisfies readonly (readonly [string, readonly Run[], string])[]) {
    it(`does not try again where ${what}`, async () => {
      const {run, started, stopped, ports} = attempt({runs});
      const error = await failureOf(run());
      expect([error.code, started.length, stopped(), ports.said]).to.deep.equal([
        'build-failed',
        1,
        [false],
        [],
      ]);
      expect(error.message).to.include('The build failed').and.include(message);
    });
  }

  it('gives the cure along with the cause', async () => {
    const error = await failureOf(attempt({runs: [say(ENTITLEMENT)]}).run());
    expect(JSON.stringify(error.remedy)).to.include('network.host');
  });

  it('tries again once where the builder may be at fault, and says so', async () => {
    const {run, ports, cluster} = attempt({runs: [say(NO_EXPORTER), succeed]});
    expect(await run()).to.equal(DIGEST);
    expect(ports.said).to.have.length(1);
    expect(ports.said[0])
      .to.include('could not find the runtime')
      .and.include('Nothing of yours was at fault, so it is built once more.');
    // The builder is still there: it is not waited for.
    expect(cluster.gets.filter((path) => path.includes('/deployments/'))).to.deep.equal([]);
  });

  it('does not try a third time', async () => {
    const {run, started} = attempt({runs: [say(NO_EXPORTER), say(NO_EXPORTER)]});
    const error = await failureOf(run());
    expect([error.code, started.length]).to.deep.equal(['build-failed', 2]);
    expect(error.message).to.include('could not find the runtime');
    expect(JSON.stringify(error.remedy)).to.include('--show-labels');
  });

  it("tells the second attempt's failure, whatever the first one's was", async () => {
    const {run} = attempt({runs: [say(NO_EXPORTER), say(STEP_FAILED)]});
    expect((await failureOf(run())).message)
      .to.include('exited with 1')
      .and.not.include('runtime');
  });

  for (const [what, request, plan] of [
    ['a context', {context: '-'}, {}],
    ['a Dockerfile', {file: '-'}, {}],
  ] as const) {
    it(`does not try again with ${what} on standard input, which the first attempt has read`, async () => {
      for (const given of [{runs: [say(NO_EXPORTER)]}, {runs: [hang], get: LOST_ONCE}]) {
        const {run, started} = attempt({...given, request, plan});
        const error = await failureOf(run());
        expect([error.code, started.length]).to.deep.equal(['build-failed', 1]);
      }
    });
  }

  it('does not try again where a part of the result may be on standard output', async () => {
    const {run, started} = attempt({
      runs: [hang],
      get: LOST_ONCE,
      request: {destination: {kind: 'files', stdout: true}},
      plan: {digest: {from: 'nowhere'}},
    });
    const error = await failureOf(run());
    expect([error.code, started.length]).to.deep.equal(['build-failed', 1]);
  });
});

describe('attemptBuild, when the builder is lost', () => {
  for (const terminal of [false, true]) {
    it(`stops the delegate, waits and builds once more${terminal ? ', on a terminal as well' : ''}`, async () => {
      const {run, ports, stopped, started, cluster} = attempt({
        runs: [hang, succeed],
        get: LOST_ONCE,
        terminal,
      });
      expect(await run()).to.equal(DIGEST);
      expect([started.length, stopped()]).to.deep.equal([2, [true, false]]);
      expect(ports.said).to.deep.equal([
        'The builder\'s pod "a" was deleted while it built. Nothing of yours was at fault, so it is built once more.',
      ]);
      expect(cluster.gets.filter((path) => path.includes('/deployments/'))).to.have.length(1);
    });
  }

  it('waits until there is a pod again', async () => {
    const {run, ports} = attempt({
      runs: [hang, succeed],
      get: {
        ...QUIET,
        deployments: [...Array(5).fill(found(startingDeployment())), READY],
        pods: [list(A), ...Array(6).fill(list()), list(B)],
      },
    });
    expect(await run()).to.equal(DIGEST);
    expect(ports.said.join('\n'))
      .to.include('waiting for builder "buildkit"')
      .and.include('is ready after 1.5 s');
  });

  it('fails with what happened where it is lost a second time', async () => {
    const {run, stopped} = attempt({
      runs: [hang, hang],
      get: {...QUIET, pods: [list(A), list(), list(B), list(B), list(), list(C)]},
    });
    const error = await failureOf(run());
    expect(error.code).to.equal('build-failed');
    expect(error.message).to.equal('The build failed. The builder\'s pod "b" was deleted while it built.');
    expect(stopped()).to.deep.equal([true, true]);
  });

  it('does not try again what the build itself most likely brought about', async () => {
    const killed = pod({name: 'a', ready: false, state: {terminated: {reason: 'OOMKilled', exitCode: 137}}});
    const {run, started, stopped} = attempt({runs: [hang], get: {...QUIET, pods: [list(A), list(killed)]}});
    const error = await failureOf(run());
    expect([error.code, started.length, stopped()]).to.deep.equal(['build-failed', 1, [true]]);
    expect(error.message).to.include('OOMKilled');
  });

  it('takes a build for done that was done before it could be stopped', async () => {
    const late: Run = async (run, ports) => ({...(await hang(run, ports)), exitCode: 0});
    const {run, started} = attempt({runs: [late], get: LOST_ONCE});
    expect(await run()).to.equal(DIGEST);
    expect(started).to.have.length(1);
  });

  it('says why where no builder comes back', async () => {
    const {run, started} = attempt({
      runs: [hang],
      get: {
        ...LOST_ONCE,
        deployments: [found(workingDeployment({spec: {replicas: 0}, status: {readyReplicas: 0}}))],
        pods: [list(A), list()],
      },
    });
    const error = await failureOf(run());
    expect([error.code, started.length]).to.deep.equal(['builder-failed', 1]);
    expect(error.message).to.include('scaled to 0');
  });

  it('waits for BuildKit to be started again, also where it was some time before', async () => {
    const running = pod({name: 'a', restartCount: 1});
    const ended = {
      name: 'a',
      ready: false,
      restartCount: 1,
      state: {terminated: {exitCode: 1, reason: 'Error'}},
    };
    const again = pod({name: 'a', restartCount: 2, lastState: {terminated: {exitCode: 1, reason: 'Error'}}});
    const {run} = attempt({
      runs: [hang, succeed],
      get: {
        ...QUIET,
        deployments: [found(startingDeployment()), READY],
        pods: [list(running), list(pod(ended)), list(pod(ended)), list(again)],
      },
    });
    expect(await run()).to.equal(DIGEST);
  });

  it('does not build on a pod that the Deployment still counts as ready', async () => {
    const ended = pod({
      name: 'a',
      ready: false,
      state: {terminated: {exitCode: 1, reason: 'Error'}},
    });
    const again = pod({name: 'a', restartCount: 1, lastState: {terminated: {exitCode: 1, reason: 'Error'}}});
    const {run, cluster} = attempt({
      runs: [hang, succeed],
      get: {...QUIET, deployments: [READY], pods: [list(A), list(ended), list(ended), list(again)]},
    });
    await run();
    expect(cluster.gets.filter((path) => path.includes('/deployments/'))).to.have.length(2);
  });

  it('ends as interrupted where a signal comes while it waits', async () => {
    const {run, ports} = attempt({
      runs: [
        async (given, the) => {
          const ended = await hang(given, the);
          setImmediate(() => the.interrupt());
          return ended;
        },
      ],
      get: {...LOST_ONCE, deployments: [found(startingDeployment())], pods: [list(A), list()]},
    });
    expect(await run().catch((error) => error)).to.be.instanceOf(Interrupted);
    expect(ports.said[0]).to.include('once more');
  });
});

describe('attemptBuild, with a limit', () => {
  it('stops the delegate when it is over', async () => {
    const {run, stopped, ports} = attempt({runs: [hang], builder: undefined, limit: 20});
    const error = await failureOf(run());
    expect([error.code, stopped(), ports.said]).to.deep.equal(['timed-out', [true], []]);
    expect(error.message).to.include('--timeout');
  });

  it('stops it beside a watch as well', async () => {
    const {run, stopped} = attempt({runs: [hang], limit: 20});
    expect((await failureOf(run())).code).to.equal('timed-out');
    expect(stopped()).to.deep.equal([true]);
  });

  it('starts nothing that lasts where it is over before', async () => {
    const {run} = attempt({runs: [hang], builder: undefined, limit: -5});
    expect((await failureOf(run())).code).to.equal('timed-out');
  });

  it('does not try again once it is over', async () => {
    const late: Run = async (run, ports) => {
      await hang(run, ports);
      return await say(NO_EXPORTER)(run, ports);
    };
    const {run, started} = attempt({runs: [late], builder: undefined, limit: 20});
    expect((await failureOf(run())).code).to.equal('timed-out');
    expect(started).to.have.length(1);
  });

  it('holds for the second attempt', async () => {
    const {run, stopped} = attempt({runs: [say(NO_EXPORTER), hang], builder: undefined, limit: 20});
    expect((await failureOf(run())).code).to.equal('timed-out');
    expect(stopped()).to.deep.equal([false, true]);
  });

  it('holds while a builder is waited for that was lost', async () => {
    const {run, waited} = attempt({
      runs: [hang],
      get: {...LOST_ONCE, deployments: [found(startingDeployment())], pods: [list(A), list()]},
      limit: 10_000,
    });
    expect((await failureOf(run())).code).to.equal('timed-out');
    expect(waited()).to.be.below(12_000);
  });

  for (const [what, run, code] of [
    ['succeeds', succeed, undefined],
    ['fails', say(''), 'build-failed'],
  ] as const) {
    it(`does not touch a build that ${what} in time`, async () => {
      const attempted = attempt({runs: [run], builder: undefined, limit: 60_000});
      const error = await attempted.run().then(
        () => undefined,
        (caught) => caught,
      );
      expect([error?.code, attempted.stopped()]).to.deep.equal([code, [false]]);
    });
  }
});
