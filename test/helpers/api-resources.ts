/** Owns how the stand-in API server writes its resources: discovery, lists, tables, metadata alone, refusals. */
import type {ApiObject} from './api-samples.ts';
import {readApiRecording} from './api-samples.ts';

export type ResourceName = 'namespaces' | 'nodes' | 'secrets' | 'deployments';

interface Resource {
  readonly kind: string;
  readonly group: '' | 'apps';
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  /** The columns of its Table, with what goes into each cell. */
  readonly columns: readonly (readonly [name: string, type: string, cell: (object: ApiObject) => unknown])[];
}

// biome-ignore lint/suspicious/noExplicitAny: reaching into JSON of known samples.
const at = (object: ApiObject, field: string): any => object[field] ?? {};
const name = ['Name', 'string', (object: ApiObject) => object.metadata.name] as const;
const age = ['Age', 'string', () => '1s'] as const;

export const resources: Readonly<Record<ResourceName, Resource>> = {
  namespaces: {
    kind: 'Namespace',
    group: '',
    namespaced: false,
    shortNames: ['ns'],
    columns: [name, ['Status', 'string', (object) => at(object, 'status').phase], age],
  },
  nodes: {
    kind: 'Node',
    group: '',
    namespaced: false,
    shortNames: ['no'],
    columns: [
      name,
      ['Status', 'string', () => 'Ready'],
      ['Roles', 'string', () => '<none>'],
      age,
      ['Version', 'string', (object) => at(object, 'status').nodeInfo.kubeletVersion],
    ],
  },
  secrets: {
    kind: 'Secret',
    group: '',
    namespaced: true,
    shortNames: [],
    columns: [
      name,
      ['Type', 'string', (object) => object.type],
      ['Data', 'string', (object) => Object.keys(at(object, 'data')).length],
      age,
    ],
  },
  deployments: {
    kind: 'Deployment',
    group: 'apps',
    namespaced: true,
    shortNames: ['deploy'],
    columns: [
      name,
      [
        'Ready',
        'string',
        (object) => `${at(object, 'status').readyReplicas ?? 0}/${at(object, 'spec').replicas}`,
      ],
      ['Up-to-date', 'integer', (object) => at(object, 'status').updatedReplicas ?? 0],
      ['Available', 'integer', (object) => at(object, 'status').availableReplicas ?? 0],
      age,
    ],
  },
};

/** Discovery in its oldest form, which kubectl still takes from servers that do not know the aggregated one. */
export function discover(path: string): unknown {
  const list = (group: '' | 'apps') => ({
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: group === '' ? 'v1' : 'apps/v1',
    resources: Object.entries(resources)
      .filter(([, resource]) => resource.group === group)
      .map(([plural, {kind, namespaced, shortNames}]) => ({
        name: plural,
        singularName: kind.toLowerCase(),
        namespaced,
        kind,
        verbs: ['get', 'list'],
        ...(shortNames.length > 0 && {shortNames}),
      })),
  });
  const apps = {groupVersion: 'apps/v1', version: 'v1'};
  switch (path) {
    case '/version':
      return readApiRecording('version').body;
    case '/api':
      return {kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: []};
    case '/apis':
      return {
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: [{name: 'apps', versions: [apps], preferredVersion: apps}],
      };
    case '/api/v1':
      return list('');
    case '/apis/apps/v1':
      return list('apps');
    default:
      return undefined;
  }
}

/** How the client wants it: as its Accept header says, JSON where it asks for protobuf. */
export function writeAccepted(
  accept: string,
  includeObject: string | undefined,
  content: ApiObject | {kind: string; apiVersion: string; metadata: object; items: ApiObject[]},
  {columns}: Resource,
): unknown {
  const items = 'items' in content ? (content.items as ApiObject[]) : [content as ApiObject];
  const as = accept
    .split(',')
    .map((range) => /;as=(\w+)/.exec(range)?.[1] ?? 'object')
    .at(0);
  switch (as) {
    case 'Table':
      return {
        kind: 'Table',
        apiVersion: 'meta.k8s.io/v1',
        metadata: 'items' in content ? content.metadata : {resourceVersion: content.metadata.resourceVersion},
        columnDefinitions: columns.map(([name, type]) => ({
          name,
          type,
          format: name === 'Name' ? 'name' : '',
          description: '',
          priority: 0,
        })),
        rows: items.map((object) => ({
          cells: columns.map(([, , cell]) => cell(object)),
          object:
            includeObject === 'None' ? null : includeObject === 'Object' ? object : metadataOnly(object),
        })),
      };
    case 'PartialObjectMetadata':
      return metadataOnly(content as ApiObject);
    case 'PartialObjectMetadataList':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: 'meta.k8s.io/v1',
        metadata: content.metadata,
        items: items.map(metadataOnly),
      };
    default:
      return content;
  }
}

function metadataOnly({metadata}: ApiObject): unknown {
  return {kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata};
}

export function writeStatus(code: number, reason: string, message: string, details?: object): unknown {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details && {details}),
    code,
  };
}
