/** Owns who may do what on the stand-in API server: refusals, and the reviews in which a client asks. */
import {type Answer, type ApiRequest, failure} from './requests.ts';
import {type ResourceName, resourceNames, resources, type Target, verbs} from './resources.ts';
import type {ApiState} from './state.ts';

export function whoAsks({impersonate, user}: ApiRequest): string | undefined {
  return impersonate.user ?? user;
}

/** The refusal in the words of a real server, or nothing where all is well. */
export function refuse(state: ApiState, request: ApiRequest, target: Target): Answer | undefined {
  const {plural, subresource, verb, namespace, name, qualified} = target;
  const subject = subresource === undefined ? plural : `${plural}/${subresource}`;
  const isEverywhere = namespace === undefined && isForbidden(state, `${verb} all`, subject);
  if (!isEverywhere && !isForbidden(state, verb, subject)) return undefined;
  const {group} = resources[plural];
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = `${name ? `${qualified} "${name}"` : qualified} is forbidden`;
  const deed = `cannot ${verb} resource "${subject}" in API group "${group}" ${scope}`;
  return failure(403, 'Forbidden', `${what}: User "${whoAsks(request)}" ${deed}`, target.details);
}

function isForbidden({forbidden}: ApiState, verb: string, subject: string): boolean {
  const all: ReadonlySet<string> = forbidden;
  return all.has(subject) || all.has(`${verb} ${subject}`);
}

/** A POST to one of the reviews; nothing for any other path. */
export function review(state: ApiState, request: ApiRequest): Answer | undefined {
  switch (request.path) {
    case '/apis/authentication.k8s.io/v1/selfsubjectreviews': {
      const userInfo = {username: whoAsks(request), groups: ['testers', 'system:authenticated']};
      const head = {kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1'};
      return {status: 201, body: {...head, metadata: {creationTimestamp: null}, status: {userInfo}}};
    }
    case '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews': {
      const status = {resourceRules: listRules(state), nonResourceRules: [], incomplete: false};
      // As a real server: what was asked for is not repeated.
      const head = {kind: 'SelfSubjectRulesReview', apiVersion: 'authorization.k8s.io/v1'};
      return {status: 201, body: {...head, metadata: {}, spec: {}, status}};
    }
    default:
      return undefined;
  }
}

/** An administrator's rule as long as nothing is forbidden, else a rule for each resource. */
function listRules(state: ApiState): object[] {
  if (state.forbidden.size === 0) return [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}];
  return [...resourceNames, 'pods/exec', 'pods/log'].flatMap((subject) => {
    const allowed = verbs.filter((verb) => !isForbidden(state, verb, subject));
    const {group} = resources[subject.split('/')[0] as ResourceName];
    return allowed.length === 0 ? [] : [{verbs: allowed, apiGroups: [group], resources: [subject]}];
  });
}
