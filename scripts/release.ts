/**
 * Owns `npm run release`: an archive for each platform, the licences and bill of materials of their content, checksums,
 * and the manifest for krew. Two runs on one commit give the same bytes, which `--verify` checks. `--only linux_amd64`
 * (or `--only own`, for this machine) makes one archive in dist/dry-run and nothing else.
 */
import {createHash} from 'node:crypto';
import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import pjson from '../package.json' with {type: 'json'};
import {findCommit} from './commit.ts';
import {ROOT} from './generated-file.ts';
import {type Archive, formatKrewManifest} from './krew-manifest.ts';
import {findBundledPackages, readBunVersion} from './release/bundled-packages.ts';
import {type Ingredients, makeArchive} from './release/make-archive.ts';
import {ownPlatform, PLATFORMS, type Platform, platformName} from './release/platforms.ts';
import {formatSbom} from './release/sbom.ts';
import {formatThirdPartyLicences} from './release/third-party-licences.ts';

const {values} = parseArgs({options: {only: {type: 'string'}, verify: {type: 'boolean', default: false}}});
const say = (line: string) => process.stdout.write(`${line}\n`);
const dist = join(ROOT, 'dist');

const packages = findBundledPackages();
const bunVersion = readBunVersion();
const ingredients: Ingredients = {
  commit: findCommit(),
  thirdPartyLicences: formatThirdPartyLicences(packages, bunVersion),
};
say(`kubectl-tiltbuild ${pjson.version} (${ingredients.commit}), Bun ${bunVersion}`);
if (!/^[0-9a-f]+$/.test(ingredients.commit)) {
  say('Do not publish this: a release needs a full clone without changes.');
}

if (values.only !== undefined) {
  await makeArchives([findPlatform(values.only)], 'dry-run');
} else {
  const archives = await release('release');
  const forKrew = archives.filter((_, index) => !PLATFORMS[index]?.musl);
  writeFileSync(join(ROOT, 'krew-manifest.yaml'), formatKrewManifest(pjson, forKrew));
  if (values.verify) await verify();
}

async function release(directory: string): Promise<readonly Archive[]> {
  const archives = await makeArchives(PLATFORMS, directory);
  const others = [
    ['kubectl-tiltbuild.cdx.json', formatSbom(pjson, packages, bunVersion)],
    ['third-party.txt', ingredients.thirdPartyLicences],
  ] as const;
  for (const [name, text] of others) writeFileSync(join(dist, directory, name), text);
  const sums = [
    ...archives.map(({sha256, name}) => [sha256, name]),
    ...others.map(([name, text]) => [createHash('sha256').update(text).digest('hex'), name]),
  ];
  writeFileSync(
    join(dist, directory, 'checksums.txt'),
    sums.map(([sum, name]) => `${sum}  ${name}\n`).join(''),
  );
  return archives;
}

async function makeArchives(platforms: readonly Platform[], directory: string): Promise<readonly Archive[]> {
  const places = {output: join(dist, directory), stage: join(dist, `${directory}-stage`)};
  rmSync(places.output, {recursive: true, force: true});
  mkdirSync(places.output, {recursive: true});
  const archives: Archive[] = [];
  for (const platform of platforms) {
    const archive = await makeArchive(platform, ingredients, places);
    say(`${archive.sha256}  ${archive.name}  ${(archive.size / 1e6).toFixed(1)} MB`);
    archives.push(archive);
  }
  rmSync(places.stage, {recursive: true, force: true});
  return archives;
}

/** Releases again in other directories, because paths must not make a difference. */
async function verify(): Promise<void> {
  say('Releasing again, to compare:');
  await release('release-again');
  const [first, again] = ['release', 'release-again'].map((directory) =>
    readFileSync(join(dist, directory, 'checksums.txt'), 'utf8'),
  );
  if (first !== again) throw new Error('The two runs differ. Compare dist/release with dist/release-again.');
  rmSync(join(dist, 'release-again'), {recursive: true});
  say('Both runs gave the same bytes.');
}

function findPlatform(name: string): Platform {
  const platform =
    name === 'own'
      ? ownPlatform(process.platform, process.arch)
      : PLATFORMS.find((candidate) => platformName(candidate) === name);
  if (platform !== undefined) return platform;
  throw new Error(`Unknown platform "${name}". Choose from: ${PLATFORMS.map(platformName).join(', ')}.`);
}
