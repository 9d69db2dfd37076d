/**
 * Owns `--secret`: which values the delegate takes as they are, and which name an environment variable and so
 * have to become a private file first (`env=` is refused by kubectl build: recordings, secret-env).
 */
import {TiltbuildError} from '../../errors.ts';
import {readCsvFields, writeCsvRecord} from '../../text/csv-fields.ts';
import type {KeyValue} from '../../text/key-value.ts';

export type BuildSecret =
  /** Handed on byte for byte. */
  | {readonly kind: 'verbatim'; readonly spec: string}
  /** The value of an environment variable; `value` never leaves this process but into a private file. */
  | {readonly kind: 'environment'; readonly id: string; readonly value: string};

/** What is needed to know of the surroundings: the environment, and which paths exist. */
export interface SecretSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly exists: (path: string) => boolean;
}

/**
 * Reads one `--secret` value by docker's rules (buildx, ParseSecretSpecs): `id=ID,src=FILE`, `id=ID,env=VAR`,
 * `type=env,id=ID[,src=VAR]`, and `id=NAME` alone, which is the variable NAME if it is set, else the file NAME.
 * Throws `usage` for a form that docker refuses, `build-secret-missing` for a variable or file that is not there.
 */
export function readBuildSecret(spec: string, sources: SecretSources): BuildSecret {
  const fields = readCsvFields(spec);
  if (fields === undefined) throw invalidSecret('its quotes do not match');
  const {id, source, variable, type} = readFields(fields);
  if (!id) throw invalidSecret('it has no id=');

  const named = variable || (type === 'env' ? source || id : undefined);
  if (named !== undefined) return fromEnvironment(id, named, sources);
  if (source) {
    if (!sources.exists(source)) throw missingFile(id, source);
    // An empty env= is none, but kubectl build refuses the key itself.
    return {kind: 'verbatim', spec: variable === undefined ? spec : secretFileSpec(id, source)};
  }
  if (type === undefined && sources.env[id] !== undefined) return fromEnvironment(id, id, sources);
  if (!sources.exists(id)) {
    throw new TiltbuildError(
      'build-secret-missing',
      `--secret id=${id}: there is neither an environment variable nor a file called "${id}".`,
      {
        remedy: [
          `Set ${id}, or name the source: --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE.`,
        ],
      },
    );
  }
  return {kind: 'verbatim', spec: secretFileSpec(id, id)};
}

/** What the delegate is told of a secret, and the private file that has to be there for it. */
export interface PlacedSecret {
  readonly spec: string;
  readonly file?: {readonly path: string; readonly text: string};
}

/** `privatePath` makes the path of a file in this run's private directory from its name there. */
export function placeSecrets(
  secrets: readonly BuildSecret[],
  privatePath: (name: string) => string,
): readonly PlacedSecret[] {
  return secrets.map((secret, index) => {
    if (secret.kind === 'verbatim') return {spec: secret.spec};
    const path = privatePath(`secret-${index}`);
    return {spec: secretFileSpec(secret.id, path), file: {path, text: secret.value}};
  });
}

/** The `--secret` value for a secret that lies in `path`. */
export function secretFileSpec(id: string, path: string): string {
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
    if (value === undefined) throw invalidSecret('a part of it is not of the form key=value');
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
        if (value !== 'file' && value !== 'env') throw invalidSecret('its type= is neither file nor env');
        read.type = value;
        break;
      default:
        throw invalidSecret('it has a key that is none of id, src, env, type');
    }
  }
  return read;
}

function fromEnvironment(id: string, variable: string, {env}: SecretSources): BuildSecret {
  const value = env[variable];
  if (value === undefined) {
    throw new TiltbuildError(
      'build-secret-missing',
      `--secret id=${id}: the environment variable ${variable} is not set.`,
      {remedy: [`Set ${variable} in the environment of kubectl tiltbuild.`]},
    );
  }
  return {kind: 'environment', id, value};
}

function missingFile(id: string, path: string): TiltbuildError {
  return new TiltbuildError('build-secret-missing', `--secret id=${id}: there is no file "${path}".`, {
    remedy: ['A relative path is looked up from the current directory.'],
  });
}

/** Never shows what was typed: whoever gets the form wrong may have put the secret itself there. */
function invalidSecret(reason: string): TiltbuildError {
  return new TiltbuildError('usage', `A --secret value cannot be read: ${reason}.`, {
    remedy: ['It takes id=ID,src=FILE or id=ID,env=VARIABLE.'],
  });
}
