/** Covers the builder's buildkitd.toml and the directory of its state. */
import {expect} from 'chai';
import fc from 'fast-check';
import {
  builderStateDirectory,
  buildkitdToml,
  chooseWorker,
  otelSocketPath,
} from '../../../../src/builder/manifest/toml.ts';

const standard = '/run/containerd/containerd.sock';
const directory = '/var/lib/buildkit/default_buildkit';

const toml = (
  runtime: 'containerd' | 'docker' | undefined,
  rootless: boolean,
  socket = standard,
  networkHost = false,
) => buildkitdToml(chooseWorker(runtime, rootless, directory, socket), networkHost);

/** A table's lines, without comments. */
function table(text: string, header: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim());
  const start = lines.indexOf(header);
  if (start < 0) return [];
  const end = lines.findIndex((line, index) => index > start && line.startsWith('['));
  return lines
    .slice(start + 1, end < 0 ? undefined : end)
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const GC = ['gc = true', 'reservedSpace = "10GB"', 'maxUsedSpace = "50GB"', 'minFreeSpace = "20%"'];

describe('buildkitdToml', () => {
  it('runs containerd as the only worker, with the socket for traces on the node', () => {
    const text = toml('containerd', false);
    expect(text).to.contain(`\nroot = "${directory}"\n`);
    expect(table(text, '[otel]')).to.deep.equal([`socketPath = "${directory}/otel-grpc.sock"`]);
    expect(table(text, '[worker.oci]')).to.deep.equal(['enabled = false']);
    expect(table(text, '[worker.containerd]')).to.deep.equal([
      'enabled = true',
      'namespace = "k8s.io"',
      ...GC,
    ]);
  });

  it('gives the address of a containerd that is elsewhere', () => {
    const text = toml('containerd', false, '/run/k0s/containerd.sock');
    expect(table(text, '[worker.containerd]')).to.contain('address = "/run/k0s/containerd.sock"');
  });

  it('runs its own worker on Docker', () => {
    const text = toml('docker', false);
    expect(text).to.contain(`\nroot = "${directory}"\n`);
    expect(text).not.to.contain('[otel]');
    expect(table(text, '[worker.containerd]')).to.deep.equal(['enabled = false']);
    expect(table(text, '[worker.oci]')).to.deep.equal(['enabled = true', ...GC]);
  });

  it('names nothing of the node where it is rootless', () => {
    for (const runtime of ['containerd', 'docker', undefined] as const) {
      const text = toml(runtime, true, '/run/k0s/containerd.sock');
      expect(text).to.contain('\nroot = "/home/user/.local/share/buildkit"\n');
      expect(text).not.to.match(/\/var\/lib|\/run/);
      expect(table(text, '[worker.containerd]')).to.deep.equal(['enabled = false']);
      expect(table(text, '[worker.oci]')).to.deep.equal([
        'enabled = true',
        'rootless = true',
        'noProcessSandbox = true',
        ...GC,
      ]);
    }
  });

  it('grants the network of the node only if asked, and before any table', () => {
    expect(toml('containerd', false)).not.to.contain('entitlements');
    const text = toml('containerd', false, standard, true);
    const at = text.indexOf('\ninsecure-entitlements = ["network.host"]\n');
    expect(at).to.be.greaterThan(0).and.lessThan(text.indexOf('\n['));
  });

  it('has no key twice in one table', () => {
    for (const runtime of ['containerd', 'docker'] as const) {
      for (const rootless of [true, false]) {
        const text = toml(runtime, rootless, '/run/k0s/containerd.sock', true);
        for (const header of ['[otel]', '[worker.oci]', '[worker.containerd]']) {
          expect(text.split(header).length).to.be.at.most(2);
          const keys = table(text, header).map((line) => line.split(' = ')[0]);
          expect(new Set(keys).size).to.equal(keys.length);
        }
      }
    }
  });
});

describe('builderStateDirectory', () => {
  const label = fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/);
  /** Bytes of `/var/lib/buildkit/` and `/otel-grpc.sock`. */
  const around = 33;

  it('names namespace and builder while they fit', () => {
    expect(builderStateDirectory('default', 'buildkit')).to.equal(directory);
    const longest = 'n'.repeat(63);
    const fits = 'b'.repeat(107 - around - 64);
    expect(builderStateDirectory(longest, fits)).to.equal(`/var/lib/buildkit/${longest}_${fits}`);
    expect(otelSocketPath(builderStateDirectory(longest, fits))).to.have.length(107);
  });

  it('names a hash where they do not', () => {
    const longest = 'n'.repeat(63);
    const path = builderStateDirectory(longest, 'b'.repeat(107 - around - 63));
    expect(path).to.match(/^\/var\/lib\/buildkit\/_[0-9a-f]{32}$/);
    expect(builderStateDirectory(longest, 'b'.repeat(63)))
      .to.match(/\/_[0-9a-f]{32}$/)
      .and.not.equal(path);
  });

  it('tells apart what looks alike when joined', () => {
    expect(builderStateDirectory('a-b', 'c')).not.to.equal(builderStateDirectory('a', 'b-c'));
  });

  it('keeps every socket path short enough, and is the same each time', () => {
    fc.assert(
      fc.property(label, label, (namespace, name) => {
        const path = builderStateDirectory(namespace, name);
        expect(Buffer.byteLength(otelSocketPath(path))).to.be.at.most(107);
        expect(builderStateDirectory(namespace, name)).to.equal(path);
        expect(path).to.match(/^\/var\/lib\/buildkit\/[-_a-z0-9]+$/);
      }),
    );
  });

  it('never gives two builders one directory, and none that the plugin would take', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(label, label), {selector: (pair) => pair.join('/')}), (pairs) => {
        const paths = pairs.map(([namespace, name]) => builderStateDirectory(namespace, name));
        expect(new Set(paths).size).to.equal(pairs.length);
        for (const path of paths) expect(path).to.contain('_');
      }),
    );
  });

  it('never gives two builders one directory whose letters differ only in where they are divided', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,120}$/), (letters) => {
        const paths = new Set<string>();
        let pairs = 0;
        for (let at = Math.max(1, letters.length - 63); at < Math.min(64, letters.length); at++) {
          paths.add(builderStateDirectory(letters.slice(0, at), letters.slice(at)));
          pairs++;
        }
        expect(paths.size).to.equal(pairs);
      }),
    );
  });
});
