/** Owns the files that a user asked the result to be written to: checked and cleared before, written after. */
import {TiltbuildError} from '../errors.ts';
import type {Files} from './ports.ts';

/** A file to be written, and the flag that asked for it. */
export interface ResultFile {
  readonly flag: string;
  readonly path: string;
}

/**
 * Makes sure before the build that `file` can be written after it, and removes an older one, so that a build
 * that fails leaves no result of an earlier one behind. Throws `usage`.
 */
export async function prepareResultFile({flag, path}: ResultFile, files: Files): Promise<void> {
  const directory = files.dirname(path);
  if (files.kindOf(path) === 'directory') throw unusable(flag, path, 'it is a directory');
  if (files.kindOf(directory) !== 'directory')
    throw unusable(flag, path, `there is no directory "${directory}"`);
  if (!files.isWritableDirectory(directory))
    throw unusable(flag, path, `"${directory}" may not be written to`);
  await files.remove(path);
}

/** Writes it whole or not at all. Throws `result-not-written`. */
export async function writeResultFile({flag, path}: ResultFile, text: string, files: Files): Promise<void> {
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

function unusable(flag: string, path: string, why: string): TiltbuildError {
  return new TiltbuildError('usage', `${flag} "${path}" cannot be written: ${why}.`);
}
