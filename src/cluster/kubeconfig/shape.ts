/** Owns what a kubeconfig may hold: its types, and the check of a parsed value against them. */

/** What kubectl's cluster extensions carry, e.g. the settings of an exec plugin under a reserved name. */
export interface NamedExtension {
  readonly name?: string;
  readonly extension?: unknown;
}

export interface ClusterFields {
  readonly server?: string;
  readonly 'tls-server-name'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'certificate-authority'?: string;
  /** Base64, as in the file. */
  readonly 'certificate-authority-data'?: string;
  readonly 'proxy-url'?: string;
  readonly 'disable-compression'?: boolean;
  readonly extensions?: readonly NamedExtension[];
}

export interface ExecFields {
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: readonly {readonly name?: string; readonly value?: string}[];
  readonly apiVersion?: string;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: string;
}

export interface UserFields {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: Readonly<Record<string, readonly string[]>>;
  readonly username?: string;
  readonly password?: string;
  readonly 'auth-provider'?: {readonly name?: string; readonly config?: Readonly<Record<string, string>>};
  readonly exec?: ExecFields;
  readonly extensions?: readonly NamedExtension[];
}

export interface ContextFields {
  readonly cluster?: string;
  readonly user?: string;
  readonly namespace?: string;
  readonly extensions?: readonly NamedExtension[];
}

export type Path = readonly (string | number)[];

type Shape =
  | 'string'
  | 'boolean'
  | 'base64'
  | 'anything'
  | {readonly list: Shape}
  | {readonly map: Shape}
  | {readonly fields: Readonly<Record<string, Shape>>};

const strings: Shape = {list: 'string'};
const extensions: Shape = {list: {fields: {name: 'string', extension: 'anything'}}};

const cluster: Shape = {
  fields: {
    server: 'string',
    'tls-server-name': 'string',
    'insecure-skip-tls-verify': 'boolean',
    'certificate-authority': 'string',
    'certificate-authority-data': 'base64',
    'proxy-url': 'string',
    'disable-compression': 'boolean',
    extensions,
  },
};

const exec: Shape = {
  fields: {
    command: 'string',
    args: strings,
    env: {list: {fields: {name: 'string', value: 'string'}}},
    apiVersion: 'string',
    installHint: 'string',
    provideClusterInfo: 'boolean',
    interactiveMode: 'string',
  },
};

const user: Shape = {
  fields: {
    'client-certificate': 'string',
    'client-certificate-data': 'base64',
    'client-key': 'string',
    'client-key-data': 'base64',
    token: 'string',
    tokenFile: 'string',
    as: 'string',
    'as-uid': 'string',
    'as-groups': strings,
    'as-user-extra': {map: strings},
    username: 'string',
    password: 'string',
    'auth-provider': {fields: {name: 'string', config: {map: 'string'}}},
    exec,
    extensions,
  },
};

const context: Shape = {fields: {cluster: 'string', user: 'string', namespace: 'string', extensions}};

/** The whole file, as `k8s.io/client-go/tools/clientcmd/api/v1` types it. */
export const kubeconfigShape: Shape = {
  fields: {
    kind: 'string',
    apiVersion: 'string',
    preferences: {fields: {colors: 'boolean', extensions}},
    clusters: {list: {fields: {name: 'string', cluster}}},
    users: {list: {fields: {name: 'string', user}}},
    contexts: {list: {fields: {name: 'string', context}}},
    'current-context': 'string',
    extensions,
  },
};

/** A value that is not of its shape; the value itself is never part of it, as it may be a secret. */
export class ShapeError extends Error {
  readonly path: Path;
  readonly reason: string;

  constructor(path: Path, reason: string) {
    super(`${formatPath(path)} ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/**
 * The value as Go's JSON decoder would see it. Null and the empty string are what is not there, so they
 * are dropped from structs; fields that nobody knows are kept for a kubectl that may know them.
 */
export function readShape(value: unknown, shape: Shape, path: Path = []): unknown {
  if (shape === 'anything') return value;
  if (value === null || value === undefined) return zeroOf(shape);
  if (shape === 'string' || shape === 'base64') {
    if (typeof value !== 'string') throw mismatch(value, 'a string', path);
    return shape === 'base64' ? readBase64(value, path) : value;
  }
  if (shape === 'boolean') {
    if (typeof value !== 'boolean') throw mismatch(value, 'true or false', path);
    return value;
  }
  if ('list' in shape) {
    if (!Array.isArray(value)) throw mismatch(value, 'a list', path);
    return value.map((item, index) => readShape(item, shape.list, [...path, index]));
  }
  if (typeof value !== 'object' || Array.isArray(value)) throw mismatch(value, 'a mapping', path);
  const read = Object.entries(value).map(([key, inner]): [string, unknown] => {
    const innerShape =
      'map' in shape ? shape.map : Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
    return [key, innerShape === undefined ? inner : readShape(inner, innerShape, [...path, key])];
  });
  const present = 'map' in shape ? read : read.filter(([, inner]) => inner !== '' && inner != null);
  return Object.fromEntries(present);
}

function zeroOf(shape: Shape): unknown {
  if (typeof shape === 'string') return shape === 'boolean' ? undefined : '';
  return undefined;
}

function readBase64(value: string, path: Path): string {
  // Go's decoder skips line breaks and demands the padding.
  const joined = value.replace(/[\r\n]/g, '');
  if (joined.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(joined)) {
    throw new ShapeError(path, 'has to be base64');
  }
  return joined;
}

function mismatch(value: unknown, wanted: string, path: Path): ShapeError {
  const found = Array.isArray(value)
    ? 'a list'
    : typeof value === 'object'
      ? 'a mapping'
      : `a ${typeof value}`;
  const hint = wanted === 'a string' && typeof value !== 'object' ? '; put it in quotes' : '';
  return new ShapeError(path, `has to be ${wanted}, not ${found}${hint}`);
}

function formatPath(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('');
}
