/** Owns who may do what on the stand-in API server: refusals, and the reviews in which a client asks. */
import {writeStatus} from './api-representations.ts';
import {type ResourceName, resourceNames, resources} from './api-resources.ts';
import type {ApiState, Verb} from './api-state.ts';

const verbs: readonly Verb[] = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'];

export function isDenied(state: ApiState, verb: string, subject: string): boolean {
  const forbidden: ReadonlySet<string> = state.forbidden;
  const denied: ReadonlySet<string> = state.denied;
  return forbidden.has(subject) || forbidden.has(`${verb} ${subject}`) || denied.has(`${verb} ${subject}`);
}

export interface Attempt {
  readonly who: string | undefined;
  readonly verb: Verb;
  readonly plural: ResourceName;
  readonly subresource?: string | undefined;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** The refusal in the words of a real server, or nothing where all is well. */
export function refuse(state: ApiState, {who, verb, plural, subresource, namespace, name}: Attempt) {
  const subject = subresource === undefined ? plural : `${plural}/${subresource}`;
  if (!isDenied(state, verb, subject)) return undefined;
  const {group} = resources[plural];
  const qualified = group === '' ? plural : `${plural}.${group}`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = `${name ? `${qualified} "${name}"` : qualified} is forbidden`;
  const deed = `cannot ${verb} resource "${subject}" in API group "${group}" ${scope}`;
  const details = {...(name && {name}), ...(group && {group}), kind: plural};
  const message = `${what}: User "${who}" ${deed}`;
  return {status: 403, body: writeStatus(403, 'Forbidden', message, details)};
}

interface Review {
  readonly spec?: {
    readonly namespace?: string;
    readonly resourceAttributes?: {
      readonly verb?: string;
      readonly resource?: string;
      readonly subresource?: string;
    };
  };
}

/** A POST to one of the reviews by `who`; nothing for any other path. */
export function review(path: string, body: unknown, state: ApiState, who: string) {
  const {spec = {}} = (body ?? {}) as Review;
  const apiVersion = 'authorization.k8s.io/v1';
  switch (path) {
    case '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews': {
      const {verb = '', resource = '', subresource = ''} = spec.resourceAttributes ?? {};
      const allowed = !isDenied(state, verb, subresource ? `${resource}/${subresource}` : resource);
      const answer = {kind: 'SelfSubjectAccessReview', apiVersion, metadata: {}, spec, status: {allowed}};
      return {status: 201, body: answer};
    }
    case '/apis/authentication.k8s.io/v1/selfsubjectreviews': {
      const userInfo = {username: who, groups: ['testers', 'system:authenticated']};
      const answer = {
        kind: 'SelfSubjectReview',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: {creationTimestamp: null},
        status: {userInfo},
      };
      return {status: 201, body: answer};
    }
    case '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews': {
      const status = {resourceRules: listRules(state), nonResourceRules: [], incomplete: false};
      // As a real server: what was asked for is not repeated.
      const answer = {kind: 'SelfSubjectRulesReview', apiVersion, metadata: {}, spec: {}, status};
      return {status: 201, body: answer};
    }
    default:
      return undefined;
  }
}

/** An administrator's rule as long as nothing is forbidden, else a rule for each resource. */
function listRules(state: ApiState): object[] {
  if (state.forbidden.size + state.denied.size === 0) {
    return [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}];
  }
  return [...resourceNames, 'pods/exec', 'pods/log'].flatMap((subject) => {
    const allowed = verbs.filter((verb) => !isDenied(state, verb, subject));
    if (allowed.length === 0) return [];
    const {group} = resources[subject.split('/')[0] as ResourceName];
    return [{verbs: allowed, apiGroups: [group], resources: [subject]}];
  });
}
