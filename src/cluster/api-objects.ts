/** Owns reading the API server's JSON: Tables, PartialObjectMetadata, NodeList and Status, as far as we need them. */
import type {BuilderFacts, NodeFacts, SecretFacts} from './facts.ts';

/** The Accept header for a server-side Table: a Secret's row carries its name and type, and no data. */
export const ACCEPT_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';
/** The Accept header for an object's metadata alone. */
export const ACCEPT_METADATA = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io';

type Json = Readonly<Record<string, unknown>>;

/** The type of the Secret in a one-row Table (recordings/api/secret-table.json); undefined where it is no such thing. */
export function readSecretTable(body: unknown): SecretFacts | undefined {
  const {kind, columnDefinitions, rows} = asObject(body);
  if (kind !== 'Table') return undefined;
  const column = asList(columnDefinitions).findIndex((definition) => asObject(definition).name === 'Type');
  const type = asList(asObject(asList(rows)[0]).cells)[column];
  return typeof type === 'string' ? {type} : undefined;
}

/** The labels of a Deployment, or of its metadata. */
export function readBuilder(body: unknown): BuilderFacts {
  return {labels: readLabels(asObject(body).metadata)};
}

export function readNodeList(body: unknown): readonly NodeFacts[] {
  return asList(asObject(body).items).map((item) => {
    const {metadata, spec} = asObject(item);
    const {name} = asObject(metadata);
    const {providerID} = asObject(spec);
    return {
      name: typeof name === 'string' ? name : '',
      providerId: typeof providerID === 'string' ? providerID : '',
      labels: readLabels(metadata),
    };
  });
}

/** The message of a Status object; undefined where the text is none. */
export function readStatus(text: string): string | undefined {
  try {
    const {kind, message} = asObject(JSON.parse(text));
    return kind === 'Status' && typeof message === 'string' ? message : undefined;
  } catch {
    return undefined; // Not JSON: a proxy's page, say.
  }
}

function readLabels(metadata: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(asObject(asObject(metadata).labels)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
