/** Covers the use case: the order of its steps, what is refused at which of them, and that nothing is left behind. */
import {expect} from 'chai';
import type {ClusterFacts} from '../../../src/cluster/api/facts.ts';
import type {Connection, KubectlResult} from '../../../src/cluster/ports.ts';
import {type ErrorCode, Interrupted, type InterruptSignal, TiltbuildError} from '../../../src/errors.ts';
import {DEFAULT_TAG_FORM} from '../../../src/image/content-tag.ts';
import {parseTags} from '../../../src/image/qualification.ts';
import {parseReference} from '../../../src/image/reference.ts';
import {buildImage} from '../../../src/image-build/build-image.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import {readDestination} from '../../../src/image-build/inputs/outputs.ts';
import type {DelegateRun, Ports} from '../../../src/ports.ts';
import {node} from '../../helpers/api-samples.ts';
import {makeSurroundings} from '../../helpers/surroundings.ts';
import {buildRequest, list, NO_PROGRAMS, pod, workingDeployment} from '../builder/builder-world.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const PRIVATE = '/private/1';
const CLEAN = `remove ${PRIVATE}`;
const DOCKERCONFIG = {kind: 'found', value: {type: 'kubernetes.io/dockerconfigjson'}} as const;
const OPAQUE = {kind: 'found', value: {type: 'Opaque'}} as const;
const MISSING = {kind: 'missing'} as const;
const FORBIDDEN = {kind: 'forbidden', message: 'you cannot'} as const;
const NAMED = {kind: 'named', name: 's', by: '--registry-secret'} as const;

/** A builder that works, of which nothing has to be asked. */
const BUILDER = {
  deployments: {kind: 'found', value: [workingDeployment()]},
  configMaps: {kind: 'found', value: []},
} as const;
const NO_BUILDER = {...BUILDER, deployments: {kind: 'found', value: []}} as const;

interface World {
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly facts?: ClusterFacts;
  readonly delegate?: string | undefined;
  readonly terminal?: boolean;
  /** How kubectl ends, by its first argument. */
  readonly kubectl?: Readonly<Record<string, Partial<KubectlResult>>>;
  readonly ended?: {exitCode?: number; signal?: string};
  /** Whether it goes on until it is stopped. */
  readonly hangs?: boolean;
  /** What the image ID file holds, and what is said on the way. */
  readonly iid?: string;
  readonly progress?: string;
  readonly crash?: 'read' | 'run' | 'replace';
  readonly signalDuring?: 'read' | 'run';
}

interface Asked extends Partial<Omit<BuildRequest, 'tags'>> {
  readonly tags?: readonly string[];
}

async function build(asked: Asked = {}, world: World = {}) {
  const {name = 'kind-x', facts = {pullSecret: MISSING, ...BUILDER}} = world;
  const steps: string[] = [];
  const notes: string[] = [];
  const details: string[] = [];
  const runs: DelegateRun[] = [];
  const connections: Connection[] = [];
  const disk = new Map([
    [
      '/home/me/.kube/config',
      JSON.stringify({
        'current-context': name,
        contexts: [{name, context: {cluster: name, user: name}}],
        clusters: [{name, cluster: {server: 'https://127.0.0.1:6443'}}],
        users: [{name, user: {token: 't'}}],
      }),
    ],
    ['secret.txt', 'x'],
    ['iid.txt', 'old'],
  ]);
  let signal: InterruptSignal | undefined;
  const step = (what: string) => {
    steps.push(what);
    if (world.signalDuring === what) signal = 'SIGTERM';
    if (world.crash === what.split(' ')[0]) throw new TypeError(`crash in ${what}`);
  };
  const ports: Ports = {
    files: {
      readText: async (path) => disk.get(path),
      isWritableDirectory: () => true,
      kindOf: (path) => (path === '.' ? 'directory' : disk.has(path) ? 'file' : 'missing'),
      makePrivateDirectory: async () => {
        step('make private');
        return PRIVATE;
      },
      writePrivate: async (path, text) => {
        step(`write ${path}`);
        disk.set(path, text);
      },
      remove: async (path) => {
        steps.push(`remove ${path}`);
        for (const one of [...disk.keys()]) if (one === path || one.startsWith(`${path}/`)) disk.delete(one);
      },
      replace: async (path, text) => {
        step(`replace ${path}`);
        disk.set(path, text);
      },
      join: (...parts) => parts.filter(Boolean).join('/'),
      dirname: () => '.',
      basename: (path) => path.split('/').at(-1) ?? '',
      copyPrivate: async (from, to) => {
        step(`copy ${from} ${to}`);
        disk.set(to, disk.get(from) ?? '');
      },
      makeDirectory: async (path) => step(`make ${path}`),
    },
    input: {
      save: async (path) => {
        step(`save ${path}`);
        disk.set(path, 'standard input');
      },
    },
    clusters: {
      connect: (_target, connection) => {
        connections.push(connection);
        return {
          pause: 300,
          lastLogin: async () => undefined,
          read: async (query) => {
            step('read');
            expect(Object.keys(query)).to.have.members(['pullSecret', 'builders', 'nodes']);
            return facts;
          },
          // What is looked at while a builder starts and while a build runs are no steps of the use case.
          get: async (path) => {
            if (path.includes('/deployments/')) return {kind: 'found', value: workingDeployment()};
            return path.includes('/pods?') ? list(pod()) : {kind: 'found', value: {}};
          },
          review: async (path) => {
            throw new RangeError(`no build asks ${path}`);
          },
          kubectl: async ([word = '']) => {
            step(word);
            return {exitCode: 0, stdout: '', stderr: '', ...world.kubectl?.[word]};
          },
          kubectlLive: async () => {
            throw new RangeError('no build shows what kubectl says');
          },
        };
      },
    },
    delegate: {
      find: async () => {
        step('find');
        return 'delegate' in world ? world.delegate : '/bin/kubectl-build';
      },
      run: async (run) => {
        runs.push(run);
        step('run');
        if (run.progress.mode !== 'shown') run.progress.observe(Buffer.from(world.progress ?? ''));
        const iid = run.argv[run.argv.indexOf('--iidfile') + 1] as string;
        if (run.argv.includes('--iidfile')) disk.set(iid, world.iid ?? DIGEST);
        if (world.hangs) {
          await new Promise((resolve) => run.stop?.addEventListener('abort', resolve, {once: true}));
        }
        return {exitCode: 0, signal: undefined, ...world.ended};
      },
    },
    notes: {note: (text) => notes.push(text), detail: (text) => details.push(text)},
    interruption: {
      get signal() {
        return signal;
      },
      throwIfReceived: () => {
        if (signal) throw new Interrupted(signal);
      },
    },
    programs: NO_PROGRAMS,
    confirm: async () => {
      throw new RangeError('no build asks a question');
    },
    wallClock: () => 0,
    now: () => 1000 + 250 * steps.length,
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  };
  const {tags = ['localhost/app:1'], outputs = [], push = false, ...rest} = asked;
  const request = buildRequest({
    tags: parseTags(tags),
    outputs,
    push,
    destination: readDestination(outputs, push),
    ...rest,
  });
  const surroundings = makeSurroundings({
    env: world.env ?? {},
    terminal: world.terminal ?? false,
    toolVersion: '1.2.3',
  });
  const outcome = await buildImage(request, surroundings, ports).then(
    (result) => ({result, error: undefined}),
    (error: unknown) => ({result: undefined, error}),
  );
  const left = [...disk.keys()].filter((path) => path.startsWith(PRIVATE));
  return {...outcome, steps, notes, details, runs, connections, disk, left, argv: runs[0]?.argv ?? []};
}

const NODES = (providerId: string) =>
  ({kind: 'found', value: [{metadata: {name: 'n'}, spec: {providerID: providerId}}]}) as const;
const WORLD_403 = {pullSecret: MISSING, ...BUILDER, nodes: FORBIDDEN};

describe('buildImage', () => {
  it('goes step by step, and gives what came of it', async () => {
    const {result, steps} = await build({iidFile: 'iid.txt', metadataFile: 'meta.json'});
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
  });

  it('writes the digest without a newline, and the whole result, where that was asked for', async () => {
    const {result, disk} = await build({iidFile: 'iid.txt', metadataFile: 'meta.json'});
    expect(disk.get('iid.txt')).to.equal(DIGEST);
    expect(JSON.parse(disk.get('meta.json') as string)).to.deep.equal(result);
  });

  const failures: readonly (readonly [string, Asked, World, ErrorCode, readonly string[], string?])[] = [
    ['k3d by its names', {}, {name: 'k3d-dev'}, 'refused-k3d', ['make private', CLEAN], 'k3d-dev'],
    ['an unqualified tag on kind', {tags: ['app']}, {}, 'refused-unqualified-tag', ['make private', CLEAN]],
    ['a context that is not there', {context: 'nowhere'}, {}, 'usage', []],
    ['a secret that is not there', {secrets: ['id=a,src=no']}, {}, 'build-secret-missing', []],
    [
      'k3d by its nodes',
      {},
      {name: 'dev', facts: {...WORLD_403, nodes: NODES('k3s://k3d-a')}},
      'refused-k3d',
      ['make private', 'find', 'read', CLEAN],
    ],
    [
      'an unqualified tag on kind by its nodes',
      {tags: ['app']},
      {name: 'dev', facts: {...WORLD_403, nodes: NODES('kind://docker/a/b')}},
      'refused-unqualified-tag',
      ['make private', 'find', 'read', CLEAN],
    ],
    [
      'a missing delegate',
      {},
      {delegate: undefined},
      'tool-missing',
      ['make private', 'find', 'read', CLEAN],
      'kubectl-build',
    ],
    [
      'builders that may not be read',
      {},
      {facts: {pullSecret: MISSING, ...BUILDER, deployments: FORBIDDEN}},
      'cluster-denied',
      ['make private', 'find', 'read', CLEAN],
      'list deployments.apps in namespace "default"',
    ],
    [
      'a right that is missing',
      {},
      {facts: {pullSecret: MISSING, ...BUILDER, rules: []}},
      'cluster-denied',
      ['make private', 'find', 'read', CLEAN],
      'create pods/exec',
    ],
    [
      'a builder that cannot be made',
      {},
      {
        facts: {pullSecret: MISSING, ...NO_BUILDER, nodes: {kind: 'found', value: [node()]}},
        kubectl: {create: {exitCode: 1, stderr: 'Error from server (Forbidden): no\n'}},
      },
      'builder-failed',
      ['make private', 'find', 'read', 'apply', 'create', CLEAN],
      'could not be made',
    ],
    [
      'a limit that is over',
      {timeout: 1},
      {ended: {exitCode: 1}, hangs: true},
      'timed-out',
      ['make private', 'find', 'read', 'run', CLEAN],
      '--timeout',
    ],
    [
      'a named pull secret that is missing',
      {pullSecret: NAMED},
      {},
      'pull-secret-missing',
      ['make private', 'find', 'read', CLEAN],
      '"s"',
    ],
    [
      'a named pull secret of another type',
      {pullSecret: NAMED},
      {facts: {pullSecret: OPAQUE, ...BUILDER}},
      'pull-secret-missing',
      ['make private', 'find', 'read', CLEAN],
      'Opaque',
    ],
    [
      'an --iidfile that is a directory',
      {iidFile: '.'},
      {},
      'usage',
      ['make private', 'find', 'read', CLEAN],
      '--iidfile',
    ],
    [
      'a build that fails',
      {},
      {ended: {exitCode: 1}},
      'build-failed',
      ['make private', 'find', 'read', 'run', CLEAN],
      'exited with 1',
    ],
    [
      'a delegate that is killed',
      {},
      {ended: {exitCode: undefined, signal: 'SIGKILL'}},
      'build-failed',
      ['make private', 'find', 'read', 'run', CLEAN],
      'SIGKILL',
    ],
    [
      'a digest that is missing',
      {},
      {iid: ''},
      'digest-missing',
      ['make private', 'find', 'read', 'run', CLEAN],
    ],
    [
      'a digest that is missing from the progress',
      {platforms: ['a']},
      {progress: '#1 DONE\n'},
      'digest-missing',
      ['make private', 'find', 'read', 'run', CLEAN],
    ],
    [
      'a result that cannot be written',
      {iidFile: 'iid.txt'},
      {crash: 'replace'},
      'result-not-written',
      ['make private', 'find', 'read', 'remove iid.txt', 'run', 'replace iid.txt', CLEAN],
    ],
  ];
  for (const [what, asked, world, code, steps, words = ''] of failures) {
    it(`ends at ${what}`, async () => {
      const done = await build(asked, world);
      expect(done.error).to.be.instanceOf(TiltbuildError);
      const error = done.error as TiltbuildError;
      expect([error.code, done.steps, done.left]).to.deep.equal([code, steps, []]);
      expect(error.message).to.include(words);
    });
  }

  it('leaves no result of an earlier build where this one fails', async () => {
    const {disk} = await build({iidFile: 'iid.txt'}, {ended: {exitCode: 1}});
    expect(disk.has('iid.txt')).to.equal(false);
  });

  it('keeps an older result where nothing was built because of a refusal', async () => {
    const {disk} = await build({iidFile: 'iid.txt', pullSecret: NAMED});
    expect(disk.get('iid.txt')).to.equal('old');
  });

  for (const crash of ['read', 'run'] as const) {
    it(`removes the private directory where ${crash} throws something unforeseen`, async () => {
      const {error, steps, left} = await build({secrets: ['id=a,env=A']}, {crash, env: {A: 'hunter2'}});
      expect(error).to.be.instanceOf(TypeError);
      expect([steps.at(-1), left]).to.deep.equal([CLEAN, []]);
    });
  }

  for (const during of ['read', 'run'] as const) {
    it(`ends as interrupted where a signal comes during ${during}`, async () => {
      const {error, steps, left} = await build({}, {signalDuring: during, ended: {exitCode: 1}});
      expect(error).to.be.instanceOf(Interrupted).with.property('signal', 'SIGTERM');
      expect([steps.includes('run'), steps.at(-1), left]).to.deep.equal([during === 'run', CLEAN, []]);
    });
  }

  it('builds where the nodes may not be read, and says that the product is unknown', async () => {
    const {result, notes} = await build({tags: ['app']}, {name: 'dev', facts: WORLD_403});
    expect(result).to.include({product: 'unknown', context: 'dev'});
    expect(result?.references).to.deep.equal(['docker.io/library/app:latest']);
    expect(notes).to.have.length(1);
    expect(notes[0]).to.include('"app" is built as docker.io/library/app:latest');
    // What shows notes puts the word before them.
    expect(notes[0]).not.to.match(/^note/);
  });

  for (const [what, pullSecret, answer, args, note] of [
    ['the default one', undefined, DOCKERCONFIG, ['--registry-secret', 'docker-registry'], undefined],
    ['no default one', undefined, MISSING, [], undefined],
    ['a default one of another type', undefined, OPAQUE, [], 'Opaque'],
    [
      'one that may not be looked at',
      undefined,
      FORBIDDEN,
      ['--registry-secret', 'docker-registry'],
      'you cannot',
    ],
    ['a named one', NAMED, DOCKERCONFIG, ['--registry-secret', 's'], undefined],
    ['a named one that may not be looked at', NAMED, FORBIDDEN, ['--registry-secret', 's'], 'you cannot'],
    ['none on purpose', {kind: 'none', by: '--registry-secret'} as const, undefined, [], undefined],
  ] as const) {
    it(`uses ${what} as pull secret`, async () => {
      const facts = {...(answer && {pullSecret: answer}), ...BUILDER};
      const {argv, notes, result} = await build(pullSecret ? {pullSecret} : {}, {facts});
      const at = argv.indexOf('--registry-secret');
      expect(at < 0 ? [] : argv.slice(at, at + 2)).to.deep.equal(args);
      expect(result?.pullSecret).to.equal(args[1] ?? null);
      expect(notes.map((text) => text.includes(note ?? '?'))).to.deep.equal(note ? [true] : []);
    });
  }

  it('builds in two passes for a name by content, and writes what both need once', async () => {
    const contentName = {
      name: 'web',
      reference: parseReference('web'),
      tagForm: DEFAULT_TAG_FORM,
      file: 'refs/ref.txt',
    };
    const {result, steps, runs, disk, details} = await build(
      {contentName, tags: [], secrets: ['id=a,env=A'], file: '-'},
      {env: {A: 'hunter2'}},
    );
    const tag = `tilt-${'a'.repeat(16)}`;
    expect(result).to.include({digest: DIGEST, reference: `web:${tag}`});
    expect(result?.references).to.deep.equal([`docker.io/library/web:${tag}`]);
    expect(disk.get('refs/ref.txt')).to.equal(`web:${tag}`);
    expect(steps).to.deep.equal([
      'make private',
      `write ${PRIVATE}/secret-0`,
      `make ${PRIVATE}/dockerfile`,
      `save ${PRIVATE}/dockerfile/Dockerfile`,
      'find',
      'read',
      'remove refs/ref.txt',
      'run',
      'run',
      'replace refs/ref.txt',
      CLEAN,
    ]);
    for (const {argv} of runs) expect(argv).to.include(`${PRIVATE}/dockerfile/Dockerfile`);
    // The progress of a pass that is held back has a place of its own.
    expect(runs.map(({progress}) => progress.mode)).to.deep.equal(['watched', 'held']);
    expect(details.filter((text) => text.startsWith('runs: '))).to.have.length(2);
  });

  it('puts a secret of the environment into a private file, which is gone afterwards', async () => {
    const {argv, steps, left, details} = await build(
      {secrets: ['id=a,env=A', 'id=b,src=secret.txt']},
      {env: {A: 'hunter2'}},
    );
    expect(argv).to.include(`id=a,src=${PRIVATE}/secret-0`).and.include('id=b,src=secret.txt');
    expect(steps).to.deep.equal(['make private', `write ${PRIVATE}/secret-0`, 'find', 'read', 'run', CLEAN]);
    expect(left).to.deep.equal([]);
    expect(JSON.stringify([argv, details])).not.to.include('hunter2');
  });

  it('hands a token on in a private kubeconfig alone', async () => {
    const {argv, runs, details} = await build({connection: {overrides: {token: 'hunter2'}, passed: []}});
    expect(argv.slice(0, 4)).to.deep.equal([
      '--kubeconfig',
      `${PRIVATE}/kubeconfig`,
      '--namespace',
      'default',
    ]);
    expect(JSON.stringify([runs, details])).not.to.include('hunter2');
  });

  for (const [what, asked, terminal, stdout, mode] of [
    ['shows the progress on a terminal', {}, true, 'stderr', 'shown'],
    ['watches it elsewhere', {}, false, 'stderr', 'watched'],
    ['watches it for a platform', {platforms: ['a']}, true, 'stderr', 'watched'],
    ['holds it with --quiet', {quiet: true}, true, 'stderr', 'held'],
    ['holds and watches it with both', {quiet: true, platforms: ['a']}, true, 'stderr', 'held'],
    ['leaves standard output to a tar file', {outputs: ['-']}, true, 'result', 'shown'],
  ] as const) {
    it(what, async () => {
      const progress = `#7 exporting manifest ${DIGEST} done\n`;
      const {runs, result} = await build(asked, {progress, terminal});
      expect([runs[0]?.stdout, runs[0]?.progress.mode]).to.deep.equal([stdout, mode]);
      expect(result?.digest).to.equal(stdout === 'result' ? undefined : DIGEST);
    });
  }

  it('makes a builder where there is none, and builds on it', async () => {
    const nodes = {kind: 'found', value: [node()]} as const;
    const {steps, notes, result} = await build({}, {facts: {pullSecret: MISSING, ...NO_BUILDER, nodes}});
    expect(steps).to.deep.equal(['make private', 'find', 'read', 'apply', 'create', 'run', CLEAN]);
    expect(notes).to.have.length(1);
    expect(result?.digest).to.equal(DIGEST);
  });

  it('leaves the builder to kubectl build with never, whatever may be read of it', async () => {
    const facts = {pullSecret: MISSING, ...BUILDER, deployments: FORBIDDEN, rules: []};
    const builderOptions = {policy: 'never', timeout: 1, replicas: 1, allowNetworkHost: false} as const;
    const {steps, notes} = await build({builderOptions}, {facts});
    expect(steps).to.deep.equal(['make private', 'find', 'read', 'run', CLEAN]);
    expect(notes).to.deep.equal([]);
  });

  for (const [what, builder, exported] of [
    ['fast into a containerd builder', workingDeployment({labels: {rootless: 'false'}}), true],
    ['as kubectl build does it into a rootless one', workingDeployment(), false],
  ] as const) {
    it(`exports ${what}`, async () => {
      const facts = {
        pullSecret: MISSING,
        ...BUILDER,
        deployments: {kind: 'found', value: [builder]},
      } as const;
      const {argv} = await build({}, {facts});
      expect(argv.includes('type=image,unpack=true,compression=uncompressed')).to.equal(exported);
    });
  }

  it('reaches the cluster as kubectl build is told to', async () => {
    const overrides = {};
    const passed = [['--request-timeout', '5s']];
    const {connections, argv} = await build({connection: {overrides, passed, requestTimeout: '5s'}});
    expect(connections).to.have.length(1);
    expect(connections[0]?.requestTimeout).to.equal('5s');
    expect(argv.slice(0, connections[0]?.args.length)).to.deep.equal(connections[0]?.args);
  });

  it('asks for no digest of an archive', async () => {
    const {result} = await build({outputs: ['type=oci,dest=a.tar']}, {iid: ''});
    expect(result?.digest).to.equal(undefined);
  });
});
