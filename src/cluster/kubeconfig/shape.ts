/** Owns what a kubeconfig may hold: its shape, the types that follow from it, and the check of a value against it. */

type Shape =
  | 'string'
  | 'boolean'
  | 'base64'
  | 'anything'
  | {readonly list: Shape}
  | {readonly map: Shape}
  | {readonly fields: Readonly<Record<string, Shape>>};

/** A value of the shape `S`. Base64 stays as it is in the file; every field may be missing. */
type Value<S extends Shape> = S extends 'string' | 'base64'
  ? string
  : S extends 'boolean'
    ? boolean
    : S extends {readonly list: infer Item extends Shape}
      ? readonly Value<Item>[]
      : S extends {readonly map: infer Item extends Shape}
        ? Readonly<Record<string, Value<Item>>>
        : S extends {readonly fields: infer Fields extends Readonly<Record<string, Shape>>}
          ? {readonly [Name in keyof Fields]?: Value<Fields[Name]>}
          : unknown;

const strings = {list: 'string'} as const satisfies Shape;
/** For example the settings of a credential plugin, under a reserved name. */
const extensions = {list: {fields: {name: 'string', extension: 'anything'}}} as const satisfies Shape;

const cluster = {
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
} as const satisfies Shape;

const exec = {
  fields: {
    command: 'string',
    args: strings,
    env: {list: {fields: {name: 'string', value: 'string'}}},
    apiVersion: 'string',
    installHint: 'string',
    provideClusterInfo: 'boolean',
    interactiveMode: 'string',
  },
} as const satisfies Shape;

const user = {
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
} as const satisfies Shape;

const context = {
  fields: {cluster: 'string', user: 'string', namespace: 'string', extensions},
} as const satisfies Shape;

/** The whole file, as `k8s.io/client-go/tools/clientcmd/api/v1` types it. */
const kubeconfig = {
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
} as const satisfies Shape;

export type ClusterFields = Value<typeof cluster>;
export type ExecFields = Value<typeof exec>;
export type UserFields = Value<typeof user>;
export type ContextFields = Value<typeof context>;

export type Path = readonly (string | number)[];

/** A value of another shape than it should have. The value itself is never part of the error, as it may be a secret. */
export class ShapeError extends Error {
  readonly path: Path;
  readonly reason: string;

  constructor(path: Path, reason: string) {
    super(`${formatPath(path)} ${reason}`);
    this.path = path;
    this.reason = reason;
  }
}

/** Throws `ShapeError`. */
export function readKubeconfig(value: unknown): Value<typeof kubeconfig> {
  return (readShape(value, kubeconfig) ?? {}) as Value<typeof kubeconfig>;
}

/**
 * The value as Go's JSON decoder would see it. Null and the empty string mean that a field is not set, so structs lose
 * them; unknown fields stay, for a kubectl that may know them.
 */
function readShape(value: unknown, shape: Shape, path: Path = []): unknown {
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
    // Of a struct Go makes an empty one.
    const empty = typeof shape.list === 'object' && 'fields' in shape.list ? {} : undefined;
    return value.map((item, index) => readShape(item ?? empty, shape.list, [...path, index]));
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
  // Go's decoder skips line breaks and requires the padding.
  const joined = value.replace(/[\r\n]/g, '');
  if (joined.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(joined)) {
    throw new ShapeError(path, 'must be base64');
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
  return new ShapeError(path, `must be ${wanted}, not ${found}${hint}`);
}

function formatPath(path: Path): string {
  if (path.length === 0) return 'the file';
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('');
}
