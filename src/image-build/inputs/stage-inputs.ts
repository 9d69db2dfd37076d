/**
 * Owns the private copies of inputs: a Dockerfile from the environment, one that gets an ignore file of its own, and
 * standard input that a second pass needs again.
 */
import {TiltbuildError} from '../../errors.ts';
import type {Files, Input} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {reasonOf} from '../../system-error.ts';
import {advise, flag} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';
import {type BuildSecret, placeSecrets} from './secrets.ts';

/** A request whose inputs every pass can read. */
export interface StagedInputs {
  readonly request: BuildRequest;
  /** `--secret` values for kubectl build. */
  readonly secretSpecs: readonly string[];
  /** The file for kubectl build's standard input; undefined: our own. */
  readonly input?: string;
}

/** What writes staged inputs. In a dry run it does nothing. */
export interface Staging {
  readonly disk: Pick<Files, 'writePrivate' | 'copyPrivate' | 'makeDirectory'>;
  readonly input: Input;
}

interface Place extends Staging {
  /** For reading only. */
  readonly files: Files;
  readonly surroundings: Surroundings;
  /** Makes the path of a file or directory in the build's private directory. */
  readonly privatePath: (name: string) => string;
}

/**
 * Writes what is needed into the private directory. BuildKit reads `<Dockerfile>.dockerignore` beside a Dockerfile
 * before the context's own, so the context is never copied, and its ignore rules may exclude the Dockerfile.
 */
export async function stageInputs(
  request: BuildRequest,
  secrets: readonly BuildSecret[],
  place: Place,
): Promise<StagedInputs> {
  const {disk, input, privatePath} = place;
  const placed = placeSecrets(secrets, privatePath);
  for (const {file} of placed) if (file) await disk.writePrivate(file.path, file.text);
  const secretSpecs = placed.map(({spec}) => spec);

  if (request.context === '-') {
    if (request.contentName === undefined) return {request, secretSpecs};
    const archive = privatePath('context');
    await input.save(archive);
    return {request, secretSpecs, input: archive};
  }
  return {request: {...request, file: await stageDockerfile(request, place)}, secretSpecs};
}

/** Gives the path of the Dockerfile for kubectl build; undefined for the usual one. */
async function stageDockerfile(request: BuildRequest, place: Place): Promise<string | undefined> {
  const {files, disk, privatePath, surroundings} = place;
  const isFiltered = request.ignore.length > 0 || request.only.length > 0;
  const isReadTwice = request.file === '-' && request.contentName !== undefined;
  if (!isFiltered && request.fileVariable === undefined && !isReadTwice) return request.file;

  // In a directory of its own, since the builder can read every file beside the Dockerfile.
  const directory = privatePath('dockerfile');
  await disk.makeDirectory(directory);
  const {name, original} = await writeDockerfile(request, directory, place);
  const file = files.join(directory, name);
  if (isFiltered) {
    const ignoreFile = await readIgnoreFile(request.context, original, files);
    const {ignore, only} = request;
    const {composeIgnoreList} = await import('./ignore/compose-ignore-list.ts');
    const text = composeIgnoreList({file: ignoreFile, ignore, only, platform: surroundings.platform});
    await disk.writePrivate(`${file}.dockerignore`, text);
  }
  return file;
}

/** Gives its name there, and the path of the original. */
async function writeDockerfile(
  {context, file, fileVariable}: BuildRequest,
  directory: string,
  {files, disk, input, surroundings: {env}}: Place,
): Promise<{readonly name: string; readonly original?: string}> {
  const name = 'Dockerfile';
  if (fileVariable !== undefined) {
    await disk.writePrivate(files.join(directory, name), readVariable(fileVariable, env));
    return {name};
  }
  if (file === '-') {
    await input.save(files.join(directory, name));
    return {name};
  }
  const original = file ?? findDockerfile(context, files);
  if (files.kindOf(original) !== 'file') {
    throw new TiltbuildError('usage', `There is no Dockerfile "${original}".`, {
      remedy: [advise`Pass its path with ${flag('file')}, relative to the current directory.`],
    });
  }
  // BuildKit's messages name the Dockerfile by this.
  const own = files.basename(original);
  await disk.copyPrivate(original, files.join(directory, own));
  return {name: own, original};
}

/** As BuildKit does: it takes a lower-case one where there is no other. */
export function findDockerfile(context: string, files: Pick<Files, 'join' | 'kindOf'>): string {
  const [usual = '', lower = ''] = ['Dockerfile', 'dockerfile'].map((name) => files.join(context, name));
  return files.kindOf(usual) !== 'file' && files.kindOf(lower) === 'file' ? lower : usual;
}

function readVariable(variable: string, env: Surroundings['env']): string {
  const text = env[variable];
  if (text) return text;
  throw new TiltbuildError(
    'usage',
    `--file-env ${variable}: the environment variable ${variable} is ${text === undefined ? 'not set' : 'empty'}.`,
    {remedy: [advise`Set ${variable} to the text of the Dockerfile, or pass a file with ${flag('file')}.`]},
  );
}

/** Reads the Dockerfile's own ignore file or else the context's, as BuildKit does. */
export async function readIgnoreFile(
  context: string,
  dockerfile: string | undefined,
  files: Pick<Files, 'join' | 'readText'>,
): Promise<{readonly text: string; readonly source: string} | undefined> {
  const places = [
    ...(dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`]),
    files.join(context, '.dockerignore'),
  ];
  for (const source of places) {
    const text = await readIfThere(source, files);
    if (text !== undefined) return {text, source};
  }
  return undefined;
}

async function readIfThere(path: string, files: Pick<Files, 'readText'>): Promise<string | undefined> {
  try {
    return await files.readText(path);
  } catch (cause) {
    throw new TiltbuildError('usage', `Could not read the ignore file "${path}": ${reasonOf(cause)}.`, {
      cause,
    });
  }
}
