/**
 * Owns `--secret`: kubectl build accepts files as they are, but refuses `env=` (recordings, secret-env), so the value
 * of an environment variable becomes a private file.
 */
import {resolve} from 'node:path';
import {TiltbuildError} from '../../errors.ts';
import {advise, flag} from '../../text/advice.ts';
import {readCsvFields, writeCsvRecord} from '../../text/csv-fields.ts';
import type {KeyValue} from '../../text/key-value.ts';
import {hideSecret, looksLikeVariable} from '../../text/mask-secrets.ts';

export type BuildSecret =
  /** `path` is absolute. */
  | {readonly kind: 'file'; readonly id: string; readonly path: string}
  /** The value of an environment variable; `value` leaves this process only in a private file. */
  | {
      readonly kind: 'environment';
      readonly id: string;
      readonly variable: string;
      readonly value: string;
    };

/** Where a secret can come from: the environment, and the files that exist. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly exists: (path: string) => boolean;
}

/** As with docker, an empty value is none, and of several secrets with one id the last one counts. */
export function readBuildSecrets(specs: readonly string[], sources: SecretSources): readonly BuildSecret[] {
  const secrets = specs.filter((spec) => spec !== '').map((spec) => readBuildSecret(spec, sources));
  return [...new Map(secrets.map((secret) => [secret.id, secret])).values()];
}

/**
 * Reads one `--secret` value by the rules of docker (buildx's parser and BuildKit's secretsprovider): the variable of
 * `env=`, the file of `src=`, and without either the variable named like the secret, else the file of that name. `type=`
 * changes only one thing: with `type=env`, `src=` names a variable. A file that is named must exist even if the variable
 * counts. Unlike docker, which passes on an empty secret, it takes an unset variable for an error.
 */
export function readBuildSecret(spec: string, sources: SecretSources): BuildSecret {
  const fields = readCsvFields(spec);
  if (fields === undefined) throw invalidSecret('unbalanced quotes');
  const {id, source, variable, type} = readFields(fields);
  if (!id) throw invalidSecret('id= is missing');

  const [named, path] = type === 'env' && !variable ? [source, undefined] : [variable, source];
  if (path && !sources.exists(path)) throw missingFile(id, path);
  if (named) return fromEnvironment(id, named, sources);
  if (path) return fileSecret(id, path, sources);
  if (sources.env[id] !== undefined) return fromEnvironment(id, id, sources);
  if (sources.exists(id)) return fileSecret(id, id, sources);
  const shown = hideSecret(id);
  throw new TiltbuildError(
    'build-secret-missing',
    `--secret id=${shown}: there is no environment variable and no file named "${shown}".`,
    {
      remedy: [
        advise`Set ${shown}, or name the source: ${flag('secret', `id=${shown},src=FILE`)} or ${flag('secret', `id=${shown},env=VARIABLE`)}.`,
      ],
    },
  );
}

function fileSecret(id: string, path: string, {cwd}: SecretSources): BuildSecret {
  return {kind: 'file', id, path: resolve(cwd, path)};
}

/** A `--secret` value for kubectl build, and the private file that it names. */
export interface PlacedSecret {
  readonly spec: string;
  readonly file?: {readonly path: string; readonly text: string};
}

/** `privatePath` makes the path of a file in the build's private directory. */
export function placeSecrets(
  secrets: readonly BuildSecret[],
  privatePath: (name: string) => string,
): readonly PlacedSecret[] {
  return secrets.map((secret, index) => {
    if (secret.kind === 'file') return {spec: secretFileSpec(secret.id, secret.path)};
    const path = privatePath(`secret-${index}`);
    return {spec: secretFileSpec(secret.id, path), file: {path, text: secret.value}};
  });
}

/** The `--secret` value for a secret in the file `path`. */
function secretFileSpec(id: string, path: string): string {
  return writeCsvRecord([`id=${id}`, `src=${path}`]);
}

interface SecretFields {
  id?: string;
  source?: string;
  variable?: string;
  type?: 'file' | 'env';
}

function readFields(fields: readonly KeyValue[]): SecretFields {
  const read: SecretFields = {};
  for (const {key, value} of fields) {
    if (value === undefined) throw invalidSecret('expected key=value pairs');
    switch (key.toLowerCase()) {
      case 'id':
        read.id = value;
        break;
      case 'src':
      case 'source':
        read.source = value;
        break;
      case 'env':
        read.variable = value;
        break;
      case 'type':
        if (value !== 'file' && value !== 'env') throw invalidSecret('type= must be file or env');
        read.type = value;
        break;
      default:
        throw invalidSecret('unknown key; use id, src, env or type');
    }
  }
  return read;
}

function fromEnvironment(id: string, variable: string, {env}: SecretSources): BuildSecret {
  const value = env[variable];
  if (value === undefined) {
    const start = `--secret id=${hideSecret(id)}:`;
    // Behind env=$TOKEN stands the secret, if the shell has expanded it.
    if (variable !== id && !looksLikeVariable(variable))
      throw new TiltbuildError(
        'build-secret-missing',
        `${start} env= does not name a variable that is set.`,
        {
          remedy: [
            advise`Pass the name of an environment variable, without a $ in front of it: ${flag('secret', 'id=ID,env=VARIABLE')}`,
          ],
        },
      );
    const shown = hideSecret(variable);
    throw new TiltbuildError(
      'build-secret-missing',
      `${start} the environment variable ${shown} is not set.`,
      {remedy: [`Set ${shown} in the environment that kubectl tiltbuild, or Tilt, is started in.`]},
    );
  }
  return {kind: 'environment', id, variable, value};
}

function missingFile(id: string, path: string): TiltbuildError {
  return new TiltbuildError(
    'build-secret-missing',
    `--secret id=${hideSecret(id)}: there is no file "${hideSecret(path)}".`,
    {
      remedy: ['The path is relative to the current directory.'],
    },
  );
}

/** Never repeats the value: somebody who gets the form wrong may have typed the secret itself. */
function invalidSecret(reason: string): TiltbuildError {
  return new TiltbuildError('usage', `Invalid --secret value: ${reason}.`, {
    remedy: [advise`Use ${flag('secret', 'id=ID,src=FILE')} or ${flag('secret', 'id=ID,env=VARIABLE')}.`],
  });
}
