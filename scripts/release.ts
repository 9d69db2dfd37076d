/**
 * Owns `npm run release`: the program for six platforms, each in an archive with LICENSE and README, their checksums,
 * and the manifest for krew. Two runs on the same sources give the same bytes.
 */
import {createHash} from 'node:crypto';
import {copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {zipSync} from 'fflate';
import {create} from 'tar';
import pjson from '../package.json' with {type: 'json'};
import {compileBinary} from './bun-compile.ts';
import {ROOT} from './generated-file.ts';
import {type Archive, formatKrewManifest} from './krew-manifest.ts';

/** Bun's targets by Go's names for platforms, which krew uses. */
const PLATFORMS = [
  {os: 'darwin', arch: 'amd64', target: 'bun-darwin-x64'},
  {os: 'darwin', arch: 'arm64', target: 'bun-darwin-arm64'},
  {os: 'linux', arch: 'amd64', target: 'bun-linux-x64'},
  {os: 'linux', arch: 'arm64', target: 'bun-linux-arm64'},
  {os: 'windows', arch: 'amd64', target: 'bun-windows-x64'},
  {os: 'windows', arch: 'arm64', target: 'bun-windows-arm64'},
] as const;

const COMPANIONS = ['LICENSE', 'README.md'];
/** Archives tell no time of their own, or two runs would differ. */
const EPOCH = new Date('1980-01-01T00:00:00Z');
const output = join(ROOT, 'dist', 'release');

rmSync(output, {recursive: true, force: true});
mkdirSync(output, {recursive: true});
const archives: Archive[] = [];
for (const {os, arch, target} of PLATFORMS) {
  const directory = join(ROOT, 'dist', 'stage', `${os}_${arch}`);
  rmSync(directory, {recursive: true, force: true});
  mkdirSync(directory, {recursive: true});
  const program = os === 'windows' ? 'kubectl-tiltbuild.exe' : 'kubectl-tiltbuild';
  compileBinary(join(directory, program), target);
  for (const file of COMPANIONS) copyFileSync(join(ROOT, file), join(directory, file));

  const extension = os === 'windows' ? 'zip' : 'tar.gz';
  const name = `kubectl-tiltbuild_${pjson.version}_${os}_${arch}.${extension}`;
  const files = [program, ...COMPANIONS];
  if (os === 'windows') writeZip(join(output, name), directory, files);
  else
    await create(
      {file: join(output, name), cwd: directory, gzip: {level: 9}, portable: true, mtime: EPOCH},
      files,
    );

  const content = readFileSync(join(output, name));
  const sha256 = createHash('sha256').update(content).digest('hex');
  archives.push({os, arch, name, program, sha256});
  process.stdout.write(`${sha256}  ${name}  ${(content.length / 1e6).toFixed(1)} MB\n`);
}
writeFileSync(
  join(output, 'checksums.txt'),
  archives.map(({sha256, name}) => `${sha256}  ${name}\n`).join(''),
);
writeFileSync(join(ROOT, 'krew-manifest.yaml'), formatKrewManifest(pjson, archives));

function writeZip(file: string, directory: string, files: readonly string[]): void {
  const entries = files.map((name) => [name, new Uint8Array(readFileSync(join(directory, name)))] as const);
  writeFileSync(file, zipSync(Object.fromEntries(entries), {level: 9, mtime: EPOCH}));
}
