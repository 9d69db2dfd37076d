/** Owns how the stand-in API server writes what it answers: objects, tables, metadata alone, refusals. */
import type {Resource} from './api-resources.ts';
import type {ApiObject} from './api-samples.ts';

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
