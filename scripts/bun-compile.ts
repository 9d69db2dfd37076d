/** Owns the calls of Bun's compiler: one self-contained program, or one bundle for Node, of the source. */
import {spawnSync} from 'node:child_process';
import {join} from 'node:path';
import {ROOT} from './generated-file.ts';

// The npm package calls the program bun.exe on every platform.
const BUN = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');

const PROGRAM = [
  '--compile',
  '--minify',
  '--bytecode',
  '--format=esm',
  // A module that is imported late then brings its own imports with it; in one piece they would all come at the start.
  '--splitting',
  // Code has to be run this many times more often before it is compiled further: most of ours runs once, and a loop
  // that goes on for long is compiled all the same.
  '--compile-jit-policy=32',
  // Else a checkout could set our environment with its .env, and run its own code with its bunfig.toml.
  '--no-compile-autoload-dotenv',
  '--no-compile-autoload-bunfig',
];
/** A runtime that has to come from the registry first takes its time. In milliseconds. */
const LONGEST_BUILD = 300_000;
/** What CommonJS modules take for their directory. Else it is this machine's, and the program another in each clone. */
const NOWHERE = '/kubectl-tiltbuild/lib';
const BUNDLE = ['--target=node', '--minify', '--format=esm'];

/**
 * Compiles to `outfile`, with `commit` inside. `target` is Bun's name for a platform, e.g. `bun-darwin-arm64`; its
 * runtime comes from the npm registry. Throws with what Bun said.
 */
export function compileBinary(
  outfile: string,
  commit: string,
  target?: string,
  timeout: number = LONGEST_BUILD,
): void {
  build([...PROGRAM, ...(target === undefined ? [] : [`--target=${target}`])], outfile, commit, timeout);
}

/** Bundles all that is run to one file for Node, and tells in `metafile` what was bundled, by esbuild's form. */
export function bundleForNode(outfile: string, commit: string, metafile?: string): void {
  build(
    [...BUNDLE, ...(metafile === undefined ? [] : [`--metafile=${metafile}`])],
    outfile,
    commit,
    LONGEST_BUILD,
  );
}

function build(options: readonly string[], outfile: string, commit: string, timeout: number): void {
  const defines = Object.entries({TILTBUILD_COMMIT: commit, __dirname: NOWHERE}).flatMap(([name, value]) => [
    '--define',
    `${name}=${JSON.stringify(value)}`,
  ]);
  const args = ['build', ...options, ...defines];
  // A relative path, since Bun writes the path of the source into the program.
  const result = spawnSync(BUN, [...args, join('src', 'main.ts'), '--outfile', outfile], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout,
  });
  if (result.status === 0) return;
  throw new Error(`${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`);
}
