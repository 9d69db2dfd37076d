/** Owns watches: a stream of what changes among the objects that a client asked for. */
import type {ServerResponse} from 'node:http';
import type {ApiHistory, Change} from './api-history.ts';
import {objectsOf} from './api-objects.ts';
import {writeAccepted} from './api-representations.ts';
import {type ResourceName, resources} from './api-resources.ts';
import type {ApiObject} from './api-samples.ts';
import {matches} from './api-selectors.ts';
import type {ApiState} from './api-state.ts';

export interface Watched {
  readonly plural: ResourceName;
  readonly namespace: string | undefined;
  readonly accept: string;
  readonly query: Readonly<Record<string, string>>;
}

/** Goes on until the time given is over, the client leaves or the server closes. */
export function streamWatch(
  {plural, namespace, accept, query}: Watched,
  {state, history}: {state: ApiState; history: ApiHistory},
  response: ServerResponse,
): void {
  history.observe();
  response.writeHead(200, {'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private'});
  response.flushHeaders();
  const resource = resources[plural];
  const visible = new Set<string>();
  const send = (type: string, object: ApiObject) => {
    const content = writeAccepted(
      accept,
      query.includeObject,
      {kind: resource.kind, apiVersion: resource.group === '' ? 'v1' : `${resource.group}/v1`, ...object},
      resource,
    );
    response.write(`${JSON.stringify({type, object: content})}\n`);
  };
  const wanted = (object: ApiObject) =>
    (namespace === undefined || object.metadata.namespace === namespace) && matches(object, query);
  const keyOf = ({metadata}: ApiObject) => `${metadata.namespace}/${metadata.name}`;
  /** As a real server: what no longer matches is gone for this client. */
  const tell = ({type, object, ...change}: Change) => {
    if (change.plural !== plural) return;
    const key = keyOf(object);
    const present = type !== 'DELETED' && wanted(object);
    if (present) send(visible.has(key) ? 'MODIFIED' : 'ADDED', object);
    else if (visible.has(key)) send('DELETED', object);
    if (present) visible.add(key);
    else visible.delete(key);
  };

  const from = Number(query.resourceVersion ?? 0);
  const initial = query.sendInitialEvents === 'true';
  const current = objectsOf(plural, state).filter(wanted);
  if (initial || from === 0) {
    for (const object of current) {
      visible.add(keyOf(object));
      send('ADDED', object);
    }
    if (initial && query.allowWatchBookmarks === 'true') sendBookmark();
  } else {
    const missed = history.since(from).filter((change) => change.plural === plural);
    const firsts = new Map(missed.toReversed().map((change) => [keyOf(change.object), change]));
    for (const object of current) if (!firsts.has(keyOf(object))) visible.add(keyOf(object));
    for (const [key, {type, object}] of firsts) if (type !== 'ADDED' && wanted(object)) visible.add(key);
    for (const change of missed) tell(change);
  }
  const stop = history.listen(tell);
  const seconds = Number(query.timeoutSeconds ?? 0);
  const timer = seconds > 0 ? setTimeout(() => response.end(), seconds * 1000) : undefined;
  response.on('close', () => {
    stop();
    clearTimeout(timer);
  });

  function sendBookmark(): void {
    const annotations = {'k8s.io/initial-events-end': 'true'};
    const metadata = {resourceVersion: history.version, creationTimestamp: null, annotations};
    const object = {
      kind: resource.kind,
      apiVersion: resource.group === '' ? 'v1' : `${resource.group}/v1`,
      metadata,
    };
    // In a Table too, the bookmark is a row whose object carries the annotation.
    const content = writeAccepted(accept, query.includeObject, object as unknown as ApiObject, resource);
    response.write(`${JSON.stringify({type: 'BOOKMARK', object: content})}\n`);
  }
}
