/** Owns the check of the build context before anything is started. */
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import type {BuildRequest} from '../build-request.ts';

/** What docker, and kubectl build with it, takes for a remote context (docker's urlutil). */
const REMOTE = /^(?:https?:\/\/|git:\/\/|github\.com\/|git@)/;

type Inputs = Pick<BuildRequest, 'context' | 'file' | 'fileVariable' | 'only' | 'ignore'>;

/** Throws `usage` for a context that is not there, or that cannot go with the Dockerfile's source or a filter. */
export function checkContext({context, file, ...others}: Inputs, files: Files): void {
  if (context === '-') {
    refuseLocalOnly(others);
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
  refuseLocalOnly(others);
}

/** What needs a directory: BuildKit fetches other contexts itself, and reads Dockerfile and ignore file in them. */
function refuseLocalOnly({fileVariable, only, ignore}: Omit<Inputs, 'context' | 'file'>): void {
  const flag =
    (fileVariable !== undefined && '--file-env') ||
    (only.length > 0 && '--only') ||
    (ignore.length > 0 && '--ignore');
  if (flag) throw new TiltbuildError('usage', `${flag} is for a build context that is a local directory.`);
}
