/** Covers a build and its dry run as a whole: the order of their steps, where they end, and that nothing is left behind. */
import {expect} from 'chai';
import type {ClusterFacts} from '../../../src/cluster/api/facts.ts';
import {type ErrorCode, Interrupted, TiltbuildError} from '../../../src/errors.ts';
import {DEFAULT_TAG_FORM} from '../../../src/image/content-tag.ts';
import {parseTags} from '../../../src/image/qualification.ts';
import {parseReference} from '../../../src/image/reference.ts';
import {buildImage} from '../../../src/image-build/build-image.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import {dryRunBuild} from '../../../src/image-build/dry-run.ts';
import type {DelegateRun, Files, Ports} from '../../../src/ports.ts';
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
  /** Of the context, the cluster and the user. */
  readonly name?: string;
  readonly facts?: ClusterFacts;
  readonly delegate?: string | undefined;
  /** How kubectl and the plugin end. */
  readonly exitCode?: number;
  /** The step that throws what nobody foresaw, and the one during which a signal comes. */
  readonly crash?: string;
  readonly signal?: string;
}

function open(changes: Partial<BuildRequest>, world: World) {
  const {name = 'kind-x', facts = FACTS, exitCode = 0} = world;
  const steps: string[] = [];
  const runs: DelegateRun[] = [];
  const kubeconfig = {
    'current-context': name,
    contexts: [{name, context: {cluster: name, user: name}}],
    clusters: [{name, cluster: {server: 'https://127.0.0.1:6443'}}],
    users: [{name, user: {token: 't'}}],
  };
  const disk = new Map([
    ['/home/me/.kube/config', JSON.stringify(kubeconfig)],
    ['iid.txt', 'old'],
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
  const files: Files = {
    readText: async (path) => disk.get(path),
    isWritableDirectory: () => true,
    kindOf: (path) => (path === '.' ? 'directory' : disk.has(path) ? 'file' : 'missing'),
    makePrivateDirectory: async () => {
      step('make private');
      return PRIVATE;
    },
    makeDirectory: async (path) => step(`make ${path}`),
    writePrivate: write('write'),
    copyPrivate: async (from, to) => await write('copy')(to, disk.get(from) ?? ''),
    replace: write('replace'),
    remove: async (path) => {
      step(`remove ${path}`);
      for (const one of [...disk.keys()]) if (one === path || one.startsWith(`${path}/`)) disk.delete(one);
    },
    join: (...parts) => parts.filter(Boolean).join('/'),
    dirname: () => '.',
    basename: (path) => path.split('/').at(-1) ?? '',
  };
  const basic = makePorts({
    files,
    delegate: async (run) => {
      runs.push(run);
      step('run');
      const iid = run.argv.indexOf('--iidfile') + 1;
      if (iid > 0) disk.set(run.argv[iid] as string, DIGEST);
      return {exitCode, signal: undefined};
    },
  });
  const cluster = scriptCluster({
    get: {namespaces: [found({})], deployments: [found(READY[0])], pods: [list(pod())]},
    kubectl: ([word = '']) => {
      step(word);
      return {exitCode};
    },
  });
  const read = async () => {
    step('read');
    return facts;
  };
  const ports: Ports = {
    ...basic,
    input: {save: (path) => write('save')(path, 'standard input')},
    clusters: {connect: () => ({...cluster, read})},
    delegate: {
      run: basic.delegate.run,
      find: async () => {
        step('find');
        return 'delegate' in world ? world.delegate : '/bin/kubectl-build';
      },
    },
    now: () => 1000 + 250 * steps.length,
  };
  const request = buildRequest({tags: parseTags(['localhost/app:1']), ...changes});
  const surroundings = makeSurroundings({env: {A: 'hunter2'}});
  const left = () => [...disk.keys()].filter((path) => path.startsWith(PRIVATE));
  return {request, surroundings, ports, steps, runs, disk, left, notes: basic.said};
}

async function build(changes: Partial<BuildRequest> = {}, world: World = {}) {
  const opened = open(changes, world);
  const outcome = await buildImage(opened.request, opened.surroundings, opened.ports).then(
    (result) => ({result, error: undefined}),
    (error: unknown) => ({result: undefined, error}),
  );
  expect(opened.left()).to.deep.equal([]);
  return {...opened, ...outcome};
}

describe('buildImage', () => {
  it('goes step by step, and gives the result', async () => {
    const {result, steps, disk} = await build({iidFile: 'iid.txt', metadataFile: 'meta.json'});
    expect(steps).to.deep.equal(
      ['make private', 'find', 'read', 'remove iid.txt', 'remove meta.json', 'run', 'replace iid.txt'].concat(
        ['replace meta.json', CLEAN],
      ),
    );
    expect(result).to.deep.equal({
      digest: DIGEST,
      reference: null,
      references: ['localhost/app:1'],
      product: 'kind',
      context: 'kind-x',
      namespace: 'default',
      builder: 'buildkit',
      pullSecret: null,
      seconds: 1.5,
    });
    expect(disk.get('iid.txt')).to.equal(DIGEST);
    expect(JSON.parse(disk.get('meta.json') as string)).to.deep.equal(result);
  });

  const K3D_NODES = found([{metadata: {name: 'n'}, spec: {providerID: 'k3s://k3d-a'}}]);
  const NO_BUILDER = {...FACTS, deployments: found([])};
  const OPENED = ['make private'];
  const ASKED = [...OPENED, 'find', 'read'];
  const ends: readonly (readonly [string, Partial<BuildRequest>, World, ErrorCode, readonly string[]])[] = [
    ['a context that does not exist', {context: 'nowhere'}, {}, 'usage', []],
    ['a secret that does not exist', {secrets: ['id=a,src=no']}, {}, 'build-secret-missing', []],
    ['k3d by its names', {}, {name: 'k3d-dev'}, 'refused-k3d', OPENED],
    ['a tag that kind refuses', {tags: parseTags(['app'])}, {}, 'refused-unqualified-tag', OPENED],
    ['k3d by its nodes', {}, {name: 'dev', facts: {...FACTS, nodes: K3D_NODES}}, 'refused-k3d', ASKED],
    ['a missing plugin', {}, {delegate: undefined}, 'tool-missing', ASKED],
    ['a pull secret that does not exist', {pullSecret: NAMED}, {}, 'pull-secret-missing', ASKED],
    ['a result file that is a directory', {iidFile: '.'}, {}, 'usage', ASKED],
    ['a permission that is missing', {}, {facts: {...FACTS, rules: []}}, 'cluster-denied', ASKED],
    [
      'a builder that cannot be created',
      {},
      {facts: NO_BUILDER, exitCode: 1},
      'builder-failed',
      [...ASKED, 'apply'],
    ],
    [
      'a build that fails',
      {iidFile: 'iid.txt'},
      {exitCode: 1},
      'build-failed',
      [...ASKED, 'remove iid.txt', 'run'],
    ],
  ];
  for (const [what, changes, world, code, steps] of ends) {
    it(`ends at ${what}`, async () => {
      const done = await build(changes, world);
      expect(done.error).to.be.instanceOf(TiltbuildError).with.property('code', code);
      expect(done.steps).to.deep.equal(steps.length === 0 ? [] : [...steps, CLEAN]);
    });
  }

  it('keeps an older result where nothing was built because of a refusal', async () => {
    const {disk} = await build({iidFile: 'iid.txt', pullSecret: NAMED});
    expect(disk.get('iid.txt')).to.equal('old');
  });

  for (const when of ['read', 'run']) {
    it(`leaves nothing behind where ${when} throws something unforeseen, or a signal comes then`, async () => {
      const asked = {secrets: ['id=a,env=A'], iidFile: 'iid.txt'};
      const crashed = await build(asked, {crash: when});
      expect(crashed.error).to.be.instanceOf(TypeError);
      const interrupted = await build(asked, {signal: when});
      expect(interrupted.error).to.be.instanceOf(Interrupted);
      for (const {steps} of [crashed, interrupted]) {
        for (const one of ['remove iid.txt', 'run']) expect(steps.includes(one)).to.equal(when === 'run');
        expect(steps.at(-1)).to.equal(CLEAN);
      }
    });
  }

  it('creates a builder where there is none, and says what it knows before that', async () => {
    const forbidden = {kind: 'forbidden', message: 'you cannot'} as const;
    const {steps, notes} = await build(
      {tags: parseTags(['app'])},
      {name: 'dev', facts: {...NO_BUILDER, pullSecret: forbidden, nodes: found([{...node(), spec: {}}])}},
    );
    expect(steps).to.deep.equal([...ASKED, 'apply', 'create', 'run', CLEAN]);
    expect(notes).to.have.length(3);
    expect(notes[0]).to.include('"app"');
    expect(notes[1]).to.include('you cannot');
    expect(notes[2]).to.include('"buildkit"');
  });

  it('builds twice for a tag from the digest, and stages what both need once', async () => {
    const contentName = {
      name: 'web',
      reference: parseReference('web'),
      tagForm: DEFAULT_TAG_FORM,
      file: 'refs/ref.txt',
    };
    const asked = {contentName, tags: [], secrets: ['id=a,env=A'], file: '-'};
    const {result, steps, runs, disk} = await build(asked);
    const tag = `tilt-${'a'.repeat(16)}`;
    expect(result).to.include({digest: DIGEST, reference: `web:${tag}`});
    expect(result?.references).to.deep.equal([`docker.io/library/web:${tag}`]);
    expect(disk.get('refs/ref.txt')).to.equal(`web:${tag}`);
    expect(steps).to.deep.equal([
      'make private',
      `write ${PRIVATE}/secret-0`,
      `make ${PRIVATE}/dockerfile`,
      `save ${PRIVATE}/dockerfile/Dockerfile`,
      ...['find', 'read', 'remove refs/ref.txt', 'run', 'run', 'replace refs/ref.txt', CLEAN],
    ]);
    for (const {argv} of runs) {
      expect(argv).to.include(`${PRIVATE}/dockerfile/Dockerfile`).and.include(`id=a,src=${PRIVATE}/secret-0`);
      expect(argv.join(' ')).not.to.include('hunter2');
    }
  });
});

describe('dryRunBuild', () => {
  it('takes the steps of a build up to the first change, and stages nothing', async () => {
    const asked = {secrets: ['id=a,env=A'], file: '-', only: ['src'], iidFile: 'iid.txt'};
    const {request, surroundings, ports, steps, disk} = open(asked, {});
    const {problems, commands} = await dryRunBuild(request, surroundings, ports);
    expect(problems).to.deep.equal([]);
    expect(commands[0]?.words).to.include('<private>/dockerfile/Dockerfile');
    expect(steps).to.deep.equal(['make private', 'find', 'read', CLEAN]);
    expect(disk.get('iid.txt')).to.equal('old');
  });

  it('collects every problem, and goes on', async () => {
    const world = {delegate: undefined, facts: {...FACTS, rules: []}};
    const {request, surroundings, ports} = open({pullSecret: NAMED}, world);
    const {problems, commands, builder} = await dryRunBuild(request, surroundings, ports);
    expect(problems.map(({code}) => code)).to.deep.equal([
      'tool-missing',
      'pull-secret-missing',
      'cluster-denied',
    ]);
    expect([builder, commands[0]?.words[0]]).to.deep.equal([undefined, 'kubectl-build']);
  });
});
