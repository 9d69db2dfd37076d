/** Owns merging what users add into a builder's buildkitd.toml, key by key. */
import {isDeepStrictEqual} from 'node:util';
import {parse, stringify, TomlDate, type TomlTable, type TomlValue} from 'smol-toml';
import {TiltbuildError} from '../../errors.ts';
import {advise, flag} from '../../text/advice.ts';
import type {BuilderConfig} from '../model/builder-config.ts';
import {hasRegistry} from '../model/buildkitd-settings.ts';
import type {LocalRegistry} from '../model/local-registry.ts';

interface Part {
  /** Who sets these keys. */
  readonly source: string;
  readonly table: TomlTable;
  /** Where its lines can be found. */
  readonly text?: string;
}

/** Our own figures here are only what suits most; the user's count. */
const DEFAULTS = /^worker\.(?:oci|containerd)\.(?:gc|reservedSpace|maxUsedSpace|minFreeSpace)$/;

/**
 * `own` is the builder's TOML without additions, and stays as it is if there are none. `directory` has the certificates.
 * Throws `usage` where two of them set one key to different values.
 */
export function completeToml(own: string, config: BuilderConfig | undefined, directory: string): string {
  const {registries = {}, file} = config ?? {};
  if (file === undefined && Object.keys(registries).length === 0) return own;
  const ours: Part = {source: 'the builder', table: parse(own)};
  const theirs: Part = {source: '--config', table: parse(file ?? ''), text: file};
  const flags: Part = {source: 'the flags', table: writeRegistries(registries, directory)};
  const merged = merge(theirs, flags);
  return write(merge({...theirs, table: merged}, ours));
}

/** The registry has no TLS, unless the TOML has settings for it. What was pushed to it under its name on this machine is also pulled under that name. */
export function addLocalRegistry(toml: string, registry: LocalRegistry): string {
  const {host, inCluster} = registry;
  if (hasRegistry(toml, inCluster)) return toml;
  const table = parse(toml);
  const before = (table.registry ?? {}) as TomlTable;
  const needsName = host !== inCluster && !Object.hasOwn(before, host);
  return write({
    ...table,
    registry: {...before, ...(needsName && {[host]: {mirrors: [inCluster]}}), [inCluster]: {http: true}},
  });
}

/** The TOML's own settings for a registry stay as they are. */
export function addRegistries(toml: string, tables: Readonly<Record<string, TomlTable>>): string {
  const table = parse(toml);
  const before = (table.registry ?? {}) as TomlTable;
  const added = Object.entries(tables).filter(([host]) => !Object.hasOwn(before, host));
  if (added.length === 0) return toml;
  return write({...table, registry: {...before, ...Object.fromEntries(added)}});
}

function write(table: TomlTable): string {
  return `# Written by kubectl-tiltbuild.\n${stringify(table)}`;
}

function writeRegistries(registries: BuilderConfig['registries'], directory: string): TomlTable {
  const hosts = Object.entries(registries).map(([host, {http, insecure, ca, mirrors}]) => [
    host,
    {
      ...(http && {http}),
      ...(insecure && {insecure}),
      ...(ca !== undefined && {ca: [`${directory}/${ca}`]}),
      ...(mirrors && {mirrors: [...mirrors]}),
    },
  ]);
  return hosts.length === 0 ? {} : {registry: Object.fromEntries(hosts)};
}

/** Where both have a key, `first` has the defaults that may differ. */
function merge(first: Part, second: Part, path: readonly string[] = []): TomlTable {
  const shared = Object.entries(second.table).map(([key, value]): [string, TomlValue] => {
    const here = [...path, key];
    const before = Object.hasOwn(first.table, key) ? first.table[key] : undefined;
    if (before === undefined || isDeepStrictEqual(before, value)) return [key, value];
    if (DEFAULTS.test(here.join('.'))) return [key, before];
    if (Array.isArray(before) && Array.isArray(value)) {
      const added = value.filter((one) => !before.some((other) => isDeepStrictEqual(one, other)));
      return [key, [...before, ...added]];
    }
    if (isTable(before) && isTable(value))
      return [key, merge({...first, table: before}, {...second, table: value}, here)];
    throw conflict(here, {...first, value: before}, {...second, value});
  });
  return Object.fromEntries([...Object.entries(first.table), ...shared]);
}

function isTable(value: TomlValue): value is TomlTable {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof TomlDate);
}

type Setting = Omit<Part, 'table'> & {readonly value: TomlValue};

function conflict(path: readonly string[], ...settings: readonly Setting[]): TiltbuildError {
  const name = path.map((key) => (/^[\w-]+$/.test(key) ? key : JSON.stringify(key))).join('.');
  const sources = settings.map(({source}) => source).join(' and ');
  return new TiltbuildError('usage', `${name} has two values, by ${sources}.`, {
    detail: settings.map(({source, text, value}) => {
      const line = text === undefined ? undefined : findLine(text, path.at(-1) ?? '');
      return `${source}${line === undefined ? '' : `, line ${line}`}: ${name} = ${JSON.stringify(value)}`;
    }),
    remedy: [advise`Remove one of them. ${flag('config', '')} drops a file that was given before.`],
  });
}

/** Undefined where several lines set such a key. */
function findLine(text: string, key: string): number | undefined {
  const lines = text.split('\n').map((line) => line.trimStart().split(/\s*=/)[0] ?? '');
  const isKey = (start: string) =>
    [key, `"${key}"`].some((one) => start === one || start.endsWith(`.${one}`));
  const first = lines.findIndex(isKey);
  return first < 0 || first !== lines.findLastIndex(isKey) ? undefined : first + 1;
}
