/** Owns where the plugin runs, and its paths as seen from there. */
import {basename, delimiter, resolve} from 'node:path';
import type {Surroundings} from '../../../surroundings.ts';
import {readCsvRecord, writeCsvRecord} from '../../../text/csv-fields.ts';
import {splitKeyValue} from '../../../text/key-value.ts';
import {formOf, type Output} from '../../inputs/outputs.ts';

/** Where the plugin runs. Its paths are absolute in any case, but for those behind `--`, which nobody has read. */
export interface PluginPlace {
  /** Undefined for our own current directory. */
  readonly cwd: string | undefined;
  /** Changes to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Our own current directory, since a login plugin may have arguments that are relative to it. But the plugin sends the
 * name of its directory in a header, which has to be ASCII (recordings, cwd-not-ascii). Go prefers the name in PWD.
 */
export function choosePlace(
  {cwd, env}: Pick<Surroundings, 'cwd' | 'env'>,
  privatePath: (name: string) => string,
): PluginPlace {
  const {PWD = cwd, KUBECONFIG} = env;
  if ([cwd, PWD].every((path) => /^[\x20-\x7e]*$/.test(basename(path)))) return {cwd: undefined, env: {}};
  const paths = KUBECONFIG?.split(delimiter).map((path) => path && resolve(cwd, path));
  return {cwd: privatePath(''), env: paths === undefined ? {} : {KUBECONFIG: paths.join(delimiter)}};
}

export function placeOutput(output: Output, cwd: string): Output {
  const {dest} = output;
  if (dest === undefined || dest === '-' || formOf(output) === undefined) return output;
  return {...output, dest: resolve(cwd, dest)};
}

/** One flag with all its values, `['--ssh', 'ID=KEY', '--ssh', …]`. */
export function placeFlag(words: readonly string[], cwd: string): readonly string[] {
  const place = PATHS.get(words[0] ?? '');
  return place === undefined
    ? words
    : words.map((word, index) => (index % 2 === 1 ? place(word, (path) => resolve(cwd, path)) : word));
}

type Absolute = (path: string) => string;

/** The flags that can name a path on this machine. */
const PATHS: ReadonlyMap<string, (value: string, absolute: Absolute) => string> = new Map([
  ['--ssh', placeKeys],
  ['--cache-from', placeCache],
  ['--cache-to', placeCache],
]);

function placeKeys(spec: string, absolute: Absolute): string {
  const {key, value} = splitKeyValue(spec);
  return value ? `${key}=${value.split(',').map(absolute).join(',')}` : spec;
}

function placeCache(spec: string, absolute: Absolute): string {
  const fields = readCsvRecord(spec)?.map(splitKeyValue) ?? [];
  const isLocal = fields.some(({key, value}) => key.toLowerCase() === 'type' && value === 'local');
  if (!isLocal) return spec;
  return writeCsvRecord(
    fields.map(({key, value}) => {
      if (value === undefined) return key;
      return `${key}=${/^(?:src|dest)$/i.test(key) ? absolute(value) : value}`;
    }),
  );
}
