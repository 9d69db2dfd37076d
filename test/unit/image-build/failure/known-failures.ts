/** Owns what the tests of failures and of the digest feed: known failures, recordings, and output in any pieces. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import fc from 'fast-check';
import {parse} from 'yaml';
import type {BuildRequest} from '../../../../src/image-build/build-request.ts';
import {explainFailure} from '../../../../src/image-build/failure/build-hints.ts';
import {FaultWatcher} from '../../../../src/image-build/failure/builder-faults.ts';
import type {Hint} from '../../../../src/image-build/failure/failure-scene.ts';
import type {LocalContext} from '../../../../src/image-build/inputs/local-context.ts';
import {buildRequest} from '../../builder/builder-world.ts';
import {memoryDirectory} from '../../context/memory-files.ts';

export interface Scene {
  readonly pullSecret?: string;
  readonly files?: Readonly<Record<string, string>>;
  /** In the build context, with their targets. */
  readonly links?: Readonly<Record<string, string>>;
  readonly stepNetwork?: 'node' | 'pod';
  readonly asked?: Partial<BuildRequest>;
}

interface Row extends Scene {
  readonly recorded?: string;
  readonly solve?: string;
  readonly step?: readonly [command: string, end: string, ...output: string[]];
  readonly stderr?: string;
}

export interface KnownFailure {
  readonly name: string;
  readonly stderr: string;
  readonly scene: Scene;
}

const fixtures = join(import.meta.dirname, '../../../fixtures');
const readYaml = (path: string) => parse(readFileSync(join(fixtures, path), 'utf8'));

export const recorded = (name: string): string => readYaml(`recordings/${name}.yaml`).stderr;
export const solve = (error: string) => `Error: failed to solve: ${error}\n`;

export const KNOWN: readonly KnownFailure[] = Object.entries<Row>(readYaml('known-failures.yaml')).map(
  ([name, {recorded: recording, solve: error, step: ran, stderr = '', ...scene}]) => ({
    name,
    stderr: recording
      ? recorded(recording)
      : error
        ? solve(error)
        : ran
          ? step(ran[0], ran[1], ran.slice(2))
          : stderr,
    scene,
  }),
);

/** The bytes in pieces, cut in the middle of lines and of characters as well. */
export const anyChunks = (bytes: Uint8Array): fc.Arbitrary<readonly Uint8Array[]> =>
  fc.array(fc.nat(bytes.length), {maxLength: 30}).map((places) => {
    const sorted = [0, ...places.toSorted((a, b) => a - b), bytes.length];
    return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end));
  });

/** A line that is longer than V8's longest string, so that keeping it would throw. */
export function observeEndlessLine(watcher: {readonly observe: (chunk: Uint8Array) => void}): void {
  const piece = Buffer.alloc(20_000_000, 'x');
  for (let written = 0; written <= 2 ** 29; written += piece.length) watcher.observe(piece);
}

/** What BuildKit prints of a RUN step that fails. */
export function step(command: string, end: string, output: readonly string[] = []): string {
  const printed = output.map((line) => `#3 0.100 ${line}`);
  const error = `process ${JSON.stringify(command)} did not complete successfully: ${end}`;
  return [
    `#3 [2/2] RUN ${command}`,
    ...printed,
    `#3 ERROR: ${error}`,
    '------',
    ` > [2/2] RUN ${command}:`,
    ...printed,
    '------',
    solve(error),
  ].join('\n');
}

function wordsOf(stderr: string) {
  const watcher = new FaultWatcher({builder: 'buildkit', namespace: 'ns'});
  watcher.observe(Buffer.from(stderr));
  return watcher.words();
}

export function filesOf(files: Readonly<Record<string, string>>) {
  return {
    join: (...parts: string[]) => parts.join('/'),
    kindOf: (path: string) => (path === '.' ? 'directory' : path in files ? 'file' : 'missing') as 'file',
    readText: async (path: string) => files[path],
  };
}

/** The build context of the scene, as it is read from the disk. */
export function localOf({files = {}, links = {}}: Scene): Pick<LocalContext, 'directory' | 'ignored'> {
  const inside = Object.entries(files).filter(([path]) => path.startsWith('./'));
  const entries = [
    ...inside.map(([path, text]) => [path.slice(2), text] as const),
    ...Object.entries(links).map(([path, link]) => [path, {link}] as const),
  ];
  return {directory: memoryDirectory(Object.fromEntries(entries)), ignored: []};
}

export async function explain(stderr: string, scene: Scene = {}): Promise<Hint | undefined> {
  const {pullSecret, files = {}, asked = {}, stepNetwork = 'node'} = scene;
  const words = wordsOf(stderr);
  if (words === undefined) return undefined;
  return await explainFailure(words, {
    asked: buildRequest(asked),
    pullSecret,
    namespace: 'ns',
    platform: 'linux',
    files: filesOf(files),
    local: localOf(scene),
    stepNetwork,
    describeMemory: async () => ['Node "n" has 8.23GB of memory for all its pods and steps.'],
  });
}
