/** Owns the check of the build context before anything is started. */
import {TiltbuildError} from '../errors.ts';
import type {BuildRequest} from './build-request.ts';
import type {Files} from './ports.ts';

/** What docker, and kubectl build with it, takes for a remote context (docker's urlutil). */
const REMOTE = /^(?:https?:\/\/|git:\/\/|github\.com\/|git@)/;

/** Throws `usage` for a context that is not there, or that cannot go with the Dockerfile's source. */
export function checkContext({context, file}: Pick<BuildRequest, 'context' | 'file'>, files: Files): void {
  if (context === '-') {
    if (file === '-') {
      throw new TiltbuildError(
        'usage',
        'The build context and the Dockerfile cannot both come from standard input.',
        {
          remedy: ['Give one of them as a path.'],
        },
      );
    }
    return;
  }
  const kind = files.kindOf(context);
  if (kind === 'directory') return;
  if (kind === 'file') {
    throw new TiltbuildError('usage', `The build context "${context}" is a file; it has to be a directory.`, {
      remedy: [
        `For a Dockerfile of that name: kubectl tiltbuild --file ${context} .`,
        'For an archive: kubectl tiltbuild - < FILE',
      ],
    });
  }
  if (!REMOTE.test(context)) {
    throw new TiltbuildError('usage', `There is no directory "${context}" to build.`, {
      remedy: [
        'The last argument is the build context: a directory (often .), a Git or HTTP URL, or - for standard input.',
      ],
    });
  }
  if (file === '-') {
    throw new TiltbuildError(
      'usage',
      'A Dockerfile from standard input cannot go with a remote build context.',
    );
  }
}
