/** Covers fences.grit: each fence stops what it is there for, and lets through what it has to. */
import {spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {expect} from 'chai';

const root = join(import.meta.dirname, '..', '..');

/** What is said of each code; nothing of what is let through. */
const SAMPLES: readonly (readonly [file: string, code: string, told?: string])[] = [
  ['src/text/a.ts', "export * from '../image/reference.ts'", 'text knows no other folder'],
  ['src/image/a.ts', "export * from '../cluster/product.ts'", 'image, tilt and context know text alone'],
  ['src/cluster/api/a.ts', "export type {A} from '../../builder/model/pods.ts'", 'cluster knows'],
  ['src/cluster/a.ts', "export const a = import('../wire/a.ts')", 'cluster knows'],
  ['src/wire/a.ts', "export * from '../buildkit/solve.ts'", 'wire knows cluster alone'],
  ['src/context/a.ts', "export * from '../cluster/ports.ts'", 'context know text alone'],
  ['src/node/a.ts', "export * from '../builder/model/pods.ts'", 'node knows wire'],
  ['src/buildkit/a.ts', "export * from '../builder/model/pods.ts'", 'buildkit knows wire'],
  ['src/builder/a.ts', "export type A = typeof import('../cli/a.ts')", 'builder knows cluster'],
  ['src/image-build/a.ts', "export * from '../doctor/report.ts'", 'image-build knows builder'],
  ['src/doctor/a.ts', "export * from '../system/runner.ts'", 'doctor knows image-build'],
  ['src/cli/a.ts', "export * from '../system/runner.ts'", 'main.ts joins them'],
  ['src/system/a.ts', "export * from '../image-build/build-image.ts'", 'knows no other subject'],
  ['src/system/a.ts', "export * from 'execa'", 'Only src/system/runner.ts'],
  ['src/builder/a.ts', "export * from 'node:child_process'", 'Only src/system/runner.ts'],
  ['src/builder/a.ts', "export * from 'node:fs/promises'", 'Only src/system/disk-files.ts'],
  ['src/system/a.ts', "export * from 'node:net'", 'Only src/system/https-transport.ts'],
  ['src/cli/a.ts', "export * from 'node:os'", 'Only src/main.ts'],
  ['src/cli/a.ts', 'export const a = process.env', 'the global variable process'],
  ['src/cli/argv/a.ts', "export type * from '@oclif/core'", 'Only src/cli/help'],
  ['src/doctor/a.ts', "export * from '../builder/verdict/verdict.ts'"],
  ['src/builder/commands/a.ts', "export * from '../model/pods.ts'"],
  ['src/builder/ensure/a.ts', "export * from '../../buildkit/control.ts'"],
  ['src/cli/help/a.ts', "export * from '@oclif/core'"],
  ['src/system/runner.ts', "export * from 'execa'"],
  ['src/main.ts', "export * from './system/runner.ts'"],
];

/** Lints each code in a file of its own, and gives what is said of it. */
function lint(): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'fences-'));
  try {
    for (const file of ['biome.json', 'fences.grit']) copyFileSync(join(root, file), join(directory, file));
    const files = SAMPLES.map(([file, code], index) => {
      // A folder of its own, so that each sample can have the path that it is about.
      const path = join(String(index), file);
      mkdirSync(dirname(join(directory, path)), {recursive: true});
      writeFileSync(join(directory, path), `${code};\n`);
      return path;
    });
    const biome = join(root, 'node_modules', '.bin', 'biome');
    const args = ['lint', '--colors=off', '--max-diagnostics=none', '--reporter=json', '.'];
    const {stdout} = spawnSync(biome, args, {cwd: directory, encoding: 'utf8'});
    const {diagnostics} = JSON.parse(stdout) as {diagnostics: {location: {path: string}; message: string}[]};
    return files.map((file) =>
      diagnostics.flatMap(({location, message}) => (location.path === file ? [message] : [])).join('\n'),
    );
  } finally {
    rmSync(directory, {recursive: true});
  }
}

describe('the fences', () => {
  let said: readonly string[];
  before(() => {
    said = lint();
  });

  for (const [index, [file, code, told]] of SAMPLES.entries()) {
    it(`${told === undefined ? 'let through' : 'stop'} ${file}: ${code}`, () => {
      if (told === undefined) expect(said[index]).to.equal('');
      else expect(said[index]).to.include(told);
    });
  }
});
