/** Covers krew-manifest.yaml by krew's rules and package.json, and installs an archive as krew does. */
import {mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {parse} from 'yaml';
import pjson from '../../package.json' with {type: 'json'};
import {formatKrewManifest} from '../../scripts/krew-manifest.ts';
import {archiveName, completionName, PLATFORMS, programName} from '../../scripts/release/platforms.ts';
import {findManifestFaults, installByKrew, type KrewManifest, readArchive} from '../helpers/krew.ts';
import {runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {dryRunArchive} from '../helpers/release-archive.ts';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'krew-manifest.yaml'), 'utf8');
const manifest: KrewManifest = parse(text);

describe('krew-manifest.yaml', () => {
  it('is a plugin of this name and version', () => {
    expect(manifest.metadata).to.deep.equal({name: 'tiltbuild'});
    expect(manifest.spec.version).to.equal(`v${pjson.version}`);
  });

  it('keeps the rules of krew', () => {
    expect(findManifestFaults(manifest)).to.deep.equal([]);
  });

  it('names the plugin it needs', () => {
    expect(manifest.spec.caveats).to.contain('kubectl build').and.contain('PATH');
  });

  it('has an archive with program and licences for each of six platforms, each with a sum of its own', () => {
    const {platforms} = manifest.spec;
    const wanted = PLATFORMS.filter(({musl}) => !musl);
    expect(platforms.map(({selector}) => selector.matchLabels)).to.deep.equal(
      wanted.map(({os, arch}) => ({os, arch})),
    );
    expect(wanted).to.have.length(6);
    for (const [index, platform] of wanted.entries()) {
      const {uri, bin, files} = platforms[index] ?? expect.fail();
      const name = archiveName(platform, pjson.version);
      expect(uri).to.equal(`${pjson.homepage}/releases/download/v${pjson.version}/${name}`);
      expect(bin).to.equal(programName(platform));
      expect(files.map(({from}) => from)).to.deep.equal([
        bin,
        completionName(platform),
        'LICENSE',
        'LICENSES/third-party.txt',
      ]);
    }
    expect(new Set(platforms.map(({sha256}) => sha256)).size).to.equal(6);
  });

  it('is what the release writes, apart from the checksums', () => {
    const archives = manifest.spec.platforms.map(({selector: {matchLabels}, uri, bin, files, sha256}) => ({
      ...matchLabels,
      name: uri.slice(uri.lastIndexOf('/') + 1),
      program: bin,
      completion: files[1]?.from ?? '',
      sha256,
    }));
    expect(formatKrewManifest(pjson, archives)).to.equal(text);
  });

  describe('with an archive for this machine', () => {
    let archive: ReturnType<typeof dryRunArchive>;
    let directory: string;
    before(function () {
      this.timeout(180_000);
      archive = dryRunArchive();
    });
    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'tiltbuild-krew-'));
    });
    afterEach(() => rmSync(directory, {recursive: true, force: true}));

    it('contains the program, its completion, and their documents', async () => {
      const files = await readArchive(archive.path);
      expect([...files.keys()]).to.deep.equal([
        programName(archive.platform),
        completionName(archive.platform),
        'LICENSE',
        'README.md',
        'CHANGELOG.md',
        'LICENSES/third-party.txt',
      ]);
      const modes = [...files.values()].map(({mode}) => mode & 0o777);
      expect(modes).to.deep.equal([0o755, 0o755, 0o644, 0o644, 0o644, 0o644]);
    });

    it('is installed, and runs through kubectl from an empty home', async () => {
      const {os, arch} = archive.platform;
      const platform = manifest.spec.platforms.find(
        ({selector: {matchLabels}}) => matchLabels.os === os && matchLabels.arch === arch,
      );
      const bin = await installByKrew(archive.path, manifest, platform ?? expect.fail(), directory);
      const home = join(directory, 'home');
      mkdirSync(home);
      const ended = await runCommand(join(realKubectlDirectory(), 'kubectl'), ['tiltbuild', '--version'], {
        env: {HOME: home, PATH: [bin, realKubectlDirectory()].join(delimiter)},
        cwd: home,
      });
      expect(ended).to.include({exitCode: 0, stderr: ''});
      expect(ended.stdout).to.match(
        new RegExp(`^kubectl-tiltbuild ${pjson.version} \\((?:[0-9a-f]{12}(?:-dirty)?|unknown)\\)\n`),
      );
    });
  });
});

describe('the rules of krew', () => {
  const [platform] = manifest.spec.platforms;
  const broken: readonly (readonly [string, object, object])[] = [
    ['version', {version: '0.1.0'}, {}],
    ['homepage', {homepage: 'http://example.com'}, {}],
    ['shortDescription', {shortDescription: 'Two\nlines'}, {}],
    ['caveats', {caveats: 'word '.repeat(20)}, {}],
    ['darwin/amd64: sha256', {}, {sha256: 'ABC'}],
    ['darwin/amd64: bin', {}, {bin: 'kubectl-tiltbuild.exe'}],
    ['darwin/amd64: files', {}, {files: []}],
    ['darwin/amd64: files that go to no clean path', {}, {files: [{from: '*', to: './x/..'}]}],
    ['platforms: two for one', {platforms: [platform, platform]}, {}],
  ];
  for (const [fault, ofSpec, ofPlatform] of broken) {
    it(`find: ${fault}`, () => {
      const platforms = [{...platform, ...ofPlatform}];
      const faults = findManifestFaults({
        ...manifest,
        spec: {...manifest.spec, platforms, ...ofSpec} as KrewManifest['spec'],
      });
      expect(faults).to.have.length(1);
      expect(faults[0]).to.contain(fault);
    });
  }
});
