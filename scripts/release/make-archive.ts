/** Owns one archive of a release: the program for a platform, with its licences and documents. */
import {createHash} from 'node:crypto';
import {chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {zipSync} from 'fflate';
import {create} from 'tar';
import pjson from '../../package.json' with {type: 'json'};
import {compileBinary} from '../bun-compile.ts';
import {ROOT} from '../generated-file.ts';
import type {Archive} from '../krew-manifest.ts';
import {checkProgram} from './check-program.ts';
import {findSignatureFault, signAdHoc} from './mach-o.ts';
import {archiveName, completionName, type Platform, platformName, programName} from './platforms.ts';
import {linkToWeb} from './web-links.ts';
import {setWindowsVersion} from './windows-version.ts';

export interface Ingredients {
  readonly commit: string;
  readonly thirdPartyLicences: string;
}

export const THIRD_PARTY_LICENCES = 'LICENSES/third-party.txt';

/** A fixed time, or two runs would differ. A zip has local time, without a zone. */
const TAR_TIME = new Date('1980-01-01T00:00:00Z');
const ZIP_TIME = new Date(1980, 0, 1);
/** 9 takes twice as long and saves 0.3 %. */
const LEVEL = 6;

/** Creates the archive in `output`, from a directory in `stage`. */
export async function makeArchive(
  platform: Platform,
  {commit, thirdPartyLicences}: Ingredients,
  {output, stage}: {readonly output: string; readonly stage: string},
): Promise<Archive> {
  const directory = join(stage, platformName(platform));
  rmSync(directory, {recursive: true, force: true});
  mkdirSync(join(directory, dirname(THIRD_PARTY_LICENCES)), {recursive: true});
  const [program, completion] = [programName(platform), completionName(platform)];
  compileBinary(join(directory, program), commit, platform.target);
  finishProgram(join(directory, program), platform);
  const finished = readFileSync(join(directory, program));
  checkProgram(finished, platform);
  if (finished.includes(join(ROOT, 'node_modules'))) {
    throw new Error(`${program} contains a path of this machine, and would differ on another one.`);
  }
  copyFileSync(join(ROOT, 'bin', completion), join(directory, completion));
  for (const file of [program, completion]) chmodSync(join(directory, file), 0o755);
  const texts = {
    LICENSE: readFileSync(join(ROOT, 'LICENSE'), 'utf8'),
    'README.md': linkToWeb(readFileSync(join(ROOT, 'README.md'), 'utf8'), pjson),
    'CHANGELOG.md': linkToWeb(readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8'), pjson),
    [THIRD_PARTY_LICENCES]: thirdPartyLicences,
  };
  for (const [file, text] of Object.entries(texts)) {
    writeFileSync(join(directory, file), text);
    chmodSync(join(directory, file), 0o644);
  }

  const name = archiveName(platform, pjson.version);
  const files = [program, completion, ...Object.keys(texts)];
  if (platform.os === 'windows') writeZip(join(output, name), directory, files);
  else await writeTar(join(output, name), directory, files);
  const content = readFileSync(join(output, name));
  const sha256 = createHash('sha256').update(content).digest('hex');
  return {os: platform.os, arch: platform.arch, name, program, completion, sha256, size: content.length};
}

/** Does what Bun leaves undone when it compiles for another platform. */
function finishProgram(path: string, {os}: Platform): void {
  switch (os) {
    case 'linux':
      return;
    case 'windows': {
      const {name, version, license} = pjson;
      const own = {name, version, description: 'kubectl tiltbuild', copyright: license};
      writeFileSync(path, setWindowsVersion(readFileSync(path), own));
      return;
    }
    case 'darwin': {
      const compiled = readFileSync(path);
      if (findSignatureFault(compiled) === undefined) return;
      const signed = signAdHoc(compiled, pjson.name);
      const fault = findSignatureFault(signed);
      if (fault !== undefined) throw new Error(`Cannot sign ${path}: ${fault}.`);
      writeFileSync(path, signed);
    }
  }
}

async function writeTar(file: string, cwd: string, files: readonly string[]): Promise<void> {
  await create({file, cwd, gzip: {level: LEVEL}, portable: true, mtime: TAR_TIME}, [...files]);
}

function writeZip(file: string, directory: string, files: readonly string[]): void {
  const entries = files.map((name) => [name, new Uint8Array(readFileSync(join(directory, name)))] as const);
  writeFileSync(file, zipSync(Object.fromEntries(entries), {level: LEVEL, mtime: ZIP_TIME}));
}
