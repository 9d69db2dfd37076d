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
const STATE = '/var/lib/buildkit/buildkit';

/** The plugin's builder without the socket as a mount of its own, so that only RUN fails on it. */
function containerdBuilder(changes: Partial<BuilderDeployment> = {}): BuilderDeployment {
  const mounts = [shared('/run/containerd'), shared(STATE), {path: '/etc/buildkit'}];
  return {...PLUGIN_MADE, mounts, ...changes};
}

const CONTAINERD = 'containerd://2.1.9';
const DOCKER = 'docker://28.0.1';
const OTEL = `[otel]\n  socketPath = "${STATE}/otel-grpc.sock"\n`;
const K8S = '[worker.containerd]\n  namespace = "k8s.io"\n';

const nodes = (...versions: readonly string[]) =>
  versions.map((containerRuntimeVersion) => nodeRuntime({containerRuntimeVersion}));
const windows = (version: string) =>
  nodes(version).map((node) => ({...node, labels: {'kubernetes.io/os': 'windows'}}));

/** RUN fails on it, unless something in `changes` makes it work. */
const bare = (changes: Partial<BuilderDeployment>, toml?: string) => ({
  deployment: containerdBuilder(changes),
  toml,
});
const withArgs = (...args: string[]) => bare({args});
const withImage = (image: string) => bare({image});
/** RUN works on it. */
const good = (changes: Partial<BuilderDeployment>) => bare(changes, OTEL);
const plugin = (changes: Partial<BuilderDeployment>) => ({deployment: {...PLUGIN_MADE, ...changes}});

const dockerBuilder = (changes: Partial<BuilderDeployment>, nodes?: ObservedBuilder['nodes']) => {
  const mounts = [{path: '/run/docker.sock', hostPath: '/var/run/docker.sock'}];
  return {...bare({runtime: 'docker', worker: 'runc', args: [], mounts, ...changes}), nodes};
};
const onNodes = (...versions: readonly string[]) => dockerBuilder({}, nodes(...versions));

const FLAG = '--otel-socket-path';
const SOCKET = '/run/containerd/x.sock';
const inside = [{path: '/var/lib/buildkit', hostPath: '/var/lib/buildkit'}, {path: STATE}];

const OBSERVED: readonly (readonly [Verdict['kind'], string, ObservedBuilder])[] = [
  ['missing', 'nothing', {}],
  ['missing', 'nothing but its configuration', {toml: OTEL, nodes: nodes(CONTAINERD)}],
  ['working', 'a socket path in the toml', good({})],
  ['starting', 'no ready pod', good({readyReplicas: 0})],
  ['starting', 'a generation not seen yet', good({generation: 3, observedGeneration: 2})],
  ['starting', 'ready pods of an older generation only', good({updatedReplicas: 0})],
  ['starting', 'one that is being deleted', good({deleting: true})],
  ['starting', 'one that is scaled to 0', good({replicas: 0, readyReplicas: 0})],
  ['working', 'one ready pod of three', good({replicas: 3, readyReplicas: 1})],
  // What harms the node.
  ['plugin-made', 'the one that was recorded', plugin({})],
  ['plugin-made', 'the same with RUN repaired', {...plugin({}), toml: OTEL}],
  ['plugin-made', 'the same, unmarked and not ready', plugin({readyReplicas: 0, madeByPlugin: false})],
  // What RUN needs.
  ['cannot-run', 'no socket path at all', bare({})],
  ['cannot-run', "the plugin's toml", bare({}, K8S)],
  ['cannot-run', 'a path in the pod alone', withArgs(`${FLAG}=/run/buildkit/otel-grpc.sock`)],
  ['cannot-run', 'no path but the node is not known', bare({readyReplicas: 0})],
  ['working', 'no path that we can see', {...bare({}), tomlUnknown: true}],
  ['cannot-run', 'a bad flag, whatever we see', {...withArgs(`${FLAG}=/tmp/x`), tomlUnknown: true}],
  ['working', 'a flag', withArgs(`${FLAG}=${SOCKET}`)],
  ['working', 'a flag in two words', withArgs(FLAG, SOCKET)],
  ['working', 'a flag with one dash', withArgs(`-otel-socket-path=${SOCKET}`)],
  ['working', 'a shell', withArgs('sh', '-c', `exec buildkitd ${FLAG} "${SOCKET}"`)],
  ['working', 'another name of the directory', withArgs(`${FLAG}=/var/run/containerd//x.sock`)],
  ['cannot-run', 'a flag that outdoes a good toml', {...withArgs(`${FLAG}=/tmp/x.sock`), toml: OTEL}],
  ['working', 'the last of two flags', withArgs(`${FLAG}=/tmp/x.sock`, `${FLAG}=${SOCKET}`)],
  ['cannot-run', 'a directory elsewhere on the node', good({mounts: [shared(STATE, '/data/buildkit')]})],
  ['cannot-run', 'a directory of the pod inside one of the node', good({mounts: inside})],
  // Of the version.
  ['working', 'BuildKit 0.12', withImage('docker.io/moby/buildkit:v0.12.5')],
  ['cannot-run', 'BuildKit 0.13', withImage('docker.io/moby/buildkit:v0.13.0')],
  ['cannot-run', 'a tag that moves', withImage('docker.io/moby/buildkit:buildx-stable-1')],
  ['cannot-run', 'a digest', withImage(`moby/buildkit@sha256:${'0'.repeat(64)}`)],
  // Of the worker.
  ['working', 'a runc worker', dockerBuilder({})],
  ['working', 'a containerd worker that is turned off', withArgs('--containerd-worker=false')],
  ['cannot-run', 'a containerd worker without its label', bare({worker: ''})],
  ['working', 'a rootless one', dockerBuilder({runtime: 'containerd', worker: 'containerd', rootless: true})],
  // Of the runtime.
  ['working', 'docker on docker', onNodes(DOCKER)],
  ['wrong-runtime', 'docker on containerd', onNodes(CONTAINERD)],
  [
    'wrong-runtime',
    'docker on containerd, never ready',
    dockerBuilder({readyReplicas: 0}, nodes(CONTAINERD, 'containerd://1.7.0')),
  ],
  ['wrong-runtime', 'containerd on docker', {...good({}), nodes: nodes(DOCKER)}],
  ['working', 'docker on a mixed cluster', onNodes(CONTAINERD, DOCKER)],
  ['working', 'docker beside Windows', dockerBuilder({}, [...nodes(DOCKER), ...windows(CONTAINERD)])],
  ['working', 'docker on cri-o', onNodes('cri-o://1.33.0')],
  ['working', 'docker on no nodes', onNodes()],
  ['working', 'a rootless one on another runtime', dockerBuilder({rootless: true}, nodes(CONTAINERD))],
  ['working', 'a foreign one without labels', dockerBuilder({runtime: '', worker: ''}, nodes(CONTAINERD))],
];

describe('judgeBuilder', () => {
  for (const [kind, what, observed] of OBSERVED) {
    it(`finds it ${kind} for ${what}`, () => {
      const verdict = judgeBuilder(observed);
      expect(verdict.kind, verdict.reason).to.equal(kind);
    });
  }

  it('names all that is wrong, the worst first', () => {
    const observed = {...plugin({runtime: 'docker'}), nodes: nodes(CONTAINERD)};
    const faults = findFaults(observed, observed.deployment).map(({kind}) => kind);
    expect(faults).to.deep.equal(['plugin-made', 'wrong-runtime', 'cannot-run']);
    expect(judgeBuilder(observed).reason).to.match(
      /harms its node.*, and is for docker.*, and cannot run RUN steps/,
    );
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
      expect(judgeBuilder(bare({}, toml)).kind).to.equal(kind);
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
  const digest = `sha256:${'0'.repeat(64)}`;
  for (const [image, version] of [
    ['docker.io/moby/buildkit:v0.12.5', '0.12'],
    ['moby/buildkit:v0.12.5-rootless', '0.12'],
    ['buildkit:0.9', '0.9'],
    ['moby/buildkit:v0.13.0-rc1', '0.13'],
    ['localhost:5000/mirror/moby/buildkit:v1.2.3', '1.2'],
    [`moby/buildkit:v0.12.5@${digest}`, '0.12'],
    ...['', 'moby/buildkit', 'moby/buildkit:latest', 'moby/buildkit:buildx-stable-1-rootless'].map(
      (image) => [image],
    ),
    ...[`moby/buildkit@${digest}`, 'moby/buildkit:v0', 'moby/buildkit:20230101'].map((image) => [image]),
    // Somebody's own, whose versions are their own as well.
    ...['acme/builder:v0.12.5', 'acme/my-buildkit:v0.12.5', 'buildkit:0/app:v0.12.5x/y'].map((image) => [
      image,
    ]),
  ] as const) {
    it(`is ${version} for ${JSON.stringify(image)}`, () => {
      const read = readBuildkitVersion(image as string);
      expect(read && `${read.major}.${read.minor}`).to.equal(version);
    });
  }
});
