/** Holds krew-manifest.yaml to krew's rules, and to package.json. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {parse} from 'yaml';
import pjson from '../../package.json' with {type: 'json'};
import {formatKrewManifest} from '../../scripts/krew-manifest.ts';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'krew-manifest.yaml'), 'utf8');
const manifest = parse(text);

describe('krew-manifest.yaml', () => {
  it('is a plugin of this name and version', () => {
    expect(manifest).to.include({
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
    });
    expect(manifest.metadata).to.deep.equal({name: 'tiltbuild'});
    expect(manifest.spec.version)
      .to.equal(`v${pjson.version}`)
      .and.match(/^v\d+\.\d+\.\d+$/);
  });

  it('describes itself in one line without a full stop, and names what it needs', () => {
    expect(manifest.spec.shortDescription).to.match(/^[^\n]{1,60}[^.\n]$/);
    expect(manifest.spec.caveats).to.contain('kubectl build');
  });

  it('has an archive with program and licence for each of six platforms, each with a sum of its own', () => {
    const {platforms} = manifest.spec;
    expect(
      platforms.map(
        ({selector: {matchLabels}}: {selector: {matchLabels: Record<string, string>}}) => matchLabels,
      ),
    ).to.deep.equal(
      ['darwin', 'linux', 'windows'].flatMap((os) => ['amd64', 'arm64'].map((arch) => ({os, arch}))),
    );
    for (const {uri, sha256, bin, files, selector} of platforms) {
      const {os, arch} = selector.matchLabels;
      const extension = os === 'windows' ? 'zip' : 'tar.gz';
      expect(bin).to.equal(os === 'windows' ? 'kubectl-tiltbuild.exe' : 'kubectl-tiltbuild');
      expect(uri).to.equal(
        `${pjson.homepage}/releases/download/v${pjson.version}/kubectl-tiltbuild_${pjson.version}_${os}_${arch}.${extension}`,
      );
      expect(sha256).to.match(/^[0-9a-f]{64}$/);
      expect(files).to.deep.equal([
        {from: bin, to: '.'},
        {from: 'LICENSE', to: '.'},
      ]);
    }
    const sums = new Set(platforms.map(({sha256}: {sha256: string}) => sha256));
    expect(sums.size).to.equal(6);
  });

  it('is what the release writes, sums aside', () => {
    const archives = manifest.spec.platforms.map(
      ({
        selector,
        uri,
        bin,
        sha256,
      }: {
        selector: {matchLabels: object};
        uri: string;
        bin: string;
        sha256: string;
      }) => ({
        ...selector.matchLabels,
        name: uri.slice(uri.lastIndexOf('/') + 1),
        program: bin,
        sha256,
      }),
    );
    expect(formatKrewManifest(pjson, archives)).to.equal(text);
  });
});
