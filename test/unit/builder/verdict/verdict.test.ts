/** Covers what is made of a builder: from what was observed to a verdict. */
import {expect} from 'chai';
import {containerdPaths} from '../../../../src/builder/manifest/containerd-paths.ts';
import {builderManifest} from '../../../../src/builder/manifest/manifest.ts';
import {
  type BuilderDeployment,
  type BuilderMount,
  readBuilderDeployment,
  readBuilderToml,
} from '../../../../src/builder/model/objects.ts';
import type {ObservedBuilder} from '../../../../src/builder/model/observed-builder.ts';
import {defaultBuilderSettings} from '../../../../src/builder/model/settings.ts';
import {
  findFaults,
  findNestedMount,
  judgeBuilder,
  readBuildkitVersion,
  type Verdict,
} from '../../../../src/builder/verdict/verdict.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';
import {nodeRuntime} from '../builder-world.ts';

const PLUGIN_MADE = readBuilderDeployment(readApiRecording('builder-by-plugin').body);
const READY = {generation: 1, observedGeneration: 1, replicas: 1, readyReplicas: 1, updatedReplicas: 1};

/** A directory that the node shares, as a containerd builder needs it. */
const shared = (path: string, hostPath = path): BuilderMount => ({path, hostPath, bidirectional: true});

/** The plugin's builder without the socket as a mount of its own, so that only RUN fails on it. */
function containerdBuilder(changes: Partial<BuilderDeployment> = {}): BuilderDeployment {
  const mounts = [shared('/run/containerd'), shared('/var/lib/buildkit/buildkit'), {path: '/etc/buildkit'}];
  return {...PLUGIN_MADE, mounts, ...changes};
}

const dockerBuilder = (changes: Partial<BuilderDeployment> = {}) =>
  containerdBuilder({
    runtime: 'docker',
    worker: 'runc',
    args: [],
    mounts: [{path: '/run/docker.sock', hostPath: '/var/run/docker.sock'}],
    ...changes,
  });

const OTEL = '[otel]\n  socketPath = "/var/lib/buildkit/buildkit/otel-grpc.sock"\n';

const nodes = (...versions: readonly string[]) =>
  versions.map((containerRuntimeVersion) => nodeRuntime({containerRuntimeVersion}));

const windows = (version: string) =>
  nodes(version).map((node) => ({...node, labels: {'kubernetes.io/os': 'windows'}}));

const withArgs = (...args: string[]) => ({deployment: containerdBuilder({args})});
const withImage = (image: string) => ({deployment: containerdBuilder({image})});
const ready = (changes: Partial<BuilderDeployment>) => ({deployment: containerdBuilder(changes), toml: OTEL});

const OBSERVED: readonly (readonly [Verdict['kind'], string, ObservedBuilder])[] = [
  ['missing', 'nothing', {}],
  ['missing', 'nothing but its configuration', {toml: OTEL, nodes: nodes('containerd://2.1.9')}],
  ['working', 'a socket path in the toml', {deployment: containerdBuilder(), toml: OTEL}],
  ['starting', 'no ready pod', ready({readyReplicas: 0})],
  ['starting', 'a generation not seen yet', ready({generation: 3, observedGeneration: 2})],
  ['starting', 'ready pods of an older generation only', ready({updatedReplicas: 0})],
  ['starting', 'one that is being deleted', ready({deleting: true})],
  ['starting', 'one that is scaled to 0', ready({replicas: 0, readyReplicas: 0})],
  ['working', 'one ready pod of three', ready({replicas: 3, readyReplicas: 1})],
  // What harms the node.
  ['plugin-made', 'the one that was recorded', {deployment: PLUGIN_MADE}],
  ['plugin-made', 'the same with RUN repaired', {deployment: PLUGIN_MADE, toml: OTEL}],
  [
    'plugin-made',
    'the same, not ready and without the annotation',
    {deployment: {...PLUGIN_MADE, readyReplicas: 0, madeByPlugin: false}},
  ],
  // What RUN needs.
  ['cannot-run', 'no socket path at all', {deployment: containerdBuilder()}],
  [
    'cannot-run',
    "the plugin's toml",
    {deployment: containerdBuilder(), toml: '[worker.containerd]\n  namespace = "k8s.io"\n'},
  ],
  ['cannot-run', 'a path in the pod alone', withArgs('--otel-socket-path=/run/buildkit/otel-grpc.sock')],
  ['cannot-run', 'no path but the node is not known', {deployment: containerdBuilder({readyReplicas: 0})}],
  ['working', 'a flag', withArgs('--otel-socket-path=/run/containerd/x.sock')],
  ['working', 'a flag in two words', withArgs('--otel-socket-path', '/run/containerd/x.sock')],
  ['working', 'a flag with one dash', withArgs('-otel-socket-path=/run/containerd/x.sock')],
  ['working', 'a shell', withArgs('sh', '-c', 'exec buildkitd --otel-socket-path "/run/containerd/x.sock"')],
  ['working', 'another name of the directory', withArgs('--otel-socket-path=/var/run/containerd//x.sock')],
  [
    'cannot-run',
    'a flag that outdoes a good toml',
    {...withArgs('--otel-socket-path=/tmp/x.sock'), toml: OTEL},
  ],
  [
    'working',
    'the last of two flags',
    withArgs('--otel-socket-path=/tmp/x.sock', '--otel-socket-path=/run/containerd/x.sock'),
  ],
  [
    'cannot-run',
    'a directory that the node has elsewhere',
    {
      deployment: containerdBuilder({
        mounts: [shared('/var/lib/buildkit/buildkit', '/data/buildkit')],
      }),
      toml: OTEL,
    },
  ],
  [
    'cannot-run',
    'a directory of the pod inside one of the node',
    {
      deployment: containerdBuilder({
        mounts: [
          {path: '/var/lib/buildkit', hostPath: '/var/lib/buildkit'},
          {path: '/var/lib/buildkit/buildkit'},
        ],
      }),
      toml: OTEL,
    },
  ],
  // Of the version.
  ['working', 'BuildKit 0.12', withImage('docker.io/moby/buildkit:v0.12.5')],
  ['cannot-run', 'BuildKit 0.13', withImage('docker.io/moby/buildkit:v0.13.0')],
  ['cannot-run', 'a tag that moves', withImage('docker.io/moby/buildkit:buildx-stable-1')],
  ['cannot-run', 'a digest', withImage(`moby/buildkit@sha256:${'0'.repeat(64)}`)],
  // Of the worker.
  ['working', 'a runc worker', {deployment: dockerBuilder()}],
  ['working', 'a containerd worker that is turned off', withArgs('--containerd-worker=false')],
  ['cannot-run', 'a containerd worker without its label', {deployment: containerdBuilder({worker: ''})}],
  [
    'working',
    'a rootless one',
    {deployment: dockerBuilder({runtime: 'containerd', worker: 'containerd', rootless: true})},
  ],
  // Of the runtime.
  ['working', 'docker on docker', {deployment: dockerBuilder(), nodes: nodes('docker://28.0.1')}],
  [
    'wrong-runtime',
    'docker on containerd',
    {deployment: dockerBuilder(), nodes: nodes('containerd://2.1.9')},
  ],
  [
    'wrong-runtime',
    'docker on containerd, never ready',
    {deployment: dockerBuilder({readyReplicas: 0}), nodes: nodes('containerd://2.1.9', 'containerd://1.7.0')},
  ],
  [
    'wrong-runtime',
    'containerd on docker',
    {deployment: containerdBuilder(), toml: OTEL, nodes: nodes('docker://28.0.1')},
  ],
  [
    'working',
    'docker on a mixed cluster',
    {deployment: dockerBuilder(), nodes: nodes('containerd://2.1.9', 'docker://28.0.1')},
  ],
  [
    'working',
    'docker beside Windows nodes',
    {deployment: dockerBuilder(), nodes: [...nodes('docker://28.0.1'), ...windows('containerd://2.1.9')]},
  ],
  ['working', 'docker on cri-o', {deployment: dockerBuilder(), nodes: nodes('cri-o://1.33.0')}],
  ['working', 'docker on no nodes', {deployment: dockerBuilder(), nodes: []}],
  [
    'working',
    'a rootless one on another runtime',
    {
      deployment: dockerBuilder({rootless: true}),
      nodes: nodes('containerd://2.1.9'),
    },
  ],
  [
    'working',
    'a foreign one without labels',
    {deployment: dockerBuilder({runtime: '', worker: ''}), nodes: nodes('containerd://2.1.9')},
  ],
];

describe('judgeBuilder', () => {
  for (const [kind, what, observed] of OBSERVED) {
    it(`finds it ${kind} for ${what}`, () => {
      const verdict = judgeBuilder(observed);
      expect(verdict.kind, verdict.reason).to.equal(kind);
    });
  }

  it('names all that is wrong, the worst first', () => {
    const deployment = {...PLUGIN_MADE, runtime: 'docker'};
    const observed = {deployment, nodes: nodes('containerd://2.1.9')};
    const {reason} = judgeBuilder(observed);
    expect(findFaults(observed, deployment).map(({kind}) => kind)).to.deep.equal([
      'plugin-made',
      'wrong-runtime',
      'cannot-run',
    ]);
    expect(reason).to.match(/harms its node.*, and is for docker.*, and cannot run RUN steps/);
  });

  for (const [toml, kind] of [
    ['[otel]\nsocketPath="/run/containerd/a.sock"', 'working'],
    ["# x\n\n [ otel ] # y\r\n\tsocketPath = '/run/containerd/a.sock' # z\r\n[grpc]", 'working'],
    ['otel.socketPath = "/run/containerd/a.sock"', 'working'],
    ['otel = { socketPath = "/run/containerd/a.sock" }', 'working'],
    ['[otel]\n# socketPath = "/run/containerd/a.sock"', 'cannot-run'],
    ['[grpc]\nsocketPath = "/run/containerd/a.sock"', 'cannot-run'],
    ['[otel]\n[grpc]\nsocketPath = "/run/containerd/a.sock"', 'cannot-run'],
    ['[otel.x]\nsocketPath = "/run/containerd/a.sock"', 'cannot-run'],
    ['[otel]\nsocketPath = "/run/buildkit/a.sock"', 'cannot-run'],
    ['[otel]\nsocketPath = ""', 'cannot-run'],
    ['', 'cannot-run'],
  ] as const) {
    it(`finds it ${kind} with the toml ${JSON.stringify(toml)}`, () => {
      expect(judgeBuilder({deployment: containerdBuilder(), toml}).kind).to.equal(kind);
    });
  }

  for (const product of ['kind', 'microk8s', 'k3s'] as const) {
    for (const runtime of ['containerd', 'docker', undefined] as const) {
      it(`finds nothing wrong with our own for ${runtime ?? 'rootless'} on ${product}`, () => {
        const {deployment, configMap} = builderManifest({
          settings: defaultBuilderSettings('b', 'ns', runtime === undefined),
          runtime,
          paths: containerdPaths(product),
          nodeCount: 1,
          toolVersion: '9.9.9',
        });
        const read = {...readBuilderDeployment(deployment), ...READY};
        const observed = {toml: readBuilderToml(configMap), nodes: nodes(`${runtime ?? 'cri-o'}://1.0.0`)};
        const verdict = judgeBuilder({deployment: read, ...observed});
        expect(verdict.kind, verdict.reason).to.equal('working');
        expect(read).to.include({managedByUs: true, madeByPlugin: false});
      });
    }
  }
});

describe('findNestedMount', () => {
  const socket = {path: '/run/containerd/containerd.sock'};
  for (const [what, found, ...mounts] of [
    ["the socket in the plugin's own", true, ...PLUGIN_MADE.mounts],
    ['one whose directory has another name', true, shared('/var/run/containerd/'), socket],
    ['one that has another name', true, shared('/run/containerd'), {path: '/var/run/containerd/x/'}],
    ['all inside the root', true, shared('/'), {path: '/x'}],
    ['one beside it', false, shared('/run/containerd'), {path: '/run/containerd-other'}, {path: '/run'}],
    ['one in the same place', false, shared('/run/containerd'), {path: '/var/run/containerd'}],
    ['one inside a private directory', false, {path: '/run', hostPath: '/run'}, socket],
    ['one inside a directory of the pod', false, {path: '/run', bidirectional: true}, socket],
  ] as const) {
    it(`${found ? 'finds' : 'allows'} ${what}`, () => {
      expect(findNestedMount(mounts) !== undefined).to.equal(found);
    });
  }
});

describe('readBuildkitVersion', () => {
  for (const [image, version] of [
    ['docker.io/moby/buildkit:v0.12.5', [0, 12]],
    ['moby/buildkit:v0.12.5-rootless', [0, 12]],
    ['buildkit:0.9', [0, 9]],
    ['moby/buildkit:v0.13.0-rc1', [0, 13]],
    ['localhost:5000/mirror/moby/buildkit:v1.2.3', [1, 2]],
    [`moby/buildkit:v0.12.5@sha256:${'0'.repeat(64)}`, [0, 12]],
  ] as const) {
    it(`reads ${version.join('.')} from ${image}`, () => {
      expect(readBuildkitVersion(image)).to.deep.equal({major: version[0], minor: version[1]});
    });
  }

  for (const image of [
    '',
    'moby/buildkit',
    'moby/buildkit:latest',
    'moby/buildkit:master',
    'moby/buildkit:buildx-stable-1',
    'moby/buildkit:buildx-stable-1-rootless',
    `moby/buildkit@sha256:${'0'.repeat(64)}`,
    'moby/buildkit:v0',
    'moby/buildkit:20230101',
    // Somebody's own, whose versions are their own as well.
    'acme/builder:v0.12.5',
    'acme/my-buildkit:v0.12.5',
    'buildkit:0/app:v0.12.5x/y',
  ]) {
    it(`does not know that of ${JSON.stringify(image)}`, () => {
      expect(readBuildkitVersion(image)).to.equal(undefined);
    });
  }
});
