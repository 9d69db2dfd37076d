/** Owns the OCI layouts on this machine that a build reads or writes: caches, images, and additional contexts. */
import {type Descriptor, findManifest, type ManifestName, nameManifest} from '../../../buildkit/oci-index.ts';
import type {ContentStore} from '../../../buildkit/session/content.ts';
import type {CacheEntry} from '../../../buildkit/solve.ts';
import {TiltbuildError} from '../../../errors.ts';
import {parseReference} from '../../../image/reference.ts';
import type {Files, Notes, Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import type {BuildRequest} from '../../build-request.ts';
import {readCache} from '../../inputs/caches.ts';
import type {Export} from './exports.ts';
import {type Env, valuesOf} from './frontend.ts';

/** By the ids that BuildKit asks for, which are ASCII whatever the paths are. */
export type Stores = Map<string, ContentStore>;

type Tools = Pick<Ports, 'files'> & {readonly openBlobs: Ports['builtin']['openBlobs']};

export interface OpenCaches {
  readonly cacheImports: readonly CacheEntry[];
  readonly cacheExports: readonly CacheEntry[];
  /** Names what was exported, by what BuildKit answered. Throws `result-not-written`. */
  finish(response: ReadonlyMap<string, string>): Promise<void>;
}

/** A local cache that is not there is left out, with a note: there is none before the first build. */
export async function openCaches(
  request: BuildRequest,
  env: Env,
  stores: Stores,
  {note, ...tools}: Tools & Pick<Notes, 'note'>,
): Promise<OpenCaches> {
  const exported: {readonly path: string; readonly tag: string}[] = [];
  const cacheExports = readCache('--cache-to', valuesOf(request, '--cache-to'), env).map(
    ({type, attributes}, index) => {
      if (type !== 'local') return {type, attributes};
      const {dest: path = '', tag = 'latest', ...rest} = Object.fromEntries(attributes);
      const dest = `to-${index}`;
      stores.set(`local:${dest}`, tools.openBlobs(path));
      exported.push({path, tag});
      return {type, attributes: new Map(Object.entries({...rest, dest}))};
    },
  );
  const cacheImports: CacheEntry[] = [];
  for (const {type, attributes} of readCache('--cache-from', valuesOf(request, '--cache-from'), env)) {
    if (type !== 'local') {
      cacheImports.push({type, attributes});
      continue;
    }
    const {src: path = '', tag = 'latest', digest: given, ...rest} = Object.fromEntries(attributes);
    const found = await findBlob(path, {tag, digest: given}, tools);
    if ('why' in found) {
      note(`The cache "${path}" is left out: ${found.why}.`);
      continue;
    }
    const src = `from-${cacheImports.length}`;
    stores.set(`local:${src}`, found.store);
    cacheImports.push({type, attributes: new Map(Object.entries({...rest, src, digest: found.digest}))});
  }
  return {
    cacheImports,
    cacheExports,
    finish: async (response) => {
      const manifest = response.get('cache.manifest');
      if (manifest === undefined) return;
      for (const {path, tag} of exported) await writeIndex(path, JSON.parse(manifest), [{tag}], tools.files);
    },
  };
}

/** An image as a directory (`tar=false`). Gives what names it, by what BuildKit answered. */
export function openImageLayout({dest}: Export, stores: Stores, {files, openBlobs}: Tools) {
  const path = dest?.path ?? '';
  stores.set('export', openBlobs(path));
  return async (response: ReadonlyMap<string, string>): Promise<void> => {
    const encoded = response.get('containerimage.descriptor') ?? '';
    const names = (response.get('image.name') ?? '').split(',').filter((name) => name !== '');
    const tags = names.map((name) => ({name, tag: parseReference(name).tag ?? 'latest'}));
    const descriptor = JSON.parse(Buffer.from(encoded, 'base64').toString()) as Descriptor;
    await writeIndex(path, descriptor, tags.length > 0 ? tags : [{tag: 'latest'}], files);
  };
}

/** `PATH[:TAG][@DIGEST]` of `--build-context NAME=oci-layout://…`, as BuildKit takes it. Throws `usage`. */
export async function openContextLayout(
  name: string,
  value: string,
  id: string,
  stores: Stores,
  tools: Tools,
): Promise<string> {
  const [, path = '', tag = 'latest', digest] =
    /^(.*?)(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(value) ?? [];
  const found = await findBlob(path, {tag, digest}, tools);
  if ('why' in found)
    throw new TiltbuildError('usage', `--build-context ${name}: "${path}" cannot be used: ${found.why}.`);
  stores.set(`oci:${id}`, found.store);
  return `oci-layout://${id}:${tag}@${found.digest}`;
}

type Found = {readonly digest: string; readonly store: ContentStore} | {readonly why: string};

/** The manifest in an OCI layout, by its digest or else by its tag. */
async function findBlob(
  path: string,
  {tag, digest}: {readonly tag: string; readonly digest: string | undefined},
  {files, openBlobs}: Tools,
): Promise<Found> {
  try {
    const index = await files.readText(files.join(path, 'index.json'));
    if (digest === undefined && index === undefined) return {why: 'it has no index.json'};
    const wanted = digest ?? findManifest(index ?? '', tag);
    if (wanted === undefined) return {why: `it has no tag "${tag}"`};
    const store = openBlobs(path);
    const isThere = /^sha256:[0-9a-f]{64}$/.test(wanted) && (await store.sizeOf(wanted)) !== undefined;
    return isThere ? {digest: wanted, store} : {why: `it has no blob ${wanted}`};
  } catch (error) {
    return {why: error instanceof SyntaxError ? 'its index.json is no JSON' : reasonOf(error)};
  }
}

/** The last to be written, and at once: whoever reads it finds all that it names. */
async function writeIndex(
  path: string,
  descriptor: Descriptor,
  names: readonly ManifestName[],
  files: Files,
): Promise<void> {
  const place = files.join(path, 'index.json');
  try {
    await files.update(files.join(path, 'oci-layout'), () => '{"imageLayoutVersion":"1.0.0"}');
    await files.update(place, (before) => nameManifest(before, descriptor, names));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? 'it is no JSON' : reasonOf(cause);
    throw new TiltbuildError('result-not-written', `Could not write "${place}": ${why}.`, {cause});
  }
}
