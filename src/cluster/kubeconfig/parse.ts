/** Owns parsing one kubeconfig file, which accepts and refuses the same files as kubectl. */
import type {posix} from 'node:path';
import {type Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments} from 'yaml';
import {TiltbuildError} from '../../errors.ts';
import {advise, command} from '../../text/advice.ts';
import {findControlCharacter, findLeadingTab} from './decode.ts';
import {
  type ClusterFields,
  type ContextFields,
  type Path,
  readKubeconfig,
  ShapeError,
  type UserFields,
} from './shape.ts';

/** A named cluster, user or context, and its file. */
export interface Entry<Fields> {
  readonly name: string;
  readonly file: string;
  readonly fields: Fields;
}

export interface KubeconfigFile {
  readonly file: string;
  /** Empty where the file sets none. */
  readonly currentContext: string;
  readonly clusters: readonly Entry<ClusterFields>[];
  readonly users: readonly Entry<UserFields>[];
  readonly contexts: readonly Entry<ContextFields>[];
}

/**
 * Reads YAML or JSON. `file` is absolute: paths inside are relative to its directory.
 * No error quotes the text, as any line may hold a secret.
 */
export function parseKubeconfig(file: string, text: string, rules: typeof posix): KubeconfigFile {
  const lines = new LineCounter();
  const document = parseDocument(file, text, lines);
  const control = findControlCharacter(text);
  if (control !== undefined) throw malformed(file, lines, control, 'a control character');
  const tab = findLeadingTab(text, document);
  if (tab !== undefined) throw malformed(file, lines, tab, 'a tab at the start of a line');
  if (document === undefined) return {file, currentContext: '', clusters: [], users: [], contexts: []};
  try {
    const raw = readKubeconfig(toPlainValue(document));
    checkKind(raw);
    const clusters = nameEntries(file, 'clusters', raw.clusters, (item) => item.cluster);
    const users = nameEntries(file, 'users', raw.users, (item) => item.user);
    return {
      file,
      currentContext: raw['current-context'] ?? '',
      clusters: clusters.map((entry) => resolveClusterPaths(entry, rules)),
      users: users.map((entry) => resolveUserPaths(entry, rules)),
      contexts: nameEntries(file, 'contexts', raw.contexts, (item) => item.context),
    };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw malformed(file, lines, findOffset(document, error.path), error.message);
  }
}

/** The first YAML document, because kubectl reads no further; undefined where there is none. */
function parseDocument(file: string, text: string, lines: LineCounter): Document | undefined {
  // sigs.k8s.io/yaml is YAML 1.1 (`yes` is true), but keeps dates and times as strings, and of two equal keys the
  // last one wins.
  const documents = parseAllDocuments(text, {
    version: '1.1',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
    lineCounter: lines,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isForeignTag(tag)),
  });
  const document = documents[0];
  const error = document?.errors[0];
  // The parser's own message may quote the text; its code does not.
  if (error !== undefined) {
    throw malformed(
      file,
      lines,
      error.pos[0],
      `not valid YAML (${error.code.toLowerCase().replaceAll('_', ' ')})`,
    );
  }
  return document as Document | undefined;
}

function isForeignTag(tag: {readonly tag: string; readonly format?: string}): boolean {
  return tag.format === 'TIME' || /:(timestamp|binary|omap|pairs|set)$/.test(tag.tag);
}

function toPlainValue(document: Document): unknown {
  try {
    return document.toJS({maxAliasCount: 100});
  } catch {
    // An alias without its anchor, aliases that multiply without bound, a merge of something other than a mapping. The
    // parser's errors have no class of their own, and their messages may quote the text.
    throw new ShapeError([], 'has YAML aliases that cannot be resolved');
  }
}

function checkKind({kind = 'Config', apiVersion = 'v1'}: ReturnType<typeof readKubeconfig>): void {
  if (kind !== 'Config') throw new ShapeError(['kind'], 'must be Config');
  if (apiVersion !== 'v1') throw new ShapeError(['apiVersion'], 'must be v1');
}

/** kubectl gives an entry without a name an empty name, and refuses the second entry with the same name. */
function nameEntries<Item extends {readonly name?: string}, Fields>(
  file: string,
  list: string,
  items: readonly Item[] | undefined,
  fieldsOf: (item: Item) => Fields | undefined,
): readonly Entry<Fields>[] {
  const seen = new Set<string>();
  return (items ?? []).map((item: Item | undefined, index) => {
    const name = item?.name ?? '';
    if (seen.has(name)) throw new ShapeError([list, index], `repeats the name ${JSON.stringify(name)}`);
    seen.add(name);
    return {name, file, fields: (item && fieldsOf(item)) ?? ({} as Fields)};
  });
}

function resolveClusterPaths(entry: Entry<ClusterFields>, rules: typeof posix): Entry<ClusterFields> {
  return {...entry, fields: resolveFields(entry, ['certificate-authority'], rules)};
}

function resolveUserPaths(entry: Entry<UserFields>, rules: typeof posix): Entry<UserFields> {
  const fields = resolveFields(entry, ['client-certificate', 'client-key', 'tokenFile'], rules);
  const exec = fields.exec;
  // A bare command is searched for on PATH.
  if (exec?.command === undefined || !exec.command.includes(rules.sep)) return {...entry, fields};
  return {
    ...entry,
    fields: {...fields, exec: {...exec, command: resolvePath(entry.file, exec.command, rules)}},
  };
}

function resolveFields<Fields extends object>(
  entry: Entry<Fields>,
  keys: readonly (keyof Fields)[],
  rules: typeof posix,
): Fields {
  const resolved = keys.flatMap((key) => {
    const path = entry.fields[key];
    return typeof path === 'string' ? [[key, resolvePath(entry.file, path, rules)]] : [];
  });
  return {...entry.fields, ...Object.fromEntries(resolved)};
}

function resolvePath(file: string, path: string, rules: typeof posix): string {
  // For Go on Windows `\dir` is relative, as it names no volume; for Node it is absolute.
  const isAbsolute = rules.isAbsolute(path) && (rules.sep === '/' || !/^[\\/](?![\\/])/.test(path));
  return isAbsolute ? path : rules.join(rules.dirname(file), path);
}

/** Where the value at `path` starts in the text, or else the value around it. */
function findOffset(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of [...path, undefined]) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isNode(node)) break;
    offset = node.range?.[0] ?? offset;
    if (isSeq(node)) node = node.items[Number(key)];
    else if (isMap(node)) {
      node = node.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === key)?.value;
    }
  }
  return offset;
}

function malformed(file: string, lines: LineCounter, offset: number, reason: string): TiltbuildError {
  const {line, col} = lines.linePos(offset);
  // An empty text has no line.
  const where = `line ${Math.max(line, 1)}, column ${Math.max(col, 1)}`;
  return new TiltbuildError(
    'kubeconfig-malformed',
    `The kubeconfig ${file} is malformed at ${where}: ${reason}.`,
    {
      remedy: [advise`Correct the file; ${command('kubectl', 'config', 'view')} checks it too.`],
    },
  );
}
