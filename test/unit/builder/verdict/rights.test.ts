/** Covers which rights a build needs, and how the rules of a review grant them. */
import {expect} from 'chai';
import {
  BUILD_RIGHTS,
  BUILDER_RIGHTS,
  formatRight,
  missingRights,
  type Right,
} from '../../../../src/builder/verdict/rights.ts';
import type {ResourceRule} from '../../../../src/cluster/api/facts.ts';

function rule(
  verbs: string,
  resources: string,
  apiGroups: readonly string[] = [''],
  resourceNames: readonly string[] = [],
): ResourceRule {
  return {verbs: verbs.split(','), resources: resources.split(','), apiGroups, resourceNames};
}

const LIST_PODS: Right = {verb: 'list', group: '', resource: 'pods'};
const EXEC: Right = {verb: 'create', group: '', resource: 'pods/exec'};
const GET_DEPLOYMENTS: Right = {verb: 'get', group: 'apps', resource: 'deployments'};

describe('missingRights', () => {
  for (const [what, granted, right, rules] of [
    ['the very rule', true, LIST_PODS, [rule('list', 'pods')]],
    ['one among several verbs', true, LIST_PODS, [rule('get,list,watch', 'pods')]],
    ['one among several resources', true, LIST_PODS, [rule('list', 'secrets,pods')]],
    ['one among several groups', true, GET_DEPLOYMENTS, [rule('get', 'deployments', ['', 'apps'])]],
    ['all verbs', true, LIST_PODS, [rule('*', 'pods')]],
    ['all resources', true, LIST_PODS, [rule('list', '*')]],
    ['all groups', true, GET_DEPLOYMENTS, [rule('get', 'deployments', ['*'])]],
    ['all of everything', true, EXEC, [rule('*', '*', ['*'])]],
    ['a later rule', true, LIST_PODS, [rule('get', 'pods'), rule('list', 'pods')]],
    ['no rule', false, LIST_PODS, []],
    ['another verb', false, LIST_PODS, [rule('get,watch', 'pods')]],
    ['another resource', false, LIST_PODS, [rule('list', 'podtemplates')]],
    ['a longer name', false, LIST_PODS, [rule('list', 'pods.metrics')]],
    ['another group', false, GET_DEPLOYMENTS, [rule('get', 'deployments', ['extensions'])]],
    ['the core group for one of apps', false, GET_DEPLOYMENTS, [rule('get', 'deployments')]],
    ['rules that together have all parts', false, LIST_PODS, [rule('list', 'secrets'), rule('get', 'pods')]],
    ['the subresource', true, EXEC, [rule('create', 'pods/exec')]],
    ['all resources, for a subresource', true, EXEC, [rule('create', '*')]],
    ['this subresource of all', true, EXEC, [rule('create', '*/exec')]],
    ['another subresource of all', false, EXEC, [rule('create', '*/attach')]],
    // RBAC knows `*/exec`, and no `pods/*` (ResourceMatches, pkg/apis/rbac/v1/evaluation_helpers.go).
    ['pods/*', false, EXEC, [rule('create', 'pods/*')]],
    ['the resource without the subresource', false, EXEC, [rule('create', 'pods')]],
    ['a subresource for the resource', false, LIST_PODS, [rule('list', 'pods/exec,*/log')]],
    ['reading a subresource that is created', false, EXEC, [rule('get', 'pods/exec')]],
    ['one for some names only', false, GET_DEPLOYMENTS, [rule('get', 'deployments', ['apps'], ['other'])]],
    [
      'one for some names beside one for all',
      true,
      GET_DEPLOYMENTS,
      [rule('get', 'deployments', ['apps'], ['other']), rule('get', 'deployments', ['apps'])],
    ],
  ] as const) {
    it(`${granted ? 'is content with' : 'misses it for'} ${what}`, () => {
      expect(missingRights(rules, [right])).to.deep.equal(granted ? [] : [right]);
    });
  }

  it('gives those that are missing, in their order', () => {
    const rules = [rule('list', 'pods')];
    expect(missingRights(rules, [EXEC, LIST_PODS, GET_DEPLOYMENTS])).to.deep.equal([EXEC, GET_DEPLOYMENTS]);
  });

  it('finds a build and a builder possible with the role that the README can ask for', () => {
    const role = [
      rule('get,list', 'deployments', ['apps']),
      rule('create', 'deployments', ['apps']),
      rule('list', 'pods,events'),
      rule('create', 'pods/exec'),
      rule('create,patch', 'configmaps'),
    ];
    expect(missingRights(role, [...BUILD_RIGHTS, ...BUILDER_RIGHTS])).to.deep.equal([]);
  });
});

describe('BUILDER_RIGHTS', () => {
  it('has what `kubectl apply --server-side` of the ConfigMap needs, which is a PATCH', () => {
    expect(BUILDER_RIGHTS).to.deep.include({verb: 'patch', group: '', resource: 'configmaps'});
  });
});

describe('formatRight', () => {
  for (const [right, text] of [
    [LIST_PODS, 'list pods'],
    [EXEC, 'create pods/exec'],
    [GET_DEPLOYMENTS, 'get deployments.apps'],
  ] as const) {
    it(`writes ${text} as kubectl auth can-i takes it`, () => expect(formatRight(right)).to.equal(text));
  }
});
