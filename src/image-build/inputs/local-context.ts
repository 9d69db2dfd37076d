/** Owns a build context that is a local directory: what of it is sent, its ignore rules, and where its Dockerfile is. */
import {posix} from 'node:path';
import {type SyncedDirectory, syncDirectory} from '../../context/directory.ts';
import {excluding, type Filter, only} from '../../context/filters.ts';
import {type IgnoreRule, readIgnoreRules} from '../../context/ignore-file.ts';
import {cleanOnlyPath} from '../../context/only-paths.ts';
import {Patterns} from '../../context/patterns.ts';
import type {ContextFiles} from '../../context/ports.ts';
import {type Survey, surveyContext} from '../../context/survey.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import {reasonOf} from '../../system-error.ts';
import {advise, flag} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';

export interface LocalContext {
  /** Its path with all links resolved. */
  readonly root: string;
  /** What `--ignore` and `--only` leave of it. BuildKit applies the ignore file itself to a context that is synced. */
  readonly directory: SyncedDirectory;
  /** By the ignore file; none where there is no such file. */
  readonly ignored: readonly Filter[];
  readonly survey: Survey;
  /** Undefined where its text comes from the environment or standard input. */
  readonly dockerfile: LocalDockerfile | undefined;
}

export interface LocalDockerfile {
  /** The platform's own path of its directory, with all links resolved. */
  readonly directory: string;
  readonly name: string;
  /** Its path in the context, with slashes, if it is among the files that are sent. */
  readonly sentAs: string | undefined;
}

interface Place {
  readonly files: Files;
  readonly contexts: ContextFiles;
  readonly platform: NodeJS.Platform;
}

/** Throws `usage` for a Dockerfile that is not there, an ignore file that cannot be read, and malformed patterns. */
export async function openLocalContext(request: BuildRequest, place: Place): Promise<LocalContext> {
  const {files, contexts, platform} = place;
  const root = files.realPath(request.context);
  const filters = contextFilters(request, platform);
  const file = findDockerfile(request, files);
  const found = await readIgnoreFile(request.context, file, files);
  const ignored = found === undefined ? [] : [excluding(patternsOf(found))];
  // BuildKit gets a link as a link, and may not reach what is behind it.
  const isLinked = found !== undefined && files.realPath(found.source) !== placeOf(found.source, files);
  const directory = syncDirectory(root, contexts, isLinked ? [...filters, ...ignored] : filters);
  const dockerfile = file === undefined ? undefined : await locate(file, root, request, place);
  // The Dockerfile is sent on its own, whatever is ignored.
  const onlyPaths = cleanOnlyPaths(request, platform).filter((path) => path !== dockerfile?.inside);
  const survey = surveyContext(directory, ignored, dockerfile?.inside, onlyPaths);
  return {
    root,
    directory,
    ignored,
    survey,
    dockerfile: dockerfile && {
      directory: dockerfile.directory,
      name: dockerfile.name,
      sentAs: survey.hasWanted ? dockerfile.inside : undefined,
    },
  };
}

/** Its path, with all links to its directory resolved. */
function placeOf(path: string, files: Files): string {
  return files.join(files.realPath(files.dirname(path)), files.basename(path));
}

/** What `--ignore` and `--only` let through. */
export function contextFilters(
  {ignore, ...request}: Pick<BuildRequest, 'ignore' | 'only'>,
  platform: NodeJS.Platform,
): readonly Filter[] {
  const paths = cleanOnlyPaths(request, platform);
  return [
    ...(ignore.length > 0 ? [excluding(new Patterns(ignore, '--ignore'))] : []),
    ...(paths.length > 0 ? [only(paths)] : []),
  ];
}

/** None where all of the context is sent, which the path of the context itself stands for. */
function cleanOnlyPaths(request: Pick<BuildRequest, 'only'>, platform: NodeJS.Platform): readonly string[] {
  const paths = request.only.map((path) => cleanOnlyPath(path, platform));
  return paths.includes('') ? [] : paths;
}

/** The path of the Dockerfile; undefined where its text comes from the environment or standard input. */
export function findDockerfile(
  {context, file, fileVariable}: Pick<BuildRequest, 'context' | 'file' | 'fileVariable'>,
  files: Pick<Files, 'join' | 'kindOf'>,
): string | undefined {
  if (fileVariable !== undefined || file === '-') return undefined;
  if (file !== undefined) return file;
  // BuildKit takes a lower-case one where there is no other.
  const [usual = '', lower = ''] = ['Dockerfile', 'dockerfile'].map((name) => files.join(context, name));
  return files.kindOf(usual) !== 'file' && files.kindOf(lower) === 'file' ? lower : usual;
}

async function locate(file: string, root: string, request: BuildRequest, place: Place) {
  const {files} = place;
  const kind = files.kindOf(file);
  if (kind === 'other') {
    throw new TiltbuildError('usage', `The Dockerfile "${file}" is not a regular file.`, {
      remedy: [advise`To pass its text on standard input, use ${flag('file', '-')}.`],
    });
  }
  if (kind !== 'file') {
    const {describeMissingDockerfile} = await import('./missing-dockerfile.ts');
    throw describeMissingDockerfile(file, kind, request, place);
  }
  const directory = files.realPath(files.dirname(file));
  const name = files.basename(file);
  const inside = pathIn(root, files.join(directory, name));
  const target = files.realPath(file);
  if (pathIn(directory, target) !== undefined) return {directory, name, inside};
  // BuildKit follows a link no further than what it is sent: here the context.
  if (inside !== undefined && pathIn(root, target) !== undefined)
    return {directory: root, name: inside, inside};
  throw new TiltbuildError(
    'usage',
    `The Dockerfile "${file}" is a symbolic link to "${target}", which BuildKit cannot reach through the link.`,
    {remedy: [advise`Use that file itself: ${flag('file', target)}`]},
  );
}

/** The path of a file with slashes, from a directory that it is in or below; undefined where it is elsewhere. */
function pathIn(directory: string, file: string): string | undefined {
  const [base = '', path = ''] = [directory, file].map((one) => one.replaceAll('\\', '/'));
  const relative = posix.relative(base, path);
  return /^\.\.(?:\/|$)/.test(relative) || posix.isAbsolute(relative) ? undefined : relative;
}

export interface IgnoreFile {
  readonly rules: readonly IgnoreRule[];
  readonly source: string;
}

/** The Dockerfile's own ignore file or else the context's, as BuildKit reads them. */
export async function readIgnoreFile(
  context: string,
  dockerfile: string | undefined,
  files: Pick<Files, 'join' | 'kindOf' | 'readText'>,
): Promise<IgnoreFile | undefined> {
  const own = dockerfile === undefined ? [] : [`${dockerfile}.dockerignore`];
  for (const source of [...own, files.join(context, '.dockerignore')]) {
    if (files.kindOf(source) === 'other')
      throw new TiltbuildError('usage', `The ignore file "${source}" is not a regular file.`);
    const text = await readIfThere(source, files);
    if (text !== undefined) return {rules: readIgnoreRules(text), source};
  }
  return undefined;
}

export function patternsOf({rules, source}: IgnoreFile): Patterns {
  return new Patterns(
    rules.map(({text}) => text),
    source,
  );
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
