/** Covers what is read of a builder and its nodes, against what a real API server answered. */
import {expect} from 'chai';
import {readNodeRuntimes} from '../../../../src/builder/model/node-runtimes.ts';
import {readBuilderDeployment, readBuilderToml} from '../../../../src/builder/model/objects.ts';
import {observeBuilder} from '../../../../src/builder/model/observed-builder.ts';
import {readEvents, readPods} from '../../../../src/builder/model/pods.ts';
import {readApiRecording, readBuilderRecording} from '../../../helpers/api-samples.ts';

const adopted = {'buildkit.mobyproject.org/builder': ''};

describe('readBuilderDeployment', () => {
  it("reads the plugin's own", () => {
    const {conditions, mounts, changedAt, ...facts} = readBuilderDeployment(
      readApiRecording('builder-by-plugin').body,
    );
    expect(facts).to.deep.equal({
      ...{name: 'buildkit', namespace: 'default', uid: '378ae3b4-b247-4070-ba3a-33d0b1ce64eb'},
      ...{resourceVersion: '4556', generation: 2, observedGeneration: 2},
      ...{createdAt: Date.UTC(2026, 10, 24, 2, 6, 30), deleting: false},
      ...{runtime: 'containerd', worker: 'containerd', rootless: false},
      ...{replicas: 1, readyReplicas: 1, updatedReplicas: 1},
      image: 'docker.io/moby/buildkit:buildx-stable-1',
      args: ['--oci-worker=false', '--containerd-worker=true', '--root', '/var/lib/buildkit/buildkit'],
      ...{managedByUs: false, madeByPlugin: true, toml: undefined},
      ...{serviceAccount: 'default', settings: undefined},
      config: {registries: {}, certificates: {}},
    });
    expect(changedAt).to.equal(facts.createdAt);
    const states = conditions.map(({type, status}) => `${type} ${status}`);
    expect(states).to.deep.equal(['Available True', 'Progressing True']);
    const socket = '/run/containerd/containerd.sock';
    const state = '/var/lib/buildkit/buildkit';
    expect(mounts.slice(0, 3)).to.deep.equal([
      {path: '/etc/buildkit/', hostPath: undefined, bidirectional: false},
      {path: socket, hostPath: socket, bidirectional: false},
      {path: state, hostPath: state, bidirectional: true},
    ]);
  });

  it('knows its last change by what anybody did, beside its status and scale', () => {
    const at = (time: string, subresource?: string) => ({time: `2026-11-24T0${time}:00:00Z`, subresource});
    for (const [managedFields, hour] of [
      [[at('3'), at('5'), at('9', 'status'), at('8', 'scale')], 5],
      [[at('9', 'status')], 1],
      [undefined, 1],
    ] as const) {
      const {changedAt} = readBuilderDeployment({
        metadata: {creationTimestamp: '2026-11-24T01:00:00Z', managedFields},
      });
      expect(changedAt).to.equal(Date.UTC(2026, 10, 24, hour));
    }
  });

  const ours = {'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'};
  for (const [what, labels, annotations, managedByUs, madeByPlugin] of [
    ['ours by its label', ours, adopted, true, false],
    ["the plugin's by its annotation", {}, adopted, false, true],
    ["the plugin's with somebody's label", {'app.kubernetes.io/managed-by': 'Helm'}, adopted, false, true],
    ["nobody's without either", {}, {}, false, false],
  ] as const) {
    it(`knows ${what}`, () => {
      const read = readBuilderDeployment({metadata: {labels, annotations}});
      expect(read).to.include({managedByUs, madeByPlugin});
    });
  }

  it("finds buildkitd among several containers, and reads its command, a volume's sub-path and a private mount", () => {
    const volumeMounts = [
      {name: 'v', mountPath: '/x', subPath: 'b', mountPropagation: 'None'},
      {name: 'none', mountPath: '/y'},
    ];
    const own = {name: 'buildkitd', image: 'b', command: ['buildkitd'], args: ['--debug'], volumeMounts};
    const containers = [{name: 'sidecar', image: 's'}, own];
    const volumes = [{name: 'v', hostPath: {path: '/a/'}}];
    expect(readBuilderDeployment({spec: {template: {spec: {volumes, containers}}}})).to.deep.include({
      image: 'b',
      args: ['buildkitd', '--debug'],
      mounts: [
        {path: '/x', hostPath: '/a/b', bidirectional: false},
        {path: '/y', hostPath: undefined, bidirectional: false},
      ],
    });
  });
});

describe('observeBuilder', () => {
  const found = (...value: readonly Record<string, unknown>[]) => ({kind: 'found', value}) as const;
  const OWN = {toml: '# its own', tomlUnknown: false};
  const named = (name: string) => ({metadata: {name}, data: {'buildkitd.toml': name}});
  for (const [what, configMaps, name, seen] of [
    ['its own buildkitd.toml', found(named('b'), named('a')), 'a', {toml: 'a', tomlUnknown: false}],
    ['none of another one', found(named('b')), 'plugin', {toml: undefined, tomlUnknown: false}],
    ['that it may have one without labels', found(), 'a', {toml: undefined, tomlUnknown: true}],
    [
      'that it may have one',
      {kind: 'forbidden', message: 'no'},
      'plugin',
      {toml: undefined, tomlUnknown: true},
    ],
    ['what its pods carry, whatever the ConfigMap shows', found(named('own')), 'own', OWN],
    ['what its pods carry, with no ConfigMap to be seen', {kind: 'forbidden', message: 'no'}, 'own', OWN],
  ] as const) {
    it(`sees ${what}`, () => {
      const plugin = {metadata: {name: 'plugin', annotations: adopted}};
      const annotations = {'kubectl-tiltbuild/buildkitd.toml': OWN.toml};
      const own = {...named('own'), spec: {template: {metadata: {annotations}}}};
      const deployments = found(named('b'), named('a'), plugin, own);
      const observed = observeBuilder({configMaps, deployments}, name);
      expect(observed).to.include(seen);
      expect(observed.deployment?.name).to.equal(name);
    });
  }
});

describe('readBuilderToml', () => {
  const encoded = Buffer.from('# ä').toString('base64');
  const head = '# Default buildkitd configuration.  Use --config <path/to/file> to override during create\n';
  for (const [what, body, toml] of [
    [
      "the plugin's binary data",
      readBuilderRecording('builder-by-plugin-configmap').body,
      `${head}debug = false\n[worker.containerd]\n  namespace = "k8s.io"\n`,
    ],
    ['text', {data: {'buildkitd.toml': '# ä'}}, '# ä'],
    ['binary data that is not ASCII', {binaryData: {'buildkitd.toml': encoded}}, '# ä'],
    ['nothing in other keys', {data: {other: ''}}, undefined],
  ] as const) {
    it(`reads ${what}`, () => expect(readBuilderToml(body)).to.equal(toml));
  }
});

describe('readNodeRuntimes', () => {
  it('reads a node of kind', () => {
    expect(readNodeRuntimes(readApiRecording('nodes-kind').body)[0]).to.deep.include({
      ...{name: 'kind-control-plane', containerRuntimeVersion: 'containerd://2.1.9+unknown'},
      ...{kubeletVersion: 'v1.36.2', architecture: 'amd64', ready: true, unschedulable: false, taints: []},
    });
  });

  it('reads taints and cordons, of a list and of its items', () => {
    const taint = {key: 'a', effect: 'NoSchedule', timeAdded: '2026-11-24T02:06:30Z'};
    const tainted = {metadata: {name: 'n'}, spec: {unschedulable: true, taints: [taint]}};
    const taints = [{key: 'a', value: '', effect: 'NoSchedule'}];
    for (const body of [{items: [tainted]}, [tainted]])
      expect(readNodeRuntimes(body)[0]).to.deep.include({unschedulable: true, taints});
  });
});

describe('the readers', () => {
  for (const body of [undefined, null, 1, 'x', [], {}, {items: null}, {items: [null, 1, {status: []}]}]) {
    it(`accept ${JSON.stringify(body)}`, () => {
      for (const read of [readBuilderDeployment, readBuilderToml, readPods, readEvents, readNodeRuntimes]) {
        expect(() => read(body)).not.to.throw();
      }
    });
  }
});
