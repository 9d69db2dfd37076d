/**
 * Owns krew's rules, as its validation and its installation have them (pkg/index/validation, internal/download and
 * internal/installation of krew 0.4): what is wrong with a manifest, and an installation of an archive.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {basename, dirname, join, matchesGlob, normalize, relative, sep} from 'node:path';
import {unzipSync} from 'fflate';
import {list} from 'tar';

export interface KrewPlatform {
  readonly selector: {readonly matchLabels: {readonly os: string; readonly arch: string}};
  readonly uri: string;
  readonly sha256: string;
  readonly files: readonly {readonly from: string; readonly to: string}[];
  readonly bin: string;
}

export interface KrewManifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {readonly name: string};
  readonly spec: {
    readonly version: string;
    readonly homepage: string;
    readonly shortDescription: string;
    readonly description: string;
    readonly caveats: string;
    readonly platforms: readonly KrewPlatform[];
  };
}

const WINDOWS_NAMES = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])$/i;
const SEMVER = /^v(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const WIDTHS = {shortDescription: 70, description: 80, caveats: 80} as const;

/** What krew would refuse or warn of, in its order. */
export function findManifestFaults({
  apiVersion,
  kind,
  metadata: {name},
  spec,
}: KrewManifest): readonly string[] {
  const faults: string[] = [];
  const demand = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  demand(apiVersion === 'krew.googlecontainertools.github.com/v1alpha2', 'apiVersion');
  demand(kind === 'Plugin', 'kind');
  demand(/^[\w-]+$/.test(name) && !WINDOWS_NAMES.test(name), 'name');
  demand(SEMVER.test(spec.version), 'version');
  demand(/^https:\/\/\S+$/.test(spec.homepage), 'homepage');
  demand(/^[^\n]+[^.\n]$/.test(spec.shortDescription), 'shortDescription: one line without a full stop');
  for (const [field, width] of Object.entries(WIDTHS)) {
    const lines = spec[field as keyof typeof WIDTHS].split('\n');
    demand(
      lines.every((line) => line.length <= width || !line.trim().includes(' ')),
      `${field}: a line is longer than ${width}`,
    );
  }
  demand(spec.platforms.length > 0, 'platforms: none');
  const selected = spec.platforms.map(({selector: {matchLabels}}) => `${matchLabels.os}/${matchLabels.arch}`);
  demand(new Set(selected).size === selected.length, 'platforms: two for one');
  for (const [index, {uri, sha256, files, bin, selector}] of spec.platforms.entries()) {
    const where = selected[index];
    demand(/^https:\/\/\S+\.(?:tar\.gz|zip)$/.test(uri), `${where}: uri`);
    demand(/^[a-f0-9]{64}$/.test(sha256), `${where}: sha256`);
    demand(bin !== '' && bin.endsWith('.exe') === (selector.matchLabels.os === 'windows'), `${where}: bin`);
    demand(files.length > 0, `${where}: files`);
    demand(
      files.every(({to}) => join(to) === to),
      `${where}: files that go to no clean path`,
    );
    demand(
      Object.keys(selector.matchLabels).every((key) => key === 'os' || key === 'arch'),
      `${where}: selector`,
    );
  }
  return faults;
}

interface Unpacked {
  readonly content: Uint8Array;
  readonly mode: number;
}

/** The files of an archive by their paths. Throws where krew would refuse to unpack it. */
export async function readArchive(path: string): Promise<ReadonlyMap<string, Unpacked>> {
  const files = path.endsWith('.zip') ? readZip(path) : await readTar(path);
  for (const name of files.keys()) {
    if (name.includes('..') || /^[/\\]/.test(name)) throw new Error(`krew unpacks no "${name}"`);
  }
  return files;
}

function readZip(path: string): ReadonlyMap<string, Unpacked> {
  const files = unzipSync(new Uint8Array(readFileSync(path)));
  return new Map(Object.entries(files).map(([name, content]) => [name, {content, mode: 0o755}]));
}

async function readTar(path: string): Promise<ReadonlyMap<string, Unpacked>> {
  const files = new Map<string, Unpacked>();
  await list({
    file: path,
    onReadEntry: (entry) => {
      if (entry.type === 'Directory') return;
      if (entry.type !== 'File') throw new Error(`krew knows no ${entry.type}, which "${entry.path}" is`);
      const parts: Buffer[] = [];
      entry.on('data', (part: Buffer) => parts.push(part));
      entry.on('end', () =>
        files.set(entry.path, {content: Buffer.concat(parts), mode: entry.mode ?? 0o644}),
      );
    },
  });
  return files;
}

/**
 * Installs an archive below `root` as `kubectl krew install --archive` does it, and returns the directory that users
 * have on PATH. Throws where krew would.
 */
export async function installByKrew(
  archive: string,
  {metadata: {name}, spec: {version}}: KrewManifest,
  {files, bin}: KrewPlatform,
  root: string,
): Promise<string> {
  const staging = mkdtempSync(join(root, 'krew-download-'));
  const unpacked = await readArchive(archive);
  for (const [path, {content, mode}] of unpacked) {
    mkdirSync(dirname(join(staging, path)), {recursive: true});
    writeFileSync(join(staging, path), content);
    chmodSync(join(staging, path), mode);
  }
  const names = [...unpacked.keys()];
  const store = join(root, 'store', name, version);
  for (const {from, to} of files) {
    const found = names.filter((path) => path === normalize(from) || matchesGlob(path, from));
    if (found.length === 0)
      throw new Error(`no files in the plugin archive matched the glob pattern=${from}`);
    for (const path of found) {
      const target = join(store, to, basename(path));
      demandBelow(store, target);
      demandBelow(staging, join(staging, path));
      mkdirSync(dirname(target), {recursive: true});
      cpSync(join(staging, path), target);
    }
  }
  rmSync(staging, {recursive: true});
  const program = join(store, bin);
  demandBelow(store, program);
  if (!existsSync(program)) throw new Error(`source binary (${bin}) cannot be found in extracted archive`);
  return linkProgram(root, program, name);
}

function demandBelow(base: string, path: string): void {
  if (relative(base, path).split(sep)[0] === '..') throw new Error(`${path} is out of bounds`);
}

/** Dashes in a plugin's name become underscores, as those in the file's name divide it. */
function linkProgram(root: string, program: string, name: string): string {
  const directory = join(root, 'bin');
  mkdirSync(directory);
  const link = join(directory, `kubectl-${name.replaceAll('-', '_')}`);
  symlinkSync(relative(directory, program), link);
  return directory;
}
