/** Owns the check of the build context before anything starts. */
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import {advise, command} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';

/** What docker, and kubectl build like it, takes for a remote context (docker's urlutil). */
const REMOTE = /^(?:https?:\/\/|git:\/\/|github\.com\/|git@)/;

type Inputs = Pick<BuildRequest, 'context' | 'file' | 'fileVariable' | 'baseImages' | 'only' | 'ignore'>;

/** Throws `usage` for a context that does not exist, or that does not work with the Dockerfile's source or a filter. */
export function checkContext({context, file, ...others}: Inputs, files: Files): void {
  if (context === '-') {
    refuseLocalOnly(others);
    if (file === '-') {
      throw new TiltbuildError(
        'usage',
        'The build context and the Dockerfile cannot both come from standard input.',
        {remedy: ['Pass a path for one of them.']},
      );
    }
    return;
  }
  const kind = files.kindOf(context);
  if (kind === 'directory') return;
  if (kind === 'file') {
    throw new TiltbuildError('usage', `The build context "${context}" is a file, not a directory.`, {
      remedy: [
        advise`To use it as the Dockerfile: ${command('kubectl', 'tiltbuild', '--file', context, '.')}`,
        'To build from an archive, pass - as the build context and the archive on standard input.',
      ],
    });
  }
  if (!REMOTE.test(context)) {
    throw new TiltbuildError('usage', `The build context "${context}" does not exist.`, {
      remedy: [
        'The last argument is the build context: a directory (often .), a Git or HTTP URL, or - for standard input.',
        advise`To list the commands and flags: ${command('kubectl', 'tiltbuild', '--help')}`,
      ],
    });
  }
  if (file === '-') {
    throw new TiltbuildError(
      'usage',
      'A Dockerfile on standard input does not work with a remote build context.',
    );
  }
  refuseLocalOnly(others);
}

/** BuildKit fetches other contexts itself, and reads the Dockerfile and the ignore file in them. */
function refuseLocalOnly({baseImages, fileVariable, only, ignore}: Omit<Inputs, 'context' | 'file'>): void {
  const flag =
    (baseImages.length > 0 && '--base-image') ||
    (fileVariable !== undefined && '--file-env') ||
    (only.length > 0 && '--only') ||
    (ignore.length > 0 && '--ignore');
  if (flag) throw new TiltbuildError('usage', `${flag} needs a local directory as the build context.`);
}
