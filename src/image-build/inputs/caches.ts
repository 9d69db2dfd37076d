/** Owns the values of `--cache-from` and `--cache-to`, by docker buildx's rules. */
import {TiltbuildError} from '../../errors.ts';
import {parseReference} from '../../image/reference.ts';
import {readCsvFields} from '../../text/csv-fields.ts';

export type CacheFlag = '--cache-from' | '--cache-to';

export interface CacheSpec {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
}

/** By type: the attribute that it cannot do without. */
const COMMON = {registry: 'ref', gha: undefined, s3: undefined, azblob: undefined};
const TYPES: Readonly<Record<CacheFlag, Readonly<Record<string, string | undefined>>>> = {
  '--cache-from': {...COMMON, local: 'src'},
  '--cache-to': {...COMMON, local: 'dest', inline: undefined},
};

/** A reference alone is a registry's. GitHub's cache takes its address and token from the environment. */
export function readCache(
  flag: CacheFlag,
  specs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): readonly CacheSpec[] {
  return specs.map((spec) => {
    const fields = readCsvFields(spec);
    if (fields === undefined) throw refuse(flag, spec, 'its quotes are not balanced');
    if (fields.every(({value}) => value === undefined)) return readFromRegistry(new Map([['ref', spec]]));
    const given = new Map(fields.map(({key, value = ''}) => [key.trim().toLowerCase(), value] as const));
    const type = given.get('type');
    given.delete('type');
    checkCache(flag, spec, type, given);
    if (type === 'registry') return readFromRegistry(given);
    return {type: type ?? '', attributes: type === 'gha' ? new Map([...githubCache(env), ...given]) : given};
  });
}

function readFromRegistry(attributes: ReadonlyMap<string, string>): CacheSpec {
  parseReference(attributes.get('ref') ?? '');
  return {type: 'registry', attributes};
}

function checkCache(
  flag: CacheFlag,
  spec: string,
  type: string | undefined,
  given: ReadonlyMap<string, string>,
): void {
  const types = TYPES[flag];
  if (!type) throw refuse(flag, spec, 'it has no type=');
  if (flag === '--cache-from' && type === 'inline') {
    throw refuse(flag, spec, 'an inline cache is read from its image, with type=registry,ref=IMAGE');
  }
  if (!Object.hasOwn(types, type))
    throw refuse(flag, spec, `its type is none of ${Object.keys(types).join(', ')}`);
  const needed = types[type];
  if (needed !== undefined && !given.get(needed)) throw refuse(flag, spec, `it has no ${needed}=`);
  const mode = given.get('mode');
  if (mode !== undefined && !['min', 'max'].includes(mode))
    throw refuse(flag, spec, 'its mode is neither min nor max');
}

function refuse(flag: CacheFlag, spec: string, why: string): TiltbuildError {
  return new TiltbuildError('usage', `Invalid ${flag} value "${spec}": ${why}.`);
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
