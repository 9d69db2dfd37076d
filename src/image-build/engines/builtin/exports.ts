/** Owns where the builtin engine has BuildKit put a result, and the caches that it reads and writes. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import type {CacheEntry} from '../../../buildkit/solve.ts';
import {TiltbuildError} from '../../../errors.ts';
import {readCsvFields} from '../../../text/csv-fields.ts';
import type {BuildRequest} from '../../build-request.ts';
import {formOf, type Output} from '../../inputs/outputs.ts';

/** One exporter, and where what it sends back goes. */
export interface Export {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
  /** `-` for standard output; undefined where BuildKit sends nothing back. */
  readonly dest?: {readonly kind: 'tree' | 'archive'; readonly path: string};
}

export function chooseExport(
  {output, push, destination, compression = 'uncompressed'}: BuildRequest,
  names: readonly string[],
  runtime: BuilderRuntime,
  temporaryName?: string,
): Export {
  const name = names.length === 0 ? [] : ([['name', names.join(',')]] as const);
  if (output !== undefined) return readExport(output, name, push);
  const isInNode = destination.kind === 'runtime' && runtime === 'containerd';
  return {
    type: 'image',
    attributes: new Map([
      ...name,
      ...(push ? ([['push', 'true']] as const) : []),
      ...(isInNode && temporaryName !== undefined
        ? ([['dangling-name-prefix', temporaryName]] as const)
        : []),
      // Nothing in the node profits from compression: 720 MB take 2.5 s instead of 14.9 s.
      ...(isInNode && compression !== 'default'
        ? ([
            ['unpack', 'true'],
            ['compression', compression],
          ] as const)
        : []),
    ]),
  };
}

function readExport(output: Output, name: readonly (readonly [string, string])[], push: boolean): Export {
  const {type, dest, attributes} = output;
  const form = formOf(output);
  const pushes = type === 'registry' || (push && form === undefined);
  return {
    type: type === 'registry' ? 'image' : type,
    attributes: new Map([
      ...(type === 'local' || type === 'tar' ? [] : name),
      ...attributes,
      ...(pushes ? ([['push', 'true']] as const) : []),
    ]),
    ...(form !== undefined && dest !== undefined && {dest: {kind: form, path: dest}}),
  };
}

/** A reference alone is a registry's. GitHub's cache takes its address and token from the environment. */
export function readCache(
  flag: '--cache-from' | '--cache-to',
  specs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly CacheEntry[] {
  return specs.map((spec) => {
    const fields = readCsvFields(spec);
    if (fields === undefined) throw new TiltbuildError('usage', `Invalid ${flag} value: unbalanced quotes.`);
    if (fields.every(({value}) => value === undefined)) {
      return {type: 'registry', attributes: new Map([['ref', spec]])};
    }
    const given = new Map(fields.map(({key, value = ''}) => [key.toLowerCase(), value] as const));
    const type = given.get('type');
    if (!type) throw new TiltbuildError('usage', `Invalid ${flag} value: type= is missing.`);
    if (type === 'local') {
      throw new TiltbuildError('usage', `${flag} type=local is not supported by the builtin engine.`, {
        remedy: ['Use a registry: type=registry,ref=NAME. A builder keeps its own cache anyway.'],
      });
    }
    given.delete('type');
    const fromEnvironment = type === 'gha' ? githubCache(env) : [];
    return {type, attributes: new Map([...fromEnvironment, ...given])};
  });
}

function githubCache(
  env: Readonly<Record<string, string | undefined>>,
): readonly (readonly [string, string])[] {
  const values = {
    token: env.ACTIONS_RUNTIME_TOKEN,
    url: env.ACTIONS_CACHE_URL,
    url_v2: env.ACTIONS_RESULTS_URL,
  };
  return Object.entries(values).flatMap(([key, value]) => (value ? [[key, value] as const] : []));
}
