/** Owns what the stand-in API server serves: its resources, and the columns of their tables. */
import type {ApiObject} from './api-samples.ts';

export const resourceNames = [
  'namespaces',
  'nodes',
  'secrets',
  'configmaps',
  'pods',
  'events',
  'deployments',
  'replicasets',
] as const;

export type ResourceName = (typeof resourceNames)[number];

export interface Resource {
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

// biome-ignore lint/suspicious/noExplicitAny: as above.
const containers = (pod: ApiObject): any[] => at(pod, 'status').containerStatuses ?? [];

/** In short, as the server puts it for people. */
function describePod(pod: ApiObject): string {
  if ('deletionTimestamp' in pod.metadata) return 'Terminating';
  const {waiting, terminated} = containers(pod)[0]?.state ?? {};
  return waiting?.reason ?? terminated?.reason ?? at(pod, 'status').reason ?? at(pod, 'status').phase;
}

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
  configmaps: {
    kind: 'ConfigMap',
    group: '',
    namespaced: true,
    shortNames: ['cm'],
    columns: [
      name,
      [
        'Data',
        'string',
        (object) => Object.keys(at(object, 'data')).length + Object.keys(at(object, 'binaryData')).length,
      ],
      age,
    ],
  },
  pods: {
    kind: 'Pod',
    group: '',
    namespaced: true,
    shortNames: ['po'],
    columns: [
      name,
      [
        'Ready',
        'string',
        (object) =>
          `${containers(object).filter(({ready}) => ready).length}/${at(object, 'spec').containers.length}`,
      ],
      ['Status', 'string', describePod],
      ['Restarts', 'string', (object) => String(containers(object)[0]?.restartCount ?? 0)],
      age,
    ],
  },
  events: {
    kind: 'Event',
    group: '',
    namespaced: true,
    shortNames: ['ev'],
    columns: [
      ['Last Seen', 'string', () => '1s'],
      ['Type', 'string', (object) => object.type],
      ['Reason', 'string', (object) => object.reason],
      [
        'Object',
        'string',
        (object) => `${at(object, 'involvedObject').kind.toLowerCase()}/${at(object, 'involvedObject').name}`,
      ],
      ['Message', 'string', (object) => object.message],
    ],
  },
  replicasets: {
    kind: 'ReplicaSet',
    group: 'apps',
    namespaced: true,
    shortNames: ['rs'],
    columns: [
      name,
      ['Desired', 'integer', (object) => at(object, 'spec').replicas],
      ['Current', 'integer', (object) => at(object, 'status').replicas ?? 0],
      ['Ready', 'integer', (object) => at(object, 'status').readyReplicas ?? 0],
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
