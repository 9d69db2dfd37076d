/** Owns what `--output` and `--push` mean for the result: its form, whether it has a digest, and who writes to stdout. */
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {advise, flag} from '../../text/advice.ts';
import {readCsvRecord, writeCsvRecord} from '../../text/csv-fields.ts';
import {splitKeyValue} from '../../text/key-value.ts';

/** One `--output`. */
export interface Output {
  readonly type: string;
  /** A file or directory as typed, or `-` for standard output; undefined where BuildKit sends nothing back. */
  readonly dest?: string;
  /** What else was given. As in a Go map, the last one of a key counts. */
  readonly attributes: ReadonlyMap<string, string>;
}

/** Where the build's result goes. */
export interface Destination {
  /**
   * `runtime`: into the node, the default. `image`: an image, in a registry or in the builder.
   * `archive`: an image as a tar file (type oci or docker). `files`: no image at all (type local or tar).
   */
  readonly kind: 'runtime' | 'image' | 'archive' | 'files';
  /** Whether the result itself goes to standard output. */
  readonly stdout: boolean;
}

const TYPES: readonly string[] = ['image', 'registry', 'local', 'tar', 'oci', 'docker'];
/** What the BuildKit inside dockerd calls its own images. */
const INNER = 'moby';

/** By the rules of docker buildx (ParseExports and CreateExports), which kubectl build shares. Throws `usage`. */
export function readOutput(outputs: readonly string[]): Output | undefined {
  const [spec, ...others] = outputs.filter((output) => output !== '');
  if (spec === undefined) return undefined;
  if (others.length > 0) {
    throw new TiltbuildError('usage', 'A build has only one --output.', {
      remedy: ['Run one build for each output; all but the first are cached.'],
    });
  }
  const fields = readCsvRecord(spec);
  if (fields === undefined) throw invalidOutput('unbalanced quotes');
  // In quotes, a single field is not a path.
  if (fields.length === 1 && fields[0] === spec && !spec.startsWith('type='))
    return {type: spec === '-' ? 'tar' : 'local', dest: spec, attributes: new Map()};

  const attributes = new Map<string, string>();
  for (const {key, value} of fields.map(splitKeyValue)) {
    if (value === undefined) throw invalidOutput('expected key=value pairs');
    attributes.set(key.trim().toLowerCase(), value);
  }
  const {type, dest} = Object.fromEntries(attributes) as Partial<Record<string, string>>;
  if (!type) throw invalidOutput('type= is missing');
  if (!TYPES.includes(type) && type !== INNER) throw invalidOutput(`its type is none of ${TYPES.join(', ')}`);
  attributes.delete('type');
  attributes.delete('dest');
  const form = formOf({type, attributes});
  if (form === undefined) return {type, attributes};
  if (form === 'tree' && (!dest || dest === '-'))
    throw invalidOutput(`${type} needs a directory, with dest=DIRECTORY`);
  return {type, dest: dest || '-', attributes};
}

/** Whether the result goes to a registry. */
export function isPushed(output: Output | undefined, push: boolean): boolean {
  return push || output?.type === 'registry' || output?.attributes.get('push') === 'true';
}

export function destinationOf(output: Output | undefined, push: boolean): Destination {
  const stdout = output?.dest === '-';
  switch (output?.type) {
    case undefined:
      return {kind: push ? 'image' : 'runtime', stdout};
    case 'local':
    case 'tar':
      return {kind: 'files', stdout};
    case 'oci':
    case 'docker':
      return {kind: 'archive', stdout};
    default:
      return {kind: 'image', stdout};
  }
}

/** How BuildKit sends the result back; undefined where it does not. */
export function formOf({
  type,
  attributes,
}: Pick<Output, 'type' | 'attributes'>): 'tree' | 'archive' | undefined {
  switch (type) {
    case 'local':
      return 'tree';
    case 'tar':
      return 'archive';
    case 'oci':
    case 'docker':
      return /^(?:0|f|false)$/i.test(attributes.get('tar') ?? '') ? 'tree' : 'archive';
    default:
      return undefined;
  }
}

/** As a value of `--output`. */
export function writeOutput({type, dest, attributes}: Output): string {
  const fields = [['type', type], ...(dest === undefined ? [] : [['dest', dest]]), ...attributes];
  return writeCsvRecord(fields.map(([key, value]) => `${key}=${value}`));
}

/** Throws `usage` where the output cannot be written; changes nothing. */
export function checkOutput(output: Output, files: Files): void {
  const {dest} = output;
  const form = formOf(output);
  if (dest === undefined || dest === '-' || form === undefined) return;
  const kind = files.kindOf(dest);
  if (form === 'tree') checkDirectory('--output', dest, files);
  else if (kind === 'directory') throw unwritable('--output', dest, 'it is a directory');
  // A FIFO or a device is written to as it is.
  else if (kind !== 'other') checkPlace('--output', dest, files.dirname(dest), files);
}

/** The same for a directory, which is created with all that are missing above it. */
export function checkDirectory(name: string, path: string, files: Files): void {
  const kind = files.kindOf(path);
  if (kind !== 'directory' && kind !== 'missing') throw unwritable(name, path, 'it is not a directory');
  let place = path;
  while (files.kindOf(place) === 'missing' && files.dirname(place) !== place) place = files.dirname(place);
  checkPlace(name, path, place, files);
}

function checkPlace(name: string, path: string, place: string, files: Files): void {
  const kind = files.kindOf(place);
  if (kind === 'missing') throw unwritable(name, path, `there is no directory "${place}"`);
  if (kind !== 'directory') throw unwritable(name, path, `"${place}" is not a directory`);
  if (!files.isWritableDirectory(place)) throw unwritable(name, path, `"${place}" is not writable`);
}

function unwritable(name: string, path: string, why: string): TiltbuildError {
  return new TiltbuildError('usage', `${name} "${path}" cannot be written: ${why}.`);
}

/** Throws `usage` where an archive would fill a terminal. */
export function checkStandardOutput(output: Output | undefined, {resultTerminal}: Surroundings): void {
  if (output?.dest !== '-' || !resultTerminal()) return;
  throw new TiltbuildError(
    'usage',
    `--output type=${output.type} writes an archive to standard output, which is a terminal.`,
    {
      remedy: [
        advise`Redirect standard output to a file or a program, or name a file: ${flag('output', `type=${output.type},dest=FILE`)}`,
      ],
    },
  );
}

/** Does not repeat the value, which may hold a login. */
function invalidOutput(reason: string): TiltbuildError {
  return new TiltbuildError('usage', `Invalid --output value: ${reason}.`, {
    remedy: [advise`For example: ${flag('output', 'type=local,dest=DIRECTORY')}`],
  });
}
