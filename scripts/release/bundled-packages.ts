/** Owns the list of what the program contains besides its own source: the bundled npm packages, and Bun. */
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {bundleForNode} from '../bun-compile.ts';
import {ROOT} from '../generated-file.ts';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly licence: string;
  /** The content of its licence and notice files. */
  readonly texts: readonly string[];
}

/** A package that comes without a licence file: Apache-2.0, and what the head of one of its files says. */
const NOTICE_IN_SOURCE: Readonly<Record<string, string>> = {
  '@bufbuild/protobuf': 'dist/esm/wire/varint.js',
};

const LICENCE_FILE = /^(?:licen[cs]e|notice|copying)\b/i;

/** Sorted by name. The bundle for Node and the compiled program contain the same packages. */
export function findBundledPackages(): readonly BundledPackage[] {
  const directory = mkdtempSync(join(tmpdir(), 'tiltbuild-bundle-'));
  try {
    const metafile = join(directory, 'meta.json');
    bundleForNode(join(directory, 'bundle.js'), '', metafile);
    const {inputs} = JSON.parse(readFileSync(metafile, 'utf8')) as {readonly inputs: object};
    return [...packageDirectories(Object.keys(inputs))].sort().map(readPackage);
  } finally {
    rmSync(directory, {recursive: true});
  }
}

/** The directories of the packages that `files` belong to, relative to the project. */
export function packageDirectories(files: readonly string[]): ReadonlySet<string> {
  const found = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return new Set(found.filter((directory) => directory !== undefined));
}

function readPackage(directory: string): BundledPackage {
  const path = join(ROOT, directory);
  const {name, version, license} = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const source = NOTICE_IN_SOURCE[name];
  const texts =
    source === undefined
      ? readdirSync(path)
          .filter((file) => LICENCE_FILE.test(file))
          .sort()
          .map((file) => readText(join(path, file)))
      : [readText(join(ROOT, 'LICENSE')), headOf(readText(join(path, source)))];
  if (typeof license !== 'string' || texts.length === 0) {
    throw new Error(`${name} ${version} is bundled, but its package has no licence.`);
  }
  return {name, version, licence: license, texts};
}

function readText(path: string): string {
  return readFileSync(path, 'utf8').replaceAll('\r\n', '\n').trim();
}

/** The comment lines that `source` begins with, without their marks. */
function headOf(source: string): string {
  const comment = /^(?:\/\/.*\n)*/.exec(source)?.[0] ?? '';
  return comment.replaceAll(/^\/\/ ?/gm, '').trim();
}

export function readBunVersion(): string {
  const {version} = JSON.parse(readFileSync(join(ROOT, 'node_modules', 'bun', 'package.json'), 'utf8'));
  return version;
}
