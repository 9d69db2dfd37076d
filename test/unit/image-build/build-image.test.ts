/** Covers a build and its dry run as a whole: the order of their steps, where they end, and that nothing is left behind. */
import {expect} from 'chai';
import type {ClusterFacts} from '../../../src/cluster/api/facts.ts';
import {Interrupted, TiltbuildError} from '../../../src/errors.ts';
import {parseTags} from '../../../src/image/qualification.ts';
import {buildImage} from '../../../src/image-build/build-image.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import type {BuildResult} from '../../../src/image-build/build-result.ts';
import {dryRunBuild} from '../../../src/image-build/dry-run.ts';
import type {Files, Ports} from '../../../src/ports.ts';
import {node} from '../../helpers/api-samples.ts';
import {makeSurroundings} from '../../helpers/surroundings.ts';
import {
  buildRequest,
  found,
  list,
  MISSING,
  makePorts,
  pod,
  scriptCluster,
  workingDeployment,
} from '../builder/builder-world.ts';
import {DIGEST} from './build-world.ts';

const PRIVATE = '/private/1';
const CLEAN = `remove ${PRIVATE}`;
const NAMED = {kind: 'named', name: 's', by: '--registry-secret'} as const;
const READY = [workingDeployment()];
const FACTS: ClusterFacts = {
  pullSecret: MISSING,
  deployments: found(READY),
  configMaps: found([]),
  nodes: found([node()]),
};

interface World {
  readonly facts?: ClusterFacts;
  readonly delegate?: string | undefined;
  /** The step that throws what nobody foresaw, and the one during which a signal comes. */
  readonly crash?: string;
  readonly signal?: string;
}

function open(changes: Partial<BuildRequest>, world: World) {
  const {facts = FACTS} = world;
  const name = 'kind-x';
  const steps: string[] = [];
  const kubeconfig = {
    'current-context': name,
    contexts: [{name, context: {cluster: name, user: name}}],
    clusters: [{name, cluster: {server: 'https://127.0.0.1:6443'}}],
    users: [{name, user: {token: 't'}}],
  };
  const disk = new Map([
    ['/home/me/.kube/config', JSON.stringify(kubeconfig)],
    ['iid.txt', 'old'],
    ['./Dockerfile', 'FROM scratch'],
  ]);
  const step = (what: string) => {
    steps.push(what);
    if (world.signal === what) basic.interrupt();
    if (world.crash === what.split(' ')[0]) throw new TypeError(`crash in ${what}`);
  };
  const write = (what: string) => async (path: string, text: string) => {
    step(`${what} ${path}`);
    disk.set(path, text);
  };
  const files: Partial<Files> = {
    readText: async (path) => disk.get(path),
    readBytes: async (path) => Buffer.from(disk.get(path) ?? ''),
    isWritableDirectory: () => true,
    kindOf: (path) => (path === '.' ? 'directory' : disk.has(path) ? 'file' : 'missing'),
    makePrivateDirectory: async () => {
      step('make private');
      const remove = async () => {
        step(CLEAN);
        for (const one of disk.keys()) if (one.startsWith(PRIVATE)) disk.delete(one);
      };
      return {path: PRIVATE, spool: PRIVATE, remove};
    },
    writePrivate: write('write'),
    locateResult: (path) => ({
      fault: undefined,
      identity: path,
      clear: () => {
        step(`clear ${path}`);
        disk.delete(path);
      },
      open: () => ({
        kind: 'archive',
        write: async (chunk) => write('replace')(path, String(chunk)),
        complete: async () => undefined,
        close: () => undefined,
      }),
    }),
    join: (...parts) => parts.filter(Boolean).join('/'),
    dirname: () => '.',
    realPath: () => '/work',
    writePrivateChunks: async (path) => step(`write ${path}`),
    basename: (path) => path.split('/').at(-1) ?? '',
  };
  const basic = makePorts({
    files,
    delegate: async (run) => {
      step('run');
      const iid = run.argv.indexOf('--iidfile') + 1;
      if (iid > 0) disk.set(run.argv[iid] as string, DIGEST);
      return {exitCode: 0, signal: undefined};
    },
  });
  const cluster = scriptCluster({get: {deployments: [found(READY[0])], pods: [list(pod())]}});
  const read = async () => {
    step('read');
    return facts;
  };
  const ports: Ports = {
    ...basic,
    clusters: {connect: () => ({...cluster, read})},
    delegate: {
      run: basic.delegate.run,
      find: async () => {
        step('find');
        const path = 'delegate' in world ? world.delegate : '/bin/kubectl-build';
        return path === undefined ? undefined : {path};
      },
    },
    now: () => 1000 + 250 * steps.length,
  };
  const request = buildRequest({tags: parseTags(['localhost/app:1']), ...changes});
  const surroundings = makeSurroundings({env: {A: 'hunter2'}});
  const left = () => [...disk.keys()].filter((path) => path.startsWith(PRIVATE));
  return {request, surroundings, ports, steps, disk, left};
}

async function build(changes: Partial<BuildRequest> = {}, world: World = {}) {
  const opened = open(changes, world);
  let result: BuildResult | undefined;
  const deliver = async (delivered: BuildResult) => {
    result = delivered;
  };
  const error: unknown = await buildImage(opened.request, opened.surroundings, opened.ports, deliver).catch(
    (failure) => failure,
  );
  expect(opened.left()).to.deep.equal([]);
  return {...opened, result, error};
}

describe('buildImage', () => {
  it('goes step by step, and gives the result', async () => {
    const {result, steps, disk} = await build({iidFile: 'iid.txt', metadataFile: 'meta.json'});
    const run = [`write ${PRIVATE}/context.tar`, 'run'];
    const results = [...run, 'replace iid.txt', 'replace meta.json'];
    const cleared = ['clear iid.txt', 'clear meta.json'];
    expect(steps).to.deep.equal([...cleared, 'make private', 'find', 'read', ...results, CLEAN]);
    expect(result).to.include({digest: DIGEST, engine: 'kubectl-build', seconds: 1.75});
    expect(disk.get('iid.txt')).to.equal(DIGEST);
    expect(JSON.parse(disk.get('meta.json') as string)).to.deep.equal(result);
  });

  it('removes an older result before anything can fail', async () => {
    const {error, disk, steps} = await build({iidFile: 'iid.txt', pullSecret: NAMED});
    expect(error).to.be.instanceOf(TiltbuildError).with.property('code', 'pull-secret-missing');
    expect(disk.has('iid.txt')).to.equal(false);
    expect(steps).to.deep.equal(['clear iid.txt', 'make private', 'find', 'read', CLEAN]);
  });

  for (const when of ['read', 'run']) {
    it(`leaves nothing behind where ${when} throws something unforeseen, or a signal comes then`, async () => {
      const asked = {secrets: ['id=a,env=A'], iidFile: 'iid.txt'};
      const crashed = await build(asked, {crash: when});
      expect(crashed.error).to.be.instanceOf(TypeError);
      const interrupted = await build(asked, {signal: when});
      expect(interrupted.error).to.be.instanceOf(Interrupted);
      for (const {steps} of [crashed, interrupted]) {
        expect(steps.includes('run')).to.equal(when === 'run');
        expect(steps.at(-1)).to.equal(CLEAN);
      }
    });
  }
});

describe('dryRunBuild', () => {
  it('collects every problem, and goes on', async () => {
    const world = {delegate: undefined, facts: {...FACTS, rules: []}};
    const {request, surroundings, ports} = open({pullSecret: NAMED, engine: 'kubectl-build'}, world);
    const {problems, commands, builder} = await dryRunBuild(request, surroundings, ports);
    expect(problems.map(({code}) => code)).to.deep.equal([
      'pull-secret-missing',
      'tool-missing',
      'cluster-denied',
    ]);
    expect([builder, commands[0]?.words[0]]).to.deep.equal([undefined, 'kubectl-build']);
  });
});
