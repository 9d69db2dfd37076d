/** Owns the files that a user asked the result to be written to: checked and cleared before, written after. */
import {TiltbuildError} from '../errors.ts';
import type {Files} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import type {BuildRequest} from './build-request.ts';
import {type BuildResult, formatMetadata} from './build-result.ts';

/** A file to be written, and the flag that asked for it. */
export interface NamedFile {
  readonly flag: string;
  readonly path: string;
  /** Whether the directories above it are made. */
  readonly makesDirectory?: boolean;
}

export interface ResultFile extends NamedFile {
  readonly format: (result: BuildResult) => string;
}

/** The files that `request` asks for. */
export function resultFiles({iidFile, metadataFile, contentName}: BuildRequest): readonly ResultFile[] {
  const wanted: readonly (Omit<ResultFile, 'path'> & {readonly path: string | undefined})[] = [
    // docker's image ID file has no newline, and Tilt's reference file needs none.
    {flag: '--iidfile', path: iidFile, format: ({digest}) => digest ?? ''},
    {flag: '--metadata-file', path: metadataFile, format: formatMetadata},
    // It is a Tiltfile that names it, and a Tiltfile can make no directory.
    {
      flag: '--ref-file',
      path: contentName?.file,
      makesDirectory: true,
      format: ({reference}) => reference ?? '',
    },
  ];
  return wanted.filter((file): file is ResultFile => file.path !== undefined);
}

/** Throws `usage` where `file` cannot be written; nothing is changed. */
export function checkResultFile({flag, path, makesDirectory}: NamedFile, files: Files): void {
  const directory = files.dirname(path);
  const kind = files.kindOf(directory);
  if (files.kindOf(path) === 'directory') throw unusable(flag, path, 'it is a directory');
  if (makesDirectory && kind === 'missing') return;
  if (kind !== 'directory') throw unusable(flag, path, `there is no directory "${directory}"`);
  if (!files.isWritableDirectory(directory))
    throw unusable(flag, path, `"${directory}" may not be written to`);
}

/**
 * Makes sure before the build that `file` can be written after it, and removes an older one, so that a build
 * that fails leaves no result of an earlier one behind. Throws `usage`.
 */
export async function prepareResultFile(file: NamedFile, files: Files): Promise<void> {
  const {flag, path, makesDirectory} = file;
  if (makesDirectory && files.kindOf(files.dirname(path)) === 'missing')
    await makeDirectory(flag, path, files);
  checkResultFile(file, files);
  await files.remove(path);
}

/** Writes it whole or not at all. Throws `result-not-written`. */
export async function writeResultFile({flag, path}: NamedFile, text: string, files: Files): Promise<void> {
  try {
    await files.replace(path, text);
  } catch (cause) {
    throw new TiltbuildError(
      'result-not-written',
      `The image is built, but ${flag} "${path}" could not be written.`,
      {
        detail: [cause instanceof Error ? cause.message : String(cause)],
        cause,
      },
    );
  }
}

async function makeDirectory(flag: string, path: string, files: Files): Promise<void> {
  try {
    await files.makeDirectory(files.dirname(path));
  } catch (error) {
    throw unusable(flag, path, `"${files.dirname(path)}" cannot be made, as ${reasonOf(error)}`);
  }
}

function unusable(flag: string, path: string, why: string): TiltbuildError {
  return new TiltbuildError('usage', `${flag} "${path}" cannot be written: ${why}.`);
}
