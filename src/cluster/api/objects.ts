/** Owns reading the API server's JSON: Tables, lists, nodes, reviews and Status. */
import type {Answer, ApiObject, NodeFacts, ResourceRule, SecretFacts} from './facts.ts';
import {asList, asObject, asText, asTextFields, asTexts} from './json-values.ts';

/** The Accept header for a server-side Table: the row of a Secret has its name and type, and no data. */
export const ACCEPT_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

/** The type of the Secret in a one-row Table (recordings/api/secret-table.json); undefined for anything else. */
export function readSecretTable(body: unknown): SecretFacts | undefined {
  const {kind, columnDefinitions, rows} = asObject(body);
  if (kind !== 'Table') return undefined;
  const column = asList(columnDefinitions).findIndex((definition) => asObject(definition).name === 'Type');
  const type = asList(asObject(asList(rows)[0]).cells)[column];
  return typeof type === 'string' ? {type} : undefined;
}

/** The names in a Table of Secrets (recordings/api/secrets-table-by-type.json); undefined for anything else. */
export function readSecretNames(body: unknown): readonly string[] | undefined {
  const {kind, columnDefinitions, rows} = asObject(body);
  if (kind !== 'Table') return undefined;
  const column = asList(columnDefinitions).findIndex((definition) => asObject(definition).name === 'Name');
  return asTexts(asList(rows).map((row) => asList(asObject(row).cells)[column]));
}

/** The objects of a list. */
export function readItems(body: unknown): readonly ApiObject[] {
  return asList(asObject(body).items);
}

/** The review that asks for the user's permissions in `namespace`. */
export function rulesReview(namespace: string): unknown {
  return {apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: {namespace}};
}

/** The review that asks who the user is to the API server. */
export const SELF_REVIEW: unknown = {apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview'};

/** The user's name in the answer; empty where there is none. */
export function readSelfReview(body: unknown): string {
  return asText(asObject(asObject(asObject(body).status).userInfo).username);
}

/** The rules in the answer; undefined where the server says that it does not know them all. */
export function readRulesReview(body: unknown): readonly ResourceRule[] | undefined {
  const {incomplete, resourceRules} = asObject(asObject(body).status);
  if (incomplete === true || !Array.isArray(resourceRules)) return undefined;
  return resourceRules.map((rule) => {
    const {verbs, apiGroups, resources, resourceNames} = asObject(rule);
    return {
      verbs: asTexts(verbs),
      apiGroups: asTexts(apiGroups),
      resources: asTexts(resources),
      resourceNames: asTexts(resourceNames),
    };
  });
}

/** Changes what was found, and keeps the other answers. */
export function mapAnswer<T, U>(answer: Answer<T>, change: (value: T) => U): Answer<U> {
  return answer.kind === 'found' ? {kind: 'found', value: change(answer.value)} : answer;
}

/** What identifies the product, of each node. */
export function readNodes(items: readonly ApiObject[]): readonly NodeFacts[] {
  return items.map((item) => {
    const {metadata, spec} = asObject(item);
    const {name, labels} = asObject(metadata);
    return {
      name: asText(name),
      providerId: asText(asObject(spec).providerID),
      labels: asTextFields(labels),
    };
  });
}

/** The message of a Status object; undefined for any other text. */
export function readStatus(text: string): string | undefined {
  try {
    const {kind, message} = asObject(JSON.parse(text));
    return kind === 'Status' && typeof message === 'string' ? message : undefined;
  } catch {
    return undefined; // Not JSON, for example the page of a proxy.
  }
}
