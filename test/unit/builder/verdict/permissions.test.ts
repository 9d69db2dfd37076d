/** Covers which permissions a build needs, and how the rules of a review grant them. */
import {expect} from 'chai';
import {
  BUILD_PERMISSIONS,
  BUILDER_PERMISSIONS,
  missingPermissions,
} from '../../../../src/builder/verdict/permissions.ts';
import type {ResourceRule} from '../../../../src/cluster/api/facts.ts';

function rule(
  verbs: string,
  resources: string,
  apiGroups: readonly string[] = [''],
  resourceNames: readonly string[] = [],
): ResourceRule {
  return {verbs: verbs.split(','), resources: resources.split(','), apiGroups, resourceNames};
}

/** To get one of these names; without a name, all. */
const ofDeployments = (name: string) => rule('get', 'deployments', ['apps'], name === '' ? [] : [name]);

const LIST = 'list pods';
const EXEC = 'create pods/exec';
const GET = 'get deployments.apps';

describe('missingPermissions', () => {
  for (const [what, granted, permission, ...rules] of [
    ['one among several verbs', true, LIST, rule('get,list,watch', 'pods')],
    ['one among several resources', true, LIST, rule('list', 'secrets,pods')],
    ['one among several groups', true, GET, rule('get', 'deployments', ['', 'apps'])],
    ['all verbs', true, LIST, rule('*', 'pods')],
    ['all resources', true, LIST, rule('list', '*')],
    ['all groups', true, GET, rule('get', 'deployments', ['*'])],
    ['all of everything', true, EXEC, rule('*', '*', ['*'])],
    ['a later rule', true, LIST, rule('get', 'pods'), rule('list', 'pods')],
    ['no rule', false, LIST],
    ['another verb', false, LIST, rule('get,watch', 'pods')],
    ['another resource', false, LIST, rule('list', 'podtemplates')],
    ['a longer name', false, LIST, rule('list', 'pods.metrics')],
    ['another group', false, GET, rule('get', 'deployments', ['extensions'])],
    ['the core group for one of apps', false, GET, rule('get', 'deployments')],
    ['rules that together have all parts', false, LIST, rule('list', 'secrets'), rule('get', 'pods')],
    ['the subresource', true, EXEC, rule('create', 'pods/exec')],
    ['all resources, for a subresource', true, EXEC, rule('create', '*')],
    ['this subresource of all', true, EXEC, rule('create', '*/exec')],
    ['another subresource of all', false, EXEC, rule('create', '*/attach')],
    // RBAC knows `*/exec`, and no `pods/*` (ResourceMatches, pkg/apis/rbac/v1/evaluation_helpers.go).
    ['pods/*', false, EXEC, rule('create', 'pods/*')],
    ['the resource without the subresource', false, EXEC, rule('create', 'pods')],
    ['a subresource for the resource', false, LIST, rule('list', 'pods/exec,*/log')],
    ['reading a subresource that is created', false, EXEC, rule('get', 'pods/exec')],
    ['one for this name', true, GET, ofDeployments('b')],
    ['one for other names', false, GET, ofDeployments('other')],
    ['a list for this name', false, LIST, rule('list', 'pods', [''], ['b'])],
    ['one for other names beside one for all', true, GET, ...['other', ''].map(ofDeployments)],
  ] as const) {
    it(`${granted ? 'accepts' : 'does not accept'} ${what}`, () => {
      expect(missingPermissions(rules, [permission], 'b')).to.deep.equal(granted ? [] : [permission]);
    });
  }

  it('gives those that are missing in their order, and none where the rules are not known', () => {
    expect(missingPermissions([rule('list', 'pods')], [EXEC, LIST, GET])).to.deep.equal([EXEC, GET]);
    expect(missingPermissions(undefined, [EXEC])).to.deep.equal([]);
  });

  it('is satisfied with the role of docs/builders.md', () => {
    const role = [
      rule('get,list,create', 'deployments', ['apps']),
      rule('list', 'pods,events'),
      rule('create', 'pods/exec'),
      rule('create,patch', 'configmaps'),
    ];
    expect(missingPermissions(role, [...BUILD_PERMISSIONS, ...BUILDER_PERMISSIONS])).to.deep.equal([]);
  });
});
