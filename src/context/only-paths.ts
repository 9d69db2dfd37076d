/** Owns `--only`: the paths that alone are sent, as they are typed. */
import {TiltbuildError} from '../errors.ts';
import {type Advice, advise, flag} from '../text/advice.ts';

/** The names of the path, joined by slashes; empty for the context itself. */
export function cleanOnlyPath(path: string, platform: NodeJS.Platform): string {
  const windows = platform === 'win32';
  const slashed = windows ? path.replaceAll('\\', '/') : path;
  if (path === '')
    throw refuse('An --only path is empty.', 'Pass a path in the build context, or . for all of it.');
  if (slashed.startsWith('/') || (windows && /^[a-z]:/i.test(slashed))) {
    throw refuse(`The --only path ${path} is absolute.`, 'Pass it relative to the build context.');
  }
  const glob = /[*?]/.exec(slashed)?.[0];
  if (glob !== undefined) {
    throw refuse(
      `The --only path ${path} has a ${glob}, but --only takes paths, not patterns.`,
      advise`For a pattern, use ${flag('ignore', '**')} with ${flag('ignore', `!${path}`)}.`,
    );
  }
  const names: string[] = [];
  for (const name of slashed.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) {
      throw refuse(`The --only path ${path} leaves the build context.`, 'Pass one inside the build context.');
    }
  }
  return names.join('/');
}

function refuse(message: string, remedy: Advice): TiltbuildError {
  return new TiltbuildError('usage', message, {remedy: [remedy]});
}
