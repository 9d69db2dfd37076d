/** Owns the calls of Bun's compiler: to one self-contained program, or to one bundle for Node. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {BUN, readRuntime} from './bun-runtime.ts';
import {ROOT} from './generated-file.ts';
import {renameVariables} from './runtime-variables.ts';

const PROGRAM = [
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  // A module that is imported late then loads its own imports late, too.
  '--splitting',
  // Optimizes code later than by default: most of ours runs only once, and long loops are still optimized.
  '--compile-jit-policy=32',
  // A .env in the current directory must not set our environment, and a bunfig.toml must not run code.
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
];
/** Leaves time to download another platform's runtime. In milliseconds. */
const LONGEST_BUILD = 300_000;
/** The directory of CommonJS modules. By default a path of this machine, which would differ between clones. */
const NOWHERE = '/kubectl-tiltbuild/lib';
const BUNDLE = ['--target=node', '--minify', '--format=esm'];

/**
 * Compiles to `outfile`, with `commit` built in, into a runtime without variables. `target` is Bun's name for a platform,
 * e.g. `bun-darwin-arm64`; without it the program is for this one. Throws with Bun's output.
 */
export function compileBinary(
  outfile: string,
  commit: string,
  target?: string,
  timeout: number = LONGEST_BUILD,
): void {
  const runtime = `${outfile}.runtime`;
  const place = [
    `--compile-executable-path=${runtime}`,
    ...(target === undefined ? [] : [`--target=${target}`]),
  ];
  mkdirSync(dirname(outfile), {recursive: true});
  try {
    // Before Bun signs the program for macOS.
    writeFileSync(runtime, renameVariables(readRuntime(target, timeout)), {mode: 0o755});
    build([...PROGRAM, ...place], outfile, commit, timeout);
  } finally {
    rmSync(runtime, {force: true});
  }
}

/** Bundles the source to one file for Node, and lists the bundled files in `metafile`, in esbuild's format. */
export function bundleForNode(outfile: string, commit: string, metafile?: string): void {
  build(
    [...BUNDLE, ...(metafile === undefined ? [] : [`--metafile=${metafile}`])],
    outfile,
    commit,
    LONGEST_BUILD,
  );
}

function build(options: readonly string[], outfile: string, commit: string, timeout: number): void {
  // The package `debug` prints command lines, and is in what oclif uses.
  const values = {TILTBUILD_COMMIT: commit, __dirname: NOWHERE, 'process.env.DEBUG': ''};
  const defines = Object.entries(values).flatMap(([name, value]) => [
    '--define',
    `${name}=${JSON.stringify(value)}`,
  ]);
  const args = ['build', ...options, ...defines];
  // A relative path, since Bun stores it in the program.
  const result = spawnSync(BUN, [...args, join('src', 'main.ts'), '--outfile', outfile], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout,
  });
  if (result.status === 0) return;
  throw new Error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`);
}
