/** Covers the objects that a builder is made of. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {Deployment, type IDeployment} from 'kubernetes-models/apps/v1';
import {ConfigMap, type IConfigMap} from 'kubernetes-models/v1';
import {stringify} from 'yaml';
import {
  type BuilderManifest,
  builderManifest,
  type ManifestFacts,
} from '../../../../src/builder/manifest/manifest.ts';
import {nestedMounts, type PodSpec} from '../../../../src/builder/manifest/mounts.ts';
import {
  type ContainerRuntime,
  containerdPaths,
  type Distribution,
} from '../../../../src/builder/manifest/runtime.ts';
import {CONFIG_KEY} from '../../../../src/builder/model/marks.ts';
import {
  type BuilderSettings,
  type ContainerdOverrides,
  defaultBuilderSettings,
  parseToleration,
} from '../../../../src/builder/model/settings.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {readApiRecording} from '../../../helpers/api-samples.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures', 'builder');

function facts(more: Partial<ManifestFacts> = {}, settings: Partial<BuilderSettings> = {}): ManifestFacts {
  return {
    settings: {...defaultBuilderSettings('buildkit', 'default', settings.rootless), ...settings},
    runtime: 'containerd',
    paths: containerdPaths('kind'),
    nodeCount: 1,
    toolVersion: '0.1.0',
    ...more,
  };
}

/** The parts that tests look into; the goldens have the rest. */
interface Pod extends PodSpec {
  readonly volumes: readonly {
    readonly name: string;
    readonly hostPath?: {readonly path: string; readonly type: string};
  }[];
  readonly containers: readonly {
    readonly name: string;
    readonly image: string;
    readonly env?: unknown;
    readonly volumeMounts: readonly {
      readonly name: string;
      readonly mountPath: string;
      readonly mountPropagation?: string;
    }[];
    readonly securityContext: Readonly<Record<string, unknown>>;
  }[];
  readonly affinity: {readonly podAntiAffinity: Readonly<Record<string, unknown>>};
}

function pod(manifest: BuilderManifest): Pod {
  return manifest.deployment.spec.template.spec as Pod;
}

function readToml({configMap}: BuilderManifest): string {
  const data = configMap.binaryData as Readonly<Record<string, string>>;
  return Buffer.from(data[CONFIG_KEY] ?? '', 'base64').toString();
}

/** Both objects, and the configuration in clear before them. */
function render(manifest: BuilderManifest): string {
  const toml = readToml(manifest)
    .trimEnd()
    .split('\n')
    .map((line) => `# ${line}`.trimEnd());
  const objects = [manifest.configMap, manifest.deployment].map((object) =>
    stringify(object, {lineWidth: 0, aliasDuplicateObjects: false}),
  );
  return [...toml, '---', objects.join('---\n')].join('\n');
}

const k3sPaths = containerdPaths('k3s');
const busy: Partial<BuilderSettings> = {
  name: 'team-builder',
  namespace: 'team-a',
  image: 'registry.example.com/mirror/buildkit:v0.32.2',
  replicas: 'nodes',
  allowNetworkHost: true,
  requests: {cpu: '500m', memory: '1Gi'},
  nodeSelector: {'kubernetes.io/arch': 'amd64', pool: 'build'},
  tolerations: [parseToleration('dedicated=build:NoSchedule'), parseToleration(':NoExecute')],
  env: {NO_PROXY: '10.0.0.0/8', HTTPS_PROXY: 'http://proxy.example.com:3128'},
};

const GOLDEN: readonly (readonly [string, ManifestFacts])[] = [
  ['kind-containerd', facts()],
  ['docker', facts({runtime: 'docker'})],
  ['rootless', facts({runtime: undefined}, {rootless: true})],
  ['k3s-containerd', facts({paths: k3sPaths})],
  ['rke2-containerd', facts({paths: containerdPaths('unknown', {distribution: 'rke2'})})],
  ['microk8s-containerd', facts({paths: containerdPaths('microk8s')})],
  ['k0s-containerd', facts({paths: containerdPaths('unknown', {distribution: 'k0s'})})],
  ['all-settings', facts({nodeCount: 3}, busy)],
];

describe('builderManifest', () => {
  for (const [name, given] of GOLDEN) {
    it(`makes what test/fixtures/builder/${name}.yaml holds`, () => {
      const text = render(builderManifest(given));
      const file = join(fixtures, `${name}.yaml`);
      if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
      expect(text).to.equal(readFileSync(file, 'utf8'));
    });

    it(`keeps to Kubernetes' OpenAPI schema in ${name}.yaml`, () => {
      const {configMap, deployment} = builderManifest(given);
      new ConfigMap(configMap as unknown as IConfigMap).validate();
      new Deployment(deployment as unknown as IDeployment).validate();
    });
  }

  it('would not pass the schema with a value of another kind', () => {
    const {deployment} = builderManifest(facts());
    const spec = {...deployment.spec, replicas: '1'};
    const wrong = new Deployment({...deployment, spec} as unknown as IDeployment);
    expect(() => wrong.validate()).to.throw('spec/replicas must be integer');
  });

  it('has the labels and the selector of the builder that the plugin makes', () => {
    const recorded = readApiRecording('builder-by-plugin').body as BuilderManifest['deployment'];
    const {deployment, configMap} = builderManifest(facts());
    expect(deployment.metadata.labels).to.include(recorded.metadata.labels);
    expect(configMap.metadata.labels).to.include(recorded.metadata.labels);
    expect(deployment.spec.template.metadata)
      .to.have.property('labels')
      .that.includes(recorded.metadata.labels);
    expect(deployment.spec.selector).to.deep.equal(recorded.spec.selector);
    expect(deployment.metadata.annotations).to.have.property('buildkit.mobyproject.org/builder');
  });

  it('has the plugin run its commands in buildkitd', () => {
    expect(pod(builderManifest(facts())).containers[0]?.name).to.equal('buildkitd');
  });

  for (const [runtime, rootless, expected] of [
    ['containerd', false, {runtime: 'containerd', worker: 'containerd', rootless: 'false'}],
    ['docker', false, {runtime: 'docker', worker: 'runc', rootless: 'false'}],
    ['containerd', true, {runtime: 'containerd', worker: 'runc', rootless: 'true'}],
    [undefined, true, {runtime: 'docker', worker: 'runc', rootless: 'true'}],
  ] as const) {
    it(`is labelled for ${runtime ?? 'any runtime'}${rootless ? ', rootless' : ''}`, () => {
      const {runtime: _, ...rest} = facts({}, {rootless});
      const given = runtime === undefined ? rest : {...rest, runtime};
      expect(builderManifest(given).deployment.metadata.labels).to.include(expected);
    });
  }

  it('makes new pods for another configuration, and not for another version of the tool', () => {
    const template = (given: ManifestFacts) => builderManifest(given).deployment.spec.template;
    expect(template(facts({toolVersion: '9.9.9'}))).to.deep.equal(template(facts()));
    expect(template(facts({}, {allowNetworkHost: true})).metadata).not.to.deep.equal(
      template(facts()).metadata,
    );
  });

  it('is the same whatever order the settings are in', () => {
    const env = {NO_PROXY: busy.env?.NO_PROXY ?? '', HTTPS_PROXY: busy.env?.HTTPS_PROXY ?? ''};
    const reversed = Object.fromEntries(Object.entries(env).reverse());
    expect(render(builderManifest(facts({}, {env})))).to.equal(
      render(builderManifest(facts({}, {env: reversed}))),
    );
  });

  it('has no proxies unless they were given', () => {
    expect(pod(builderManifest(facts())).containers[0]).not.to.have.property('env');
  });

  it('mounts nothing of the node into a rootless builder, and gives it no rights', () => {
    const {volumes, containers} = pod(builderManifest(facts({}, {rootless: true})));
    expect(volumes.filter(({hostPath}) => hostPath !== undefined)).to.deep.equal([]);
    expect(containers[0]?.securityContext).not.to.have.property('privileged');
  });

  describe('replicas', () => {
    const count = (nodeCount: number, settings: Partial<BuilderSettings>) =>
      builderManifest(facts({nodeCount}, settings)).deployment.spec.replicas;

    it('are as many as asked for, or one a node', () => {
      expect(count(3, {replicas: 1})).to.equal(1);
      expect(count(3, {replicas: 3})).to.equal(3);
      expect(count(3, {replicas: 'nodes'})).to.equal(3);
      expect(count(0, {replicas: 'nodes'})).to.equal(1);
    });

    it('are refused where they could never all run', () => {
      expect(() => count(2, {replicas: 3})).to.throw(TiltbuildError, 'only 2 can hold one');
    });

    it('may share a node where they are rootless', () => {
      expect(count(1, {replicas: 3, rootless: true})).to.equal(3);
    });
  });

  it('never takes a runtime for granted', () => {
    const {runtime: _, ...rest} = facts();
    expect(() => builderManifest(rest)).to.throw('needs to know its runtime');
  });

  it('refuses a name that can be no label', () => {
    expect(() => builderManifest(facts({}, {name: 'n'.repeat(64)}))).to.throw(
      TiltbuildError,
      '63 characters',
    );
  });
});

describe('mounts of every builder', () => {
  const places: readonly (readonly [Product, Distribution | undefined, ContainerdOverrides])[] = [
    ['kind', undefined, {}],
    ['k3s', 'k3s', {}],
    ['microk8s', undefined, {}],
    ['colima', 'k3s', {}],
    ['unknown', 'rke2', {}],
    ['unknown', 'k0s', {}],
    ['kind', undefined, {socket: '/run/my/containerd.sock'}],
    ['kind', undefined, {socket: '/run/containerd/deep/my.sock'}],
    [
      'kind',
      undefined,
      {socket: '/tmp/c/containerd.sock', root: '/var/log/containerd', state: '/tmp/c/state'},
    ],
    ['kind', undefined, {root: '/run/containerd/root'}],
    ['k3s', 'k3s', {socket: '/run/containerd/containerd.sock'}],
    ['k3s', 'k3s', {state: '/run/containerd'}],
    ['unknown', 'k0s', {root: '/run/k0s', state: '/run/k0s'}],
  ];
  const all = places.flatMap(([product, distribution, overrides]) =>
    (['containerd', 'docker'] as readonly ContainerRuntime[]).flatMap((runtime) =>
      [true, false].map(
        (rootless) =>
          [
            `${product} ${distribution ?? ''} ${runtime} ${rootless ? 'rootless ' : ''}${JSON.stringify(overrides)}`,
            facts({runtime, paths: containerdPaths(product, {distribution, overrides})}, {rootless}),
          ] as const,
      ),
    ),
  );

  for (const [title, given] of all) {
    it(`do not double on the node, and reach containerd: ${title}`, () => {
      const spec = pod(builderManifest(given));
      const [{volumeMounts = []} = {volumeMounts: []}] = spec.containers;
      expect(nestedMounts(spec)).to.deep.equal([]);

      const names = spec.volumes.map(({name}) => name);
      expect(new Set(names).size).to.equal(names.length);
      expect(volumeMounts.map(({name}) => name)).to.deep.equal(names);
      const mountPaths = volumeMounts.map(({mountPath}) => mountPath);
      expect(new Set(mountPaths).size).to.equal(mountPaths.length);

      if (given.runtime !== 'containerd' || given.settings.rootless) return;
      const shared = spec.volumes.flatMap(({hostPath}, index) =>
        hostPath?.path === mountPaths[index] ? [hostPath?.path ?? ''] : [],
      );
      const {socket, root, state} = given.paths;
      for (const path of [socket, root, state, '/tmp', '/run/containerd/fifo']) {
        expect(
          shared.some((directory) => `${path}/`.startsWith(`${directory}/`)),
          path,
        ).to.equal(true);
      }
      const bidirectional = volumeMounts.filter(({mountPropagation}) => mountPropagation !== undefined);
      expect(bidirectional.map(({mountPath}) => mountPath)).not.to.include(socket);
    });
  }
});
