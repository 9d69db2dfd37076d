/** Owns the error for a Dockerfile that is not there: it names the files that look like the one that was meant. */
import type {ContextFiles} from '../../context/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import type {FileKind, Files} from '../../ports.ts';
import {advise, flag} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';

/** `Containerfile`, `dockerfile`, `Dockerfile.dev`, `web.Dockerfile`; but not `Dockerfile.dockerignore`. */
const LIKE_ONE = /^(?:docker|container)file(?:[._-].*)?$|\.(?:docker|container)file$/i;

interface Place {
  readonly files: Pick<Files, 'join' | 'dirname' | 'kindOf'>;
  readonly contexts: Pick<ContextFiles, 'list'>;
}

/** How many of them are worth reading. */
const MOST = 3;

export function describeMissingDockerfile(
  path: string,
  kind: FileKind,
  {context, file}: Pick<BuildRequest, 'context' | 'file'>,
  {files, contexts}: Place,
): TiltbuildError {
  const isDirectory = kind === 'directory';
  const inContext = files.join(context, file ?? path);
  const found =
    file !== undefined && files.kindOf(inContext) === 'file'
      ? [inContext]
      : findLikeOne(isDirectory ? path : files.dirname(path), {files, contexts});
  return new TiltbuildError(
    'usage',
    isDirectory ? `The Dockerfile "${path}" is a directory.` : `There is no Dockerfile "${path}".`,
    {
      remedy:
        found.length === 0
          ? [advise`Pass its path with ${flag('file')}, relative to the current directory.`]
          : found.map((one) => advise`To use "${one}": ${flag('file', one)}`),
    },
  );
}

/** The shortest first, which are the most usual ones. */
function findLikeOne(directory: string, {files, contexts}: Place): readonly string[] {
  return listNames(directory, contexts)
    .filter((name) => LIKE_ONE.test(name) && !name.endsWith('.dockerignore'))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
    .map((name) => files.join(directory, name))
    .filter((path) => files.kindOf(path) === 'file')
    .slice(0, MOST);
}

function listNames(directory: string, contexts: Place['contexts']): readonly string[] {
  try {
    return contexts.list(directory).map((name) => Buffer.from(name).toString());
  } catch {
    return []; // There is no such directory, or it cannot be read.
  }
}
