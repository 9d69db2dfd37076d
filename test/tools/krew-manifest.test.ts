/** Covers krew-manifest.yaml by krew's rules and package.json, and installs an archive as krew does. */
import {spawnSync} from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {expect} from 'chai';
import {extract} from 'tar';
import {parse} from 'yaml';
import pjson from '../../package.json' with {type: 'json'};
import {formatKrewManifest} from '../../scripts/krew-manifest.ts';
import {
  archiveName,
  completionName,
  ownPlatform,
  PLATFORMS,
  programName,
} from '../../scripts/release/platforms.ts';
import {runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';

const root = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'krew-manifest.yaml'), 'utf8');
const manifest: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {readonly name: string};
  readonly spec: Readonly<
    Record<'version' | 'homepage' | 'shortDescription' | 'description' | 'caveats', string>
  > & {
    readonly platforms: readonly {
      readonly selector: {readonly matchLabels: {readonly os: string; readonly arch: string}};
      readonly uri: string;
      readonly sha256: string;
      readonly files: readonly {readonly from: string; readonly to: string}[];
      readonly bin: string;
    }[];
  };
} = parse(text);
const {metadata, spec} = manifest;

describe('krew-manifest.yaml', () => {
  it('is a plugin of this name and version', () => {
    expect(manifest).to.include({
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
    });
    expect(metadata).to.deep.equal({name: 'tiltbuild'});
    expect(spec.version).to.equal(`v${pjson.version}`);
    expect(spec.caveats).to.contain('PATH');
  });

  // pkg/index/validation of krew 0.4, and what its reviewers ask for.
  it('keeps the rules of krew for texts', () => {
    expect(spec.homepage).to.match(/^https:\/\/\S+$/);
    expect(spec.shortDescription).to.match(/^[^\n]{1,69}[^.\n]$/);
    for (const line of `${spec.description}\n${spec.caveats}`.split('\n'))
      expect(line.length <= 80 || !line.trim().includes(' '), line).to.equal(true);
  });

  it('has an archive with program and licences for each of six platforms, each with a sum of its own', () => {
    const wanted = PLATFORMS.filter(({musl}) => !musl);
    expect(spec.platforms.map(({selector}) => selector)).to.deep.equal(
      wanted.map(({os, arch}) => ({matchLabels: {os, arch}})),
    );
    expect(wanted).to.have.length(6);
    for (const [index, platform] of wanted.entries()) {
      const {uri, bin, files, sha256} = spec.platforms[index] ?? expect.fail();
      const name = archiveName(platform, pjson.version);
      expect(uri).to.equal(`${pjson.homepage}/releases/download/v${pjson.version}/${name}`);
      expect(bin).to.equal(programName(platform));
      expect(bin.endsWith('.exe')).to.equal(platform.os === 'windows');
      const names = [bin, completionName(platform), 'LICENSE', 'LICENSES/third-party.txt'];
      expect(files).to.deep.equal(names.map((from) => ({from, to: '.'})));
      expect(sha256).to.match(/^[a-f0-9]{64}$/);
    }
    expect(new Set(spec.platforms.map(({sha256}) => sha256)).size).to.equal(6);
  });

  it('is what the release writes, apart from the checksums', () => {
    const archives = spec.platforms.map(({selector: {matchLabels}, uri, bin, files, sha256}) => ({
      ...matchLabels,
      name: uri.slice(uri.lastIndexOf('/') + 1),
      program: bin,
      completion: files[1]?.from ?? '',
      sha256,
    }));
    expect(formatKrewManifest(pjson, archives)).to.equal(text);
  });

  it('leads to an archive that krew installs, and that runs through kubectl from an empty home', async function () {
    const own = ownPlatform(process.platform, process.arch);
    if (own === undefined || own.os === 'windows') return this.skip();
    const directory = mkdtempSync(join(tmpdir(), 'tiltbuild-krew-'));
    const [unpacked, store, bin, home] = ['unpacked', 'store', 'bin', 'home'].map((name) => {
      mkdirSync(join(directory, name));
      return join(directory, name);
    }) as [string, string, string, string];
    try {
      const modes: [string, number][] = [];
      await extract({
        file: archiveOf(own),
        cwd: unpacked,
        strict: true,
        onReadEntry: ({type, path, mode = 0}) => type === 'File' && modes.push([path, mode & 0o777]),
      });
      expect(modes).to.deep.equal([
        [programName(own), 0o755],
        [completionName(own), 0o755],
        ['LICENSE', 0o644],
        ['README.md', 0o644],
        ['CHANGELOG.md', 0o644],
        ['LICENSES/third-party.txt', 0o644],
      ]);
      const platform = spec.platforms.find(({uri}) => uri.endsWith(archiveName(own, pjson.version)));
      // As krew does it: each file by its base name, and a link to the program.
      for (const {from, to} of platform?.files ?? [])
        copyFileSync(join(unpacked, from), join(store, to, from.split('/').at(-1) as string));
      symlinkSync(join(store, platform?.bin ?? ''), join(bin, `kubectl-${metadata.name}`));
      const ended = await runCommand(join(realKubectlDirectory(), 'kubectl'), ['tiltbuild', '--version'], {
        env: {HOME: home, PATH: [bin, realKubectlDirectory()].join(delimiter)},
        cwd: home,
      });
      expect(ended).to.include({exitCode: 0, stderr: ''});
      expect(ended.stdout).to.match(
        new RegExp(`^kubectl-tiltbuild ${pjson.version} \\((?:[0-9a-f]{12}(?:-dirty)?|unknown)\\)\n`),
      );
    } finally {
      rmSync(directory, {recursive: true});
    }
  });
});

/** That of `npm run release -- --only own`, made again where it is older than the compiled program. */
function archiveOf(platform: (typeof PLATFORMS)[number]): string {
  const path = join(root, 'dist', 'dry-run', archiveName(platform, pjson.version));
  const program = join(dirname(path), '..', 'kubectl-tiltbuild');
  if (existsSync(path) && (!existsSync(program) || statSync(path).mtimeMs >= statSync(program).mtimeMs))
    return path;
  const args = ['scripts/release.ts', '--only', 'own'];
  const {status, stderr} = spawnSync(process.execPath, args, {cwd: root, encoding: 'utf8'});
  expect(status, stderr).to.equal(0);
  return path;
}
