/** Owns what a node's containerd knows of registries (its hosts.toml files), as BuildKit's `[registry."HOST"]` tables. */
import {parse, type TomlTable} from 'smol-toml';
import {asList, asObject, asText, asTexts, type Json} from '../../cluster/api/json-values.ts';

/** A directory of containerd's `certs.d`, which is for one registry. */
export interface HostDirectory {
  readonly path: string;
  /** The text of its hosts.toml, where it has one. */
  readonly toml?: string;
}

/** The TLS settings of a host, and for a registry its mirrors. */
interface Table {
  readonly http?: true;
  readonly insecure?: true;
  readonly ca?: readonly string[];
  readonly keypair?: readonly {readonly cert: string; readonly key: string}[];
  readonly tlsconfigdir?: readonly string[];
  readonly mirrors?: readonly string[];
}

export interface NodeRegistries {
  /** By host. */
  readonly tables: Readonly<Record<string, TomlTable>>;
  /** What BuildKit cannot do as containerd does it. */
  readonly notes: readonly string[];
}

const FOR_ALL_OTHERS = '_default';
const DOCKER_HUB = 'docker.io';
/** Names of Docker Hub in addresses. */
const OWN_ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  [DOCKER_HUB]: ['registry-1.docker.io', 'index.docker.io'],
};

/** `files` are all that the builder can read of the node. By containerd's rules (core/remotes/docker/config/hosts.go). */
export function translateHosts(
  directories: readonly HostDirectory[],
  files: readonly string[],
): NodeRegistries {
  const tables = new Map<string, Table>();
  const notes: string[] = [];
  const named = directories.map((directory) => ({directory, host: readHost(directory.path)}));
  for (const {directory, host} of named) {
    if (host === FOR_ALL_OTHERS && named.some((one) => one.host === DOCKER_HUB)) {
      notes.push(`${FOR_ALL_OTHERS}: not used, since BuildKit has no settings for all other registries.`);
      continue;
    }
    const registry = host === FOR_ALL_OTHERS ? DOCKER_HUB : host;
    if (host === FOR_ALL_OTHERS) {
      notes.push(
        `${FOR_ALL_OTHERS}: used for ${DOCKER_HUB} alone, since BuildKit has no settings for all other registries.`,
      );
    }
    const read = readDirectory(registry, directory, files);
    for (const [at, table] of read.tables) tables.set(at, join(tables.get(at), table));
    notes.push(...read.notes.map((note) => `${host}: ${note}`));
  }
  const filled = [...tables].filter(([, table]) => Object.keys(table).length > 0);
  return {tables: Object.fromEntries(filled) as unknown as NodeRegistries['tables'], notes};
}

/** `registry.example_5000_` is for the port 5000: some file systems have no colons. */
function readHost(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/_(\d+)_$/, ':$1');
}

interface Part {
  readonly tables: readonly (readonly [host: string, Table])[];
  readonly notes: readonly string[];
}

function readDirectory(registry: string, {path, toml}: HostDirectory, files: readonly string[]): Part {
  if (!HOST.test(registry))
    return {tables: [], notes: ['not used, since BuildKit needs the name of one registry.']};
  // BuildKit reads a directory of certificates as containerd and Docker do.
  if (toml === undefined) return {tables: [[registry, {tlsconfigdir: [path]}]], notes: []};
  const table = parseToml(toml);
  if (table === undefined) return {tables: [], notes: [`not used, since ${path}/hosts.toml is not TOML.`]};
  const {server, host, ...own} = table;
  const mirrors = Object.entries(asObject(host)).map(([url, value]) => readEndpoint(url, asObject(value)));
  const upstream = readEndpoint(asText(server) || registry, own);
  const parts = [...mirrors, upstream].map((endpoint) => useEndpoint(endpoint, registry, path, files));
  const notes = parts.flatMap((part) => part.notes);
  const elsewhere = asText(server) !== '' && !isItself(upstream.address, registry);
  return {
    tables: parts.flatMap((part) => part.tables),
    notes: elsewhere
      ? [...notes, `where ${shown(upstream)} fails, BuildKit asks ${registry} itself.`]
      : notes,
  };
}

const HOST = /^[A-Za-z0-9[][A-Za-z0-9.:\]-]*$/;
/** What containerd does by itself with the same result, or BuildKit. */
const KNOWN_KEYS = ['capabilities', 'ca', 'client', 'skip_verify', 'override_path', 'dial_timeout'];

interface Endpoint {
  readonly url: string;
  readonly address: URL | undefined;
  readonly settings: Json;
}

function readEndpoint(url: string, settings: Json): Endpoint {
  const full = /^http/.test(url) ? url : `https://${url}`;
  return {url, address: URL.canParse(full) ? new URL(full) : undefined, settings};
}

function isItself(address: URL | undefined, registry: string): boolean {
  return address?.host === registry || (OWN_ADDRESSES[registry]?.includes(address?.host ?? '') ?? false);
}

function useEndpoint(
  endpoint: Endpoint,
  registry: string,
  directory: string,
  files: readonly string[],
): Part {
  const {address, settings} = endpoint;
  const skip = (why: string): Part => ({
    tables: [],
    notes: [`${shown(endpoint)} is not used, since ${why}.`],
  });
  if (address === undefined) return skip('it is no URL');
  const itself = isItself(address, registry);
  const can = asTexts(settings.capabilities).map((text) => text.toLowerCase());
  if (can.length > 0 && !can.includes('pull')) {
    return can.includes('resolve') ? skip('it has no images, only their digests') : {tables: [], notes: []};
  }
  if (!itself && isOnNode(address.hostname)) return skip("it is the node's own, and a pod cannot reach it");
  const unknown = Object.keys(settings).filter((key) => !KNOWN_KEYS.includes(key));
  if (unknown.length > 0) return skip(`BuildKit has nothing for ${unknown.join(', ')}`);
  const path = readMirrorPath(address.pathname, settings.override_path === true);
  if (path === undefined) return skip('its path is not under /v2');

  const {table, unreadable} = readTls(address.protocol, settings, directory, files);
  const notes = unreadable.map(
    (file) => `${file} is not used, since the builder cannot read it on the node.`,
  );
  if (itself) return {tables: [[registry, table]], notes};
  const onlyPulls = can.length > 0 && !can.includes('resolve');
  return {
    tables: [
      [registry, {mirrors: [`${address.host}${path}`]}],
      [address.host, table],
    ],
    notes: onlyPulls ? [...notes, `BuildKit asks ${address.host} for tags as well.`] : notes,
  };
}

/** Without a login that may be in it. */
function shown({address, url}: Endpoint): string {
  return address === undefined
    ? JSON.stringify(url.replace(/^([a-z]*:\/\/)?.*@/is, '$1'))
    : `${address.protocol}//${address.host}${address.pathname}`;
}

function isOnNode(hostname: string): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** BuildKit asks `/v2/PATH/…`, containerd `/PATH/v2/…` unless the whole path is given. */
function readMirrorPath(pathname: string, isWhole: boolean): string | undefined {
  const path = pathname.replace(/\/+$/, '');
  if (!isWhole) return path === '' || path === '/v2' ? '' : undefined;
  return path === '/v2' || path.startsWith('/v2/') ? path.slice('/v2'.length) : undefined;
}

function readTls(
  protocol: string,
  settings: Json,
  directory: string,
  files: readonly string[],
): {readonly table: Table; readonly unreadable: readonly string[]} {
  const at = (file: unknown) =>
    asText(file).startsWith('/') ? asText(file) : `${directory}/${asText(file)}`;
  const listed = (value: unknown) => (typeof value === 'string' ? [value] : asList(value));
  const canRead = (file: string) => files.includes(file);
  const ca = listed(settings.ca).map(at);
  const pairs = listed(settings.client).map((pair) => {
    const [cert, key = cert] = listed(pair).map(at);
    return {cert: cert ?? '', key: key ?? ''};
  });
  const usable = pairs.filter(({cert, key}) => canRead(cert) && canRead(key));
  const unreadable = [...ca, ...pairs.flatMap(({cert, key}) => [cert, key])].filter((file) => !canRead(file));
  return {
    table: {
      ...(protocol === 'http:' && {http: true}),
      ...(settings.skip_verify === true && {insecure: true}),
      ...(ca.some(canRead) && {ca: ca.filter(canRead)}),
      ...(usable.length > 0 && {keypair: usable}),
    },
    unreadable: [...new Set(unreadable)],
  };
}

/** Two files may name one host. */
function join(before: Table = {}, added: Table): Table {
  const mirrors = [...new Set([...(before.mirrors ?? []), ...(added.mirrors ?? [])])];
  return {...added, ...before, ...(mirrors.length > 0 && {mirrors})};
}

function parseToml(text: string): Json | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
