/** Owns reading the inputs of a build that can be read only once, and private copies of those that the plugin reads. */
import {withText} from '../../context/directory.ts';
import type {ContextFiles} from '../../context/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Files, Input} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {describeSystemError} from '../../system-error.ts';
import {advise, flag} from '../../text/advice.ts';
import {hideSecret} from '../../text/mask-secrets.ts';
import type {BuildRequest} from '../build-request.ts';
import type {LocalContext} from './local-context.ts';
import {type BuildSecret, placeSecrets} from './secrets.ts';

/** What writes staged inputs. In a dry run it does nothing. */
export interface Staging {
  readonly disk: Pick<Files, 'writePrivate' | 'writePrivateChunks'>;
  readonly input: Input;
}

interface Place extends Staging {
  /** For reading only. */
  readonly files: Files;
  /** Makes the path of a file in the build's private directory. */
  readonly privatePath: (name: string) => string;
  /** The same for a file that may be large. */
  readonly spoolPath: (name: string) => string;
}

/** What came from the environment or standard input. */
interface ReadInputs {
  /** The text of the Dockerfile, where it is in neither the context nor a file, or not as it is there. */
  readonly dockerfile?: string;
  /** The private file that holds standard input, where that is the context. */
  readonly input?: string;
}

/** All that a build reads; `local` is undefined where the context is no local directory. */
export interface BuildInputs extends ReadInputs {
  readonly local?: LocalContext;
}

/** Standard input is kept, since a second pass or another attempt reads it again. Throws `usage`. */
export async function readInputs(
  {context, file, fileVariable}: BuildRequest,
  {env}: Pick<Surroundings, 'env'>,
  {files, contexts, input, spoolPath}: Place & {readonly contexts: ContextFiles},
): Promise<ReadInputs> {
  if (fileVariable !== undefined) return {dockerfile: readDockerfileVariable(fileVariable, env)};
  if (context !== '-' && file !== '-') return {};
  const kept = spoolPath('standard-input');
  await input.save(kept);
  // In a dry run it is not read.
  if (files.kindOf(kept) === 'file' && sizeOf(kept, contexts) === 0) {
    const missing = context === '-' ? 'neither an archive nor a Dockerfile' : 'no Dockerfile';
    throw new TiltbuildError('usage', `Standard input is empty: there is ${missing} on it.`);
  }
  return context === '-' ? {input: kept} : {dockerfile: (await files.readText(kept)) ?? ''};
}

/**
 * What is no regular file can be read only once, and perhaps by us alone, as the FIFO of a shell's `<(…)`: the build gets
 * a private copy of such a secret.
 */
export async function keepSecrets(
  secrets: readonly BuildSecret[],
  {files, disk, privatePath}: Place,
): Promise<readonly BuildSecret[]> {
  return await Promise.all(
    secrets.map(async (secret, index) => {
      if (secret.kind !== 'file' || files.kindOf(secret.path) !== 'other') return secret;
      const copy = privatePath(`secret-copy-${index}`);
      // A dry run does not read it.
      const content = async function* () {
        yield await files.readBytes(secret.path);
      };
      await disk.writePrivateChunks(copy, content());
      return {...secret, path: copy};
    }),
  );
}

/** Under what name the plugin gets a Dockerfile that is not in the context. */
const ADDED = '.kubectl-tiltbuild.Dockerfile';

/** The inputs as the plugin gets them. */
export interface StagedInputs extends Pick<BuildRequest, 'context' | 'file'> {
  /** `--secret` values for kubectl build. */
  readonly secretSpecs: readonly string[];
  /** The file for its standard input. */
  readonly input?: string;
}

/**
 * Writes into the private directory what kubectl build reads. A local context goes as an archive: kubectl build would
 * sync it into one copy for all projects on the builder, in which files of the same path, size and time are mixed up.
 */
export async function stageForPlugin(
  request: BuildRequest,
  secrets: readonly BuildSecret[],
  {dockerfile: text, input, local}: BuildInputs,
  {files, disk, privatePath, spoolPath}: Place,
): Promise<StagedInputs> {
  const placed = placeSecrets(secrets, privatePath);
  for (const {file} of placed) if (file) await disk.writePrivate(file.path, file.text);
  const secretSpecs = placed.map(({spec}) => spec);
  const {context, file} = request;
  if (local === undefined) return {context, file, secretSpecs, ...(input !== undefined && {input})};

  const archive = spoolPath('context.tar');
  const {archiveContext} = await import('../../context/archive.ts');
  const {directory: folder = '', name: own = '', sentAs = ADDED} = local.dockerfile ?? {};
  const added = text ?? (sentAs === ADDED ? await files.readText(files.join(folder, own)) : undefined);
  const directory =
    added === undefined ? local.directory : withText(local.directory, sentAs, added, {modified: 0n});
  await disk.writePrivateChunks(archive, archiveContext(directory, local.ignored));
  return {
    context: '-',
    file: file === undefined && sentAs === 'Dockerfile' ? undefined : sentAs,
    secretSpecs,
    input: archive,
  };
}

/** `--file-env`. Throws `usage`. */
export function readDockerfileVariable(variable: string, env: Surroundings['env']): string {
  const text = env[variable];
  if (text) return text;
  throw new TiltbuildError(
    'usage',
    `--file-env ${hideSecret(variable)}: the environment variable ${hideSecret(variable)} is ${text === undefined ? 'not set' : 'empty'}.`,
    {
      remedy: [
        advise`Set ${hideSecret(variable)} to the text of the Dockerfile, or pass a file with ${flag('file')}.`,
      ],
    },
  );
}

function sizeOf(kept: string, contexts: ContextFiles): number {
  try {
    return contexts.lstat(kept).size;
  } catch (error) {
    throw describeSystemError(error, 'the private copy of standard input');
  }
}
