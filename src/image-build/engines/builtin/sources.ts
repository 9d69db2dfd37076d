/** Owns where the builtin engine finds a build's context and Dockerfile, and how BuildKit is told of them. */
import {createHash} from 'node:crypto';
import {uploadUrl} from '../../../buildkit/session/services.ts';
import {type SyncedDirectory, syncDirectory, syncText, withText} from '../../../context/directory.ts';
import type {ContextFiles} from '../../../context/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Files, Ports} from '../../../ports.ts';
import {describeSystemError} from '../../../system-error.ts';
import type {BuildRequest} from '../../build-request.ts';
import {readNamedContext} from '../../inputs/flag-values.ts';
import type {BuildInputs} from '../../inputs/stage-inputs.ts';
import {valuesOf} from './frontend.ts';
import type {Stores} from './layouts.ts';

export interface BuildSources {
  readonly attributes: readonly (readonly [name: string, value: string])[];
  readonly directories: ReadonlyMap<string, SyncedDirectory>;
  /** What BuildKit asks for as an upload, by its id; each can be read again. */
  readonly uploads: ReadonlyMap<string, () => AsyncIterable<Uint8Array>>;
  readonly sharedKey: string;
}

export interface SourceTools {
  readonly files: Files;
  readonly contexts: ContextFiles;
  readonly openBlobs: Ports['builtin']['openBlobs'];
  readonly stores: Stores;
  /** See `BuiltinTools`. */
  readonly machine: string;
  /** Nanoseconds since the epoch. */
  readonly now: () => bigint;
}

const UPLOAD = 'context';
const DEFAULT_DOCKERFILE = 'Dockerfile';

export async function findSources(
  request: BuildRequest,
  {dockerfile: text, input, local}: BuildInputs,
  tools: SourceTools,
): Promise<BuildSources> {
  const named = await nameContexts(request, tools);
  const {context} = request;
  if (context === '-') {
    return await readStandardInput(request, input ?? '', tools, named).catch((error: unknown) => {
      throw describeSystemError(error, 'the private copy of standard input');
    });
  }
  if (local === undefined) {
    const attributes = [
      ['context', context],
      ['filename', request.file ?? DEFAULT_DOCKERFILE],
      ...named.attributes,
    ] as const;
    const sharedKey = makeKey(tools, context, ...named.keys);
    return {...named, attributes, uploads: new Map(), sharedKey};
  }
  const {root, directory, dockerfile} = local;
  const name = dockerfile?.name ?? DEFAULT_DOCKERFILE;
  const stamp = stampText(text ?? '', tools);
  const beside = dockerfile && syncDirectory(dockerfile.directory, tools.contexts);
  const synced =
    beside === undefined
      ? syncText(name, text ?? '', stamp)
      : text === undefined
        ? beside
        : withText(beside, name, text, stamp);
  return {
    attributes: [['filename', name], ...named.attributes],
    directories: new Map([['context', directory], ['dockerfile', synced], ...named.directories]),
    uploads: new Map(),
    sharedKey: makeKey(tools, root, dockerfile?.directory ?? '-', name, ...named.keys),
  };
}

/** The same for all builds of a Dockerfile in its context. */
export function findProject(
  {context, file = DEFAULT_DOCKERFILE}: Pick<BuildRequest, 'context' | 'file'>,
  {local}: BuildInputs,
  tools: Pick<SourceTools, 'machine'>,
): string {
  if (local === undefined) return makeKey(tools, context, file);
  const {directory = '-', name = DEFAULT_DOCKERFILE} = local.dockerfile ?? {};
  return makeKey(tools, local.root, directory, name);
}

type NamedContexts = Pick<BuildSources, 'attributes' | 'directories'> & {
  /** What the shared key depends on. */
  readonly keys: readonly string[];
};

/** `--build-context NAME=VALUE`: a directory, an OCI layout, or what BuildKit fetches itself. Throws `usage`. */
export async function nameContexts(
  request: BuildRequest,
  {files, contexts, openBlobs, stores}: Pick<SourceTools, 'files' | 'contexts' | 'openBlobs' | 'stores'>,
): Promise<NamedContexts> {
  const directories = new Map<string, SyncedDirectory>();
  const keys: string[] = [];
  const attributes: (readonly [string, string])[] = [];
  for (const [index, text] of valuesOf(request, '--build-context').entries()) {
    const {name: key, value} = readNamedContext(text);
    const add = (source: string) => attributes.push([`context:${key}`, source]);
    if (value.startsWith(LAYOUT)) {
      const {openContextLayout} = await import('./layouts.ts');
      const path = value.slice(LAYOUT.length);
      add(await openContextLayout(key, path, `layout-${index}`, stores, {files, openBlobs}));
    } else if (/^[a-z-]+:\/\//.test(value) || value.startsWith('target:')) add(value);
    else {
      if (files.kindOf(value) !== 'directory') {
        throw new TiltbuildError('usage', `--build-context ${key}: there is no directory "${value}".`);
      }
      // The names of the two usual ones would replace them.
      const name = directories.has(key) || ['context', 'dockerfile'].includes(key) ? `_${key}_` : key;
      const root = files.realPath(value);
      directories.set(name, syncDirectory(root, contexts));
      keys.push(name, root);
      add(`local:${name}`);
    }
  }
  return {attributes, directories, keys};
}

const LAYOUT = 'oci-layout://';

/** An archive is uploaded; anything else is a Dockerfile, with nothing around it. */
async function readStandardInput(
  {file}: BuildRequest,
  input: string,
  tools: SourceTools,
  named: NamedContexts,
): Promise<BuildSources> {
  const {files, contexts, now} = tools;
  const {size} = contexts.lstat(input);
  const sharedKey = makeKey(tools, '-', String(now()));
  if (await isArchive(contexts, input, size)) {
    const attributes = [
      ['context', uploadUrl(UPLOAD)],
      ['filename', file ?? DEFAULT_DOCKERFILE],
      ...named.attributes,
    ] as const;
    const read = async function* () {
      yield* contexts.read(input, size);
    };
    const uploads = new Map([[UPLOAD, read]]);
    return {attributes, directories: named.directories, uploads, sharedKey};
  }
  const given = (await files.readText(input)) ?? '';
  const dockerfile = syncText(DEFAULT_DOCKERFILE, given, stampText(given, tools));
  const nothing: SyncedDirectory = {...dockerfile, walk: () => [], list: () => []};
  const directories = new Map([['context', nothing], ['dockerfile', dockerfile], ...named.directories]);
  return {
    attributes: [['filename', DEFAULT_DOCKERFILE], ...named.attributes],
    directories,
    uploads: new Map(),
    sharedKey,
  };
}

/** The first bytes of gzip, bzip2, xz and zstd; a tar file has its mark after a name. */
const MAGIC = ['1f8b', '425a68', 'fd377a585a00', '28b52ffd'];
const TAR_MARK = {at: 257, text: 'ustar'};

async function isArchive(contexts: ContextFiles, path: string, size: number): Promise<boolean> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of contexts.read(path, Math.min(size, 512))) chunks.push(chunk);
  const start = Buffer.concat(chunks);
  const hasMagic = MAGIC.some((magic) => start.toString('hex').startsWith(magic));
  return (
    hasMagic || start.subarray(TAR_MARK.at, TAR_MARK.at + TAR_MARK.text.length).toString() === TAR_MARK.text
  );
}

/** Another text of the same size may be built in the same millisecond. */
function stampText(text: string, {now}: SourceTools) {
  const hash = createHash('sha256').update(text).digest();
  return {modified: now(), inode: hash.readBigUInt64BE()};
}

/** ASCII, and of one length whatever the parts are. */
function makeKey({machine}: Pick<SourceTools, 'machine'>, ...parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([machine, ...parts]))
    .digest('hex');
}
