/** Covers the lists of the program's content: licences and bill of materials. */
import {expect} from 'chai';
import pjson from '../../package.json' with {type: 'json'};
import {
  type BundledPackage,
  findBundledPackages,
  packageDirectories,
  readBunVersion,
} from '../../scripts/release/bundled-packages.ts';
import {archiveName, ownPlatform, PLATFORMS, platformName} from '../../scripts/release/platforms.ts';
import {formatSbom} from '../../scripts/release/sbom.ts';
import {formatThirdPartyLicences} from '../../scripts/release/third-party-licences.ts';
import {linkToWeb} from '../../scripts/release/web-links.ts';

describe('what is in the program', () => {
  let packages: readonly BundledPackage[];
  before(() => {
    packages = findBundledPackages();
  });

  it('is read from the bundle: all imports, direct or not', () => {
    const names = packages.map(({name}) => name);
    expect(names).to.include.members(['@oclif/core', 'execa', 'yaml', 'which-command', 'signal-exit']);
    expect(names).not.to.include.members(['mocha', 'typescript-eslint', 'bun']);
    expect(new Set(names).size).to.equal(names.length);
  });

  it('is listed with its licences, those of the runtime first', () => {
    const text = formatThirdPartyLicences(packages, readBunVersion());
    expect(text.indexOf('- Bun ')).to.be.lessThan(text.indexOf('- @oclif/core'));
    expect(text).to.contain('JavaScriptCore').and.contain('LGPL');
    for (const {name, version, licence, texts} of packages) {
      expect(text).to.contain(`- ${name} ${version}: ${licence}\n`);
      for (const licenceText of texts) expect(text).to.contain(licenceText);
    }
  });

  it('is listed as CycloneDX, without a time, a serial number or an address', () => {
    const text = formatSbom(pjson, packages, readBunVersion());
    expect(formatSbom(pjson, [...packages].reverse(), readBunVersion())).to.equal(text);
    const bom = JSON.parse(text);
    expect(bom)
      .to.include({bomFormat: 'CycloneDX', specVersion: '1.6'})
      .and.not.have.property('serialNumber');
    expect(bom.metadata).to.have.all.keys('component');
    expect(bom.metadata.component).to.include({name: pjson.name, version: pjson.version});
    expect(bom.components).to.have.length(packages.length + 1);
    for (const {purl, licenses} of bom.components) {
      expect(purl).to.match(/^pkg:npm\//);
      expect(licenses).to.have.length(1);
    }
    expect(text.match(/https?:\/\/[^"]+/g)).to.deep.equal([
      'http://cyclonedx.org/schema/bom-1.6.schema.json',
    ]);
  });
});

describe('packageDirectories', () => {
  it('finds the package of each file, the innermost of nested ones', () => {
    const files = [
      'src/main.ts',
      'node_modules/a/index.js',
      'node_modules/a/lib/x.js',
      'node_modules/@s/b/index.js',
      'node_modules/a/node_modules/c/index.js',
    ];
    expect([...packageDirectories(files)]).to.deep.equal([
      'node_modules/a',
      'node_modules/@s/b',
      'node_modules/a/node_modules/c',
    ]);
  });
});

describe('the pages in an archive', () => {
  const own = {homepage: 'https://example.com/repo', version: '1.2.3'};
  for (const [what, text, linked] of [
    ['pages', '[a](docs/a.md#b)', '[a](https://example.com/repo/blob/v1.2.3/docs/a.md#b)'],
    ['pictures', '![a b](docs/a.svg)', '![a b](https://example.com/repo/raw/v1.2.3/docs/a.svg)'],
    ['headings of their own', '[a](#b)', '[a](#b)'],
    [
      'the web',
      '[a](https://a.example/b), [c](d.md)',
      '[a](https://a.example/b), [c](https://example.com/repo/blob/v1.2.3/d.md)',
    ],
  ] as const)
    it(`lead to ${what}`, () => expect(linkToWeb(text, own)).to.equal(linked));
});

describe('the platforms of a release', () => {
  it('have distinct names', () => {
    expect(new Set(PLATFORMS.map((platform) => archiveName(platform, '1.0.0'))).size).to.equal(8);
    expect(PLATFORMS.map(platformName)).to.include.members([
      'linux_amd64',
      'linux_amd64_musl',
      'windows_arm64',
    ]);
  });

  it('are found by the names of Node', () => {
    expect(ownPlatform('win32', 'x64')).to.include({os: 'windows', arch: 'amd64'});
    expect(ownPlatform('linux', 'arm64')).to.include({target: 'bun-linux-arm64'});
    expect(ownPlatform('aix', 'ppc64')).to.equal(undefined);
  });
});
