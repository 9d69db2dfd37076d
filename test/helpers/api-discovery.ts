/** Owns what the stand-in API server tells of itself: its version, its resources and its OpenAPI documents. */
import {resources} from './api-resources.ts';
import {readApiRecording} from './api-samples.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];
const apps = {groupVersion: 'apps/v1', version: 'v1'};
const authorization = {groupVersion: 'authorization.k8s.io/v1', version: 'v1'};
const reviews = ['SelfSubjectAccessReview', 'SelfSubjectRulesReview'];

/** Discovery in its oldest form, which kubectl still takes from servers that do not know the aggregated one. */
export function discover(path: string): unknown {
  switch (path) {
    case '/version':
      return readApiRecording('version').body;
    case '/api':
      return {kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: []};
    case '/apis':
      return {
        kind: 'APIGroupList',
        apiVersion: 'v1',
        groups: [
          {name: 'apps', versions: [apps], preferredVersion: apps},
          {name: 'authorization.k8s.io', versions: [authorization], preferredVersion: authorization},
        ],
      };
    case '/api/v1':
      return listResources('v1', describeGroup(''));
    case '/apis/apps/v1':
      return listResources('apps/v1', describeGroup('apps'));
    case '/apis/authorization.k8s.io/v1':
      return listResources(
        authorization.groupVersion,
        reviews.map((kind) => ({
          name: `${kind.toLowerCase()}s`,
          singularName: kind.toLowerCase(),
          namespaced: false,
          kind,
          verbs: ['create'],
        })),
      );
    case '/openapi/v3':
      return {
        paths: {
          'api/v1': {serverRelativeURL: '/openapi/v3/api/v1?hash=0'},
          'apis/apps/v1': {serverRelativeURL: '/openapi/v3/apis/apps/v1?hash=0'},
        },
      };
    case '/openapi/v3/api/v1':
      return describeOpenApi('');
    case '/openapi/v3/apis/apps/v1':
      return describeOpenApi('apps');
    default:
      return undefined;
  }
}

function listResources(groupVersion: string, list: readonly object[]): unknown {
  return {kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: list};
}

function describeGroup(group: '' | 'apps'): object[] {
  const own = Object.entries(resources)
    .filter(([, resource]) => resource.group === group)
    .map(([plural, {kind, namespaced, shortNames}]) => ({
      name: plural,
      singularName: kind.toLowerCase(),
      namespaced,
      kind,
      verbs,
      ...(shortNames.length > 0 && {shortNames}),
    }));
  if (group === 'apps') return own;
  return [
    ...own,
    {name: 'pods/exec', singularName: '', namespaced: true, kind: 'PodExecOptions', verbs: ['create', 'get']},
    {name: 'pods/log', singularName: '', namespaced: true, kind: 'Pod', verbs: ['get']},
  ];
}

/** Just enough for kubectl to see that the server checks fields itself (`fieldValidation`), so that it does not. */
function describeOpenApi(group: '' | 'apps'): unknown {
  const prefix = group === '' ? '/api/v1' : '/apis/apps/v1';
  const parameters = ['dryRun', 'fieldManager', 'fieldValidation', 'force'].map((name) => ({
    name,
    in: 'query',
    schema: {type: name === 'force' ? 'boolean' : 'string', uniqueItems: true},
  }));
  const paths = Object.entries(resources)
    .filter(([, resource]) => resource.group === group)
    .map(([plural, {kind, namespaced}]) => {
      const operation = {
        parameters,
        responses: {200: {description: 'OK'}},
        'x-kubernetes-group-version-kind': {group, version: 'v1', kind},
      };
      const path = `${prefix}/${namespaced ? 'namespaces/{namespace}/' : ''}${plural}/{name}`;
      return [path, {patch: operation, put: operation}];
    });
  return {
    openapi: '3.0.0',
    info: {title: 'Kubernetes', version: 'v1.36.2'},
    paths: Object.fromEntries(paths),
    components: {schemas: {}},
  };
}
