/** Covers the checks of the way to the cluster, case by case; test/cli/doctor.test.ts has the usual ones. */
import {expect} from 'chai';
import type {ResourceRule} from '../../../src/cluster/api/facts.ts';
import type {Product} from '../../../src/cluster/product.ts';
import type {Target} from '../../../src/cluster/target/target.ts';
import {
  judgeKubeconfig,
  judgePermissions,
  judgeServer,
  judgeUser,
} from '../../../src/doctor/judge-connection.ts';
import type {Seen} from '../../../src/doctor/observe.ts';
import type {Finding, Mark} from '../../../src/doctor/report.ts';
import {type ErrorCode, TiltbuildError} from '../../../src/errors.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {forbidden} from '../builder/builder-world.ts';

const TARGET: Target = {
  context: 'work',
  namespace: 'builds',
  cluster: {name: 'kind-demo', server: 'https://api'},
  user: {name: 'me'},
};

const seen = <T>(value: T, took = 40): Seen<T> => ({kind: 'seen', value, took});
const failed = (code: ErrorCode, ...detail: string[]): Seen<never> => ({
  kind: 'failed',
  error: new TiltbuildError(code, 'It went wrong.', {detail}),
  took: 40,
});
const late: Seen<never> = {kind: 'late', limit: 3000};

const server = (version: Seen<string>, reading: Seen<unknown>, product: Product = 'unknown') =>
  judgeServer(version, reading, {target: TARGET, byNames: {product, reason: 'so'}, slow: 1000});
const all: ResourceRule = {verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: []};
const reader: ResourceRule = {...all, verbs: ['get', 'list'], apiGroups: ['', 'apps']};
const exec: ResourceRule = {...all, verbs: ['create'], apiGroups: [''], resources: ['pods/exec']};
const allowed = (rules: readonly ResourceRule[] | undefined, userName?: string, refused = false) =>
  judgePermissions(
    {rules, deployments: refused ? forbidden('no') : undefined},
    {name: 'buildkit', namespace: 'builds'},
    userName,
  );

const ANSWERS = 'https://api answers in';
const CHECK = 'Check that the cluster is running and reachable: kubectl version';
const LOOK = 'Every build waits for it many times. Look for a VPN or a proxy in between.';
const GRANT = 'kubectl create rolebinding kubectl-tiltbuild --clusterrole edit --user';
const LACKS = 'you do not have permission to';
const NEEDED = 'in namespace "builds", which a build needs';
const denied = failed('cluster-denied');
const down = (detail: string) => failed('cluster-unreachable', detail);
const lost = new TiltbuildError('kubeconfig-missing', 'No.', {
  detail: ['looked at x'],
  remedy: ['Name one.'],
});

type Case = readonly [what: string, mark: Mark, finding: Finding, found: string, fix?: string];
const CASES: readonly Case[] = [
  ['flags alone', 'ok', judgeKubeconfig({...TARGET, context: ''}), 'cluster "kind-demo", namespace "builds"'],
  ['no kubeconfig', 'fail', judgeKubeconfig(lost), 'No. (looked at x)', 'Name one.'],
  ['an answer', 'ok', server(seen('v1.36.2'), seen({})), `${ANSWERS} 40 ms, Kubernetes v1.36.2`],
  ['a quick answer', 'ok', server(seen('', 4), seen({})), `${ANSWERS} under 10 ms`],
  ['a slow one', 'warn', server(seen('v1', 1234), seen({})), `${ANSWERS} 1.2 s, Kubernetes v1`, LOOK],
  ['a 401', 'ok', server(denied, denied), `${ANSWERS} 40 ms`],
  ['a 401 for part', 'ok', server(seen('v1.36.2'), denied), `${ANSWERS} 40 ms, Kubernetes v1.36.2`],
  ['no server', 'fail', server(down('ECONNREFUSED'), down('x')), 'It went wrong. (ECONNREFUSED)', CHECK],
  [
    'no server, on minikube',
    'fail',
    server(down('ConnectionRefused'), late, 'minikube'),
    'It went wrong. (ConnectionRefused)',
    'minikube start --profile work',
  ],
  ['an odd server, on kind', 'fail', server(down('odd'), late, 'kind'), 'It went wrong. (odd)', CHECK],
  ['no answer in time', 'fail', server(late, late), 'https://api did not answer within 3 s', CHECK],
  ['no kubectl', 'skipped', server(failed('tool-missing'), late), 'not checked: waits for "kubectl"'],
  [
    'a user without a name',
    'ok',
    judgeUser(seen({userName: undefined}), TARGET),
    '"me" in the kubeconfig; the API server does not report a name',
  ],
  ['no server to ask', 'skipped', judgeUser(late, TARGET), 'not checked: waits for "API server"'],
  ['a broken one', 'skipped', judgeUser(down('x'), TARGET), 'not checked: waits for "API server"'],
  ['all permissions', 'ok', allowed([all]), 'all that builds and builders need in namespace "builds"'],
  [
    'rules that the server does not list',
    'ok',
    allowed(undefined),
    'the API server does not list them; all requests so far were allowed',
  ],
  [
    'no permission to exec',
    'fail',
    allowed([reader], 'jane doe'),
    `${LACKS} create pods/exec ${NEEDED}`,
    `${GRANT} 'jane doe' --namespace builds`,
  ],
  [
    'a 403 without rules',
    'fail',
    allowed(undefined, undefined, true),
    `${LACKS} list deployments.apps ${NEEDED}`,
    `${GRANT} USER --namespace builds`,
  ],
  [
    'permission to build alone',
    'warn',
    allowed([reader, exec], 'jane'),
    `all that a build needs in namespace "builds"; to create a builder ${LACKS} create deployments.apps, create configmaps, patch configmaps`,
    `${GRANT} jane --namespace builds`,
  ],
];

describe('the checks of the connection', () => {
  for (const [what, mark, finding, found, fix] of CASES) {
    it(`report ${mark} for ${what}`, () => {
      const {fix: advice} = finding;
      expect([finding.mark, finding.found, advice && formatAdvice(advice)]).to.deep.equal([mark, found, fix]);
    });
  }
});
