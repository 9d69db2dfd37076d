/** Covers where a builder keeps its state; test/fixtures/builder has the buildkitd.toml of each kind of builder. */
import {expect} from 'chai';
import fc from 'fast-check';
import {
  builderStateDirectory,
  buildkitdToml,
  isStateDirectory,
  otelSocketPath,
} from '../../../../src/builder/manifest/toml.ts';

describe('buildkitdToml', () => {
  it('grants network.host before any table, where TOML has its top level', () => {
    const text = buildkitdToml({kind: 'rootless'}, {allowNetworkHost: true});
    const at = text.indexOf('\ninsecure-entitlements = ["network.host"]\n');
    expect(at).to.be.greaterThan(0).and.lessThan(text.indexOf('\n['));
  });
});

describe('builderStateDirectory', () => {
  const label = fc.stringMatching(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/);
  const longest = 'n'.repeat(63);
  /** A name that leaves no byte of 107 for `/var/lib/buildkit/`, a `_` and `/otel-grpc.sock`. */
  const fits = 'b'.repeat(107 - 33 - 64);

  it('names namespace and builder while they fit, and a hash when they do not', () => {
    expect(builderStateDirectory('default', 'buildkit')).to.equal('/var/lib/buildkit/default_buildkit');
    expect(builderStateDirectory(longest, fits)).to.equal(`/var/lib/buildkit/${longest}_${fits}`);
    expect(otelSocketPath(builderStateDirectory(longest, fits))).to.have.length(107);
    const hashed = ['b', 'c'].map((end) => builderStateDirectory(longest, `${fits}${end}`));
    expect(builderStateDirectory('a', 'b', 'c-1')).to.equal('/var/lib/buildkit/a_b_c-1');
    const far = ['1', '2'].map((id) => builderStateDirectory(longest, fits, id));
    expect(new Set([...far, ...hashed])).to.have.length(4);
    for (const path of [...far, '/var/lib/buildkit/a_b_c-1']) expect(isStateDirectory(path)).to.equal(true);
    // The plugin's, and none of ours.
    for (const path of ['/var/lib/buildkit/buildkit', '/home/user/a_b', '/var/lib/buildkit/a_b/c'])
      expect(isStateDirectory(path)).to.equal(false);
    expect(hashed[0])
      .to.match(/^\/var\/lib\/buildkit\/_[0-9a-f]{32}$/)
      .and.not.equal(hashed[1]);
  });

  it('keeps every socket path short enough, is the same each time, and never that of another builder', () => {
    const builders = fc.uniqueArray(fc.tuple(label, label), {selector: (pair) => pair.join('/')});
    fc.assert(
      fc.property(builders, (pairs) => {
        const [paths, again] = [1, 2].map(() => pairs.map((pair) => builderStateDirectory(...pair)));
        expect(again).to.deep.equal(paths);
        expect(new Set(paths).size).to.equal(pairs.length);
        for (const path of paths ?? []) {
          expect(Buffer.byteLength(otelSocketPath(path))).to.be.at.most(107);
          // The plugin's have no underscore.
          expect(path)
            .to.match(/^\/var\/lib\/buildkit\/[-_a-z0-9]+$/)
            .and.contain('_');
        }
      }),
    );
  });

  it('never gives one directory to two pairs that differ only in where the letters are divided', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,120}$/), (letters) => {
        const cuts = letters.split('').map((_, at) => at);
        const pairs = cuts.filter((at) => at > 0 && at < 64 && letters.length - at < 64);
        const paths = pairs.map((at) => builderStateDirectory(letters.slice(0, at), letters.slice(at)));
        expect(new Set(paths).size).to.equal(pairs.length);
      }),
    );
  });
});
