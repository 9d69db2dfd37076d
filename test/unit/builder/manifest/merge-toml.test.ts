/** Covers merging what users add into a builder's buildkitd.toml. */
import {expect} from 'chai';
import {parse} from 'smol-toml';
import {addLocalRegistry, completeToml} from '../../../../src/builder/manifest/merge-toml.ts';
import {buildkitdToml} from '../../../../src/builder/manifest/toml.ts';
import type {BuilderConfig} from '../../../../src/builder/model/builder-config.ts';
import {TiltbuildError} from '../../../../src/errors.ts';

const OWN = buildkitdToml(
  {kind: 'containerd', stateDirectory: '/s', socket: '/run/x.sock'},
  {allowNetworkHost: true},
);

function complete(file: string, registries: BuilderConfig['registries'] = {}): unknown {
  return parse(completeToml(OWN, {registries, certificates: {}, file}, '/etc/buildkit'));
}

describe('completeToml', () => {
  it('changes nothing, not even a comment, without additions', () => {
    for (const config of [undefined, {registries: {}, certificates: {}}])
      expect(completeToml(OWN, config, '/etc/buildkit')).to.equal(OWN);
  });

  it('keeps every key of ours and of the file, whatever tables they share', () => {
    const file = 'debug = true\n[worker.containerd]\nmax-parallelism = 4\n[worker.oci]\nenabled = false\n';
    const own = parse(OWN);
    const {containerd, oci} = own.worker as Record<string, object>;
    expect(complete(file)).to.deep.equal({
      ...own,
      debug: true,
      worker: {containerd: {...containerd, 'max-parallelism': 4}, oci},
    });
  });

  it('joins lists', () => {
    const merged = complete(
      'insecure-entitlements = ["security.insecure", "network.host"]\n[registry."docker.io"]\nmirrors = ["a"]\n',
      {'docker.io': {mirrors: ['b']}},
    );
    expect(merged).to.deep.include({
      'insecure-entitlements': ['security.insecure', 'network.host'],
      registry: {'docker.io': {mirrors: ['a', 'b']}},
    });
  });

  it("lets the file's garbage collection count", () => {
    const merged = complete('[worker.containerd]\nmaxUsedSpace = "200GB"\nminFreeSpace = "5%"\n');
    expect(merged).to.have.nested.property('worker.containerd').that.includes({
      maxUsedSpace: '200GB',
      minFreeSpace: '5%',
      reservedSpace: '10%',
      namespace: 'k8s.io',
    });
  });

  for (const [what, file, registries, ...details] of [
    [
      'of ours',
      '\n[worker.containerd]\nnamespace = "moby"\n',
      {},
      '--config, line 3: worker.containerd.namespace = "moby"',
      'the builder: worker.containerd.namespace = "k8s.io"',
    ],
    [
      'of ours that is a table',
      'otel = true',
      {},
      '--config, line 1: otel = true',
      'the builder: otel = {"socketPath":"/s/otel-grpc.sock"}',
    ],
    [
      'of the flags',
      '[registry."a.example"]\nhttp = false\n[registry."b.example"]\nhttp = true\n',
      {'a.example': {http: true}},
      '--config: registry."a.example".http = false',
      'the flags: registry."a.example".http = true',
    ],
  ] as const) {
    it(`names both values of a key ${what} that the file sets to something else`, () => {
      expect(() => complete(file, registries))
        .to.throw(TiltbuildError, 'has two values')
        .with.property('detail')
        .that.deep.equals(details);
    });
  }
});

describe('addLocalRegistry', () => {
  const kind = {host: 'localhost:5001', inCluster: 'kind-registry:5000'};
  const added = (toml: string, registry = kind) => parse(addLocalRegistry(toml, registry));

  it('adds a registry without TLS, which is pulled from under both names, and nothing else', () => {
    expect(added(OWN)).to.deep.equal({
      ...parse(OWN),
      registry: {'localhost:5001': {mirrors: ['kind-registry:5000']}, 'kind-registry:5000': {http: true}},
    });
    const same = {host: 'reg.dev:5000', inCluster: 'reg.dev:5000'};
    expect(added(OWN, same).registry).to.deep.equal({'reg.dev:5000': {http: true}});
  });

  it('leaves alone what somebody set', () => {
    const theirs = '[registry."kind-registry:5000"]\nca = ["/x.pem"]\n';
    expect(addLocalRegistry(theirs, kind)).to.equal(theirs);
    const named = '[registry."localhost:5001"]\nmirrors = ["other:5000"]\n';
    expect(added(named).registry).to.deep.include({'localhost:5001': {mirrors: ['other:5000']}});
  });
});
