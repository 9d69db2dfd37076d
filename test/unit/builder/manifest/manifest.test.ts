/** Covers the objects that a builder is made of. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {Deployment, type IDeployment} from 'kubernetes-models/apps/v1';
import {ConfigMap, type IConfigMap} from 'kubernetes-models/v1';
import {stringify} from 'yaml';
import {containerdPaths, type Distribution} from '../../../../src/builder/manifest/containerd-paths.ts';
import {
  type BuilderManifest,
  builderManifest,
  type ManifestFacts,
} from '../../../../src/builder/manifest/manifest.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {
  type BuilderSettings,
  type ContainerdOverrides,
  defaultBuilderSettings,
  parseToleration,
} from '../../../../src/builder/model/settings.ts';
import {findNestedMount} from '../../../../src/builder/verdict/verdict.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures', 'builder');

function facts(more: Partial<ManifestFacts> = {}, settings: Partial<BuilderSettings> = {}): ManifestFacts {
  return {
    settings: {...defaultBuilderSettings('buildkit', 'default', settings.rootless), ...settings},
    runtime: settings.rootless ? undefined : 'containerd',
    paths: containerdPaths('kind'),
    nodeCount: 1,
    toolVersion: '0.1.0',
    ...more,
  };
}

function render({configMap, deployment}: BuilderManifest): string {
  const options = {lineWidth: 0, aliasDuplicateObjects: false};
  return [configMap, deployment].map((object) => stringify(object, options)).join('---\n');
}

const busy: Partial<BuilderSettings> = {
  name: 'team-builder',
  namespace: 'team-a',
  image: 'registry.example.com/mirror/buildkit:v0.32.2',
  replicas: 'nodes',
  allowNetworkHost: true,
  requests: {cpu: '500m', memory: '1Gi'},
  limits: {cpu: '4', memory: '8Gi'},
  maxParallelism: 4,
  containerdSnapshotter: 'native',
  serviceAccount: 'builds',
  priorityClass: 'low',
  imagePullSecrets: ['mirror', 'other'],
  labels: {team: 'a', 'sidecar.istio.io/inject': 'true'},
  annotations: {'example.com/owner': 'team a'},
  podAnnotations: {'karpenter.sh/do-not-disrupt': 'false', 'example.com/Scrape': ''},
  nodeSelector: {'kubernetes.io/arch': 'amd64', pool: 'build'},
  tolerations: [parseToleration('dedicated=build:NoSchedule'), parseToleration(':NoExecute')],
  env: {NO_PROXY: '10.0.0.0/8', HTTPS_PROXY: 'http://proxy.example.com:3128'},
};

const registries: Partial<BuilderSettings> = {
  config: {
    registries: {
      'kind-registry:5000': {http: true},
      'registry.example:5000': {ca: 'ca.registry.example_5000.pem'},
      'old.example': {insecure: true},
      'docker.io': {mirrors: ['registry.example:5000/hub']},
    },
    certificates: {'ca.registry.example_5000.pem': '(certificates)\n'},
    file: '# From a file.\n[worker.containerd]\nreservedSpace = "5GB"\n[dns]\nnameservers = ["10.0.0.10"]\n',
  },
};

/** As on local clusters, which get a pod on each node by default. */
const FOLLOWING = {replicas: 'nodes'} as const;

const GOLDEN: readonly (readonly [string, ManifestFacts])[] = [
  ['kind-containerd', facts({}, FOLLOWING)],
  ['docker', facts({runtime: 'docker'}, FOLLOWING)],
  ['rootless', facts({}, {rootless: true})],
  ['k3s-containerd', facts({paths: containerdPaths('k3s')}, FOLLOWING)],
  ['rke2-containerd', facts({paths: containerdPaths('unknown', 'rke2')})],
  ['microk8s-containerd', facts({paths: containerdPaths('microk8s')}, FOLLOWING)],
  ['k0s-containerd', facts({paths: containerdPaths('unknown', 'k0s')})],
  ['all-settings', facts({nodeCount: 3}, busy)],
  ['registries', facts({}, registries)],
  [
    'registries-of-the-node',
    facts(
      {
        paths: containerdPaths('k3s'),
        nodeRegistries: {
          tables: {'docker.io': {mirrors: ['hub.example']}, 'old.example': {http: true}},
          notes: [],
        },
      },
      {...registries, registryMirrorsFromNode: true},
    ),
  ],
  ['registries-rootless', facts({}, {...registries, rootless: true})],
];

describe('builderManifest', () => {
  for (const [name, given] of GOLDEN) {
    it(`is what test/fixtures/builder/${name}.yaml holds, and keeps to Kubernetes' OpenAPI schema`, () => {
      const {configMap, deployment} = builderManifest(given);
      const text = render({configMap, deployment});
      const file = join(fixtures, `${name}.yaml`);
      if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
      expect(text).to.equal(readFileSync(file, 'utf8'));
      new ConfigMap(configMap as unknown as IConfigMap).validate();
      new Deployment(deployment as unknown as IDeployment).validate();
    });
  }

  it('has the labels and the selector of the builder that the plugin creates', () => {
    const recorded = readApiRecording('builder-by-plugin').body as BuilderManifest['deployment'];
    const {deployment, configMap} = builderManifest(facts());
    for (const {labels} of [deployment.metadata, configMap.metadata, deployment.spec.template.metadata])
      expect(labels).to.include(recorded.metadata.labels);
    expect(deployment.spec.selector).to.deep.equal(recorded.spec.selector);
    expect(deployment.metadata.annotations).to.have.property('buildkit.mobyproject.org/builder');
  });

  it('creates new pods for another configuration, and not for another version of the program', () => {
    const template = (given: ManifestFacts) => builderManifest(given).deployment.spec.template;
    expect(template(facts({toolVersion: '9.9.9'}))).to.deep.equal(template(facts()));
    expect(template(facts({}, {allowNetworkHost: true})).metadata).not.to.deep.equal(
      template(facts()).metadata,
    );
  });

  it('keeps what was added to its configuration, and gives it back', () => {
    expect(readBuilderDeployment(builderManifest(facts({}, registries)).deployment).config).to.deep.equal(
      registries.config,
    );
  });

  it('is the same whatever the order of the variables', () => {
    const env = Object.fromEntries(Object.entries(busy.env ?? {}).reverse());
    expect(builderManifest(facts({}, {...busy, env}))).to.deep.equal(builderManifest(facts({}, busy)));
  });

  for (const [nodeCount, replicas, expected, rootless = false] of [
    [3, 1, 1],
    [3, 3, 3],
    [3, 'nodes', 3],
    [0, 'nodes', 1],
    [1, 3, 3, true],
  ] as const) {
    it(`has ${expected} replicas for ${replicas} on ${nodeCount} nodes${rootless ? ', rootless' : ''}`, () => {
      const {deployment} = builderManifest(facts({nodeCount}, {replicas, rootless}));
      expect(deployment.spec.replicas).to.equal(expected);
    });
  }

  for (const [what, given, words] of [
    ['more replicas than nodes', facts({nodeCount: 2}, {replicas: 3}), 'only 2 can hold one'],
    [
      'certificates that are too large',
      facts({}, {config: {registries: {}, certificates: {'ca.x.pem': 'x'.repeat(245_760)}}}),
      'a Deployment can hold 240 KiB',
    ],
    [
      'a snapshotter beside Docker',
      facts({runtime: 'docker'}, {containerdSnapshotter: 'native'}),
      'containerd',
    ],
    [
      'more requested than the limit',
      facts({}, {requests: {memory: '1G'}, limits: {memory: '1k'}}),
      '--limit-memory',
    ],
    ['a name that is too long for a label', facts({}, {name: 'n'.repeat(64)}), '63 characters'],
  ] as const) {
    it(`rejects ${what}`, () => expect(() => builderManifest(given)).to.throw(TiltbuildError, words));
  }
});

describe('mounts of every builder', () => {
  const own = {socket: '/run/my/containerd.sock'};
  const deep = {socket: '/run/containerd/deep/my.sock'};
  const scattered = {socket: '/tmp/c/containerd.sock', root: '/var/log/containerd', state: '/tmp/c/state'};
  const places: readonly (readonly [Product, Distribution?, ContainerdOverrides?])[] = [
    ['kind'],
    ['k3s', 'k3s'],
    ['microk8s'],
    ['colima', 'k3s'],
    ['unknown', 'rke2'],
    ['unknown', 'k0s'],
    ['kind', undefined, own],
    ['kind', undefined, deep],
    ['kind', undefined, scattered],
    ['kind', undefined, {root: '/run/containerd/root'}],
    ['k3s', 'k3s', {socket: '/run/containerd/containerd.sock'}],
    ['k3s', 'k3s', {state: '/run/containerd'}],
    ['unknown', 'k0s', {root: '/run/k0s', state: '/run/k0s'}],
  ];
  for (const place of places) {
    it(`do not double on the node, and reach containerd: ${JSON.stringify(place)}`, () => {
      const paths = containerdPaths(...place);
      for (const runtime of ['containerd', 'docker', undefined] as const) {
        const {deployment} = builderManifest(facts({runtime, paths}, {rootless: runtime === undefined}));
        const {mounts} = readBuilderDeployment(deployment);
        expect(findNestedMount(mounts)).to.equal(undefined);
        for (const unique of [
          deployment.spec.template.spec.volumes.map(({name}) => name),
          mounts.map(({path}) => path),
        ])
          expect(new Set(unique).size).to.equal(unique.length);
        if (runtime !== 'containerd') continue;

        const shared = mounts.filter(({path, hostPath}) => path === hostPath).map(({path}) => `${path}/`);
        for (const path of [paths.socket, paths.root, paths.state, '/tmp', '/run/containerd/fifo'])
          expect(
            shared.some((directory) => `${path}/`.startsWith(directory)),
            path,
          ).to.equal(true);
        const propagated = mounts.filter(({bidirectional}) => bidirectional).map(({path}) => path);
        expect(propagated).not.to.include(paths.socket);
      }
    });
  }
});
