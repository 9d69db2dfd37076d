/** Covers what is said of the way to the cluster, case by case. */
import {expect} from 'chai';
import type {ResourceRule} from '../../../src/cluster/api/facts.ts';
import type {Product} from '../../../src/cluster/product.ts';
import type {Target} from '../../../src/cluster/target/target.ts';
import {judgeKubeconfig, judgeRights, judgeServer, judgeUser} from '../../../src/doctor/judge-connection.ts';
import type {Seen} from '../../../src/doctor/observe.ts';
import type {Finding, Mark} from '../../../src/doctor/report.ts';
import {type ErrorCode, TiltbuildError} from '../../../src/errors.ts';

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
const rights = (rules: readonly ResourceRule[] | undefined, refused = false, userName?: string) =>
  judgeRights({rules, refused, userName, namespace: 'builds', builder: 'buildkit'});

const GRANT = 'kubectl create rolebinding kubectl-tiltbuild --clusterrole edit --user';

const CASES: readonly (readonly [
  what: string,
  finding: Finding,
  mark: Mark,
  found: string,
  cure?: string,
])[] = [
  ['a context', judgeKubeconfig(TARGET), 'ok', 'context "work", namespace "builds"'],
  ['flags alone', judgeKubeconfig({...TARGET, context: ''}), 'ok', 'cluster "kind-demo", namespace "builds"'],
  [
    'no kubeconfig',
    judgeKubeconfig(
      new TiltbuildError('kubeconfig-missing', 'There is none.', {
        detail: ['looked at x'],
        remedy: ['Name one.'],
      }),
    ),
    'fail',
    'There is none. (looked at x)',
    'Name one.',
  ],
  ['an answer', server(seen('v1.36.2'), seen({})), 'ok', 'https://api answers in 40 ms, Kubernetes v1.36.2'],
  ['a quick answer', server(seen('', 4), seen({})), 'ok', 'https://api answers in under 10 ms'],
  [
    'a slow answer',
    server(seen('v1.36.2', 1234), seen({})),
    'warn',
    'https://api answers in 1.2 s, Kubernetes v1.36.2',
    'Every build waits for it many times. Look for a VPN or a proxy in between.',
  ],
  ['a 401', server(failed('cluster-denied'), failed('cluster-denied')), 'ok', 'https://api answers in 40 ms'],
  [
    'a 401 for part',
    server(seen('v1.36.2'), failed('cluster-denied')),
    'ok',
    'https://api answers in 40 ms, Kubernetes v1.36.2',
  ],
  [
    'nobody there',
    server(failed('cluster-unreachable', 'connect ECONNREFUSED'), failed('cluster-unreachable', 'x')),
    'fail',
    'It went wrong. (connect ECONNREFUSED)',
    'Check that the cluster is running and reachable with: kubectl version',
  ],
  [
    'nobody there, on kind',
    server(failed('cluster-unreachable', 'connect ECONNREFUSED'), late, 'kind'),
    'fail',
    'It went wrong. (connect ECONNREFUSED)',
    'docker start demo-control-plane',
  ],
  [
    'nobody there, on minikube',
    server(failed('cluster-unreachable', 'ConnectionRefused'), late, 'minikube'),
    'fail',
    'It went wrong. (ConnectionRefused)',
    'minikube start --profile work',
  ],
  [
    'a certificate of somebody else, on kind',
    server(failed('cluster-unreachable', 'unknown authority'), late, 'kind'),
    'fail',
    'It went wrong. (unknown authority)',
    'Check that the cluster is running and reachable with: kubectl version',
  ],
  [
    'no answer in time',
    server(late, late),
    'fail',
    'https://api gave no answer within 3 s',
    'Check that the cluster is running and reachable with: kubectl version',
  ],
  [
    'no kubectl to ask with',
    server(failed('tool-missing'), late),
    'skipped',
    'not checked: waits for "kubectl"',
  ],
  ['a user', judgeUser(seen({userName: 'jane'}), TARGET), 'ok', 'jane'],
  [
    'a user whom nobody names',
    judgeUser(seen({userName: undefined}), TARGET),
    'ok',
    '"me" in the kubeconfig; the API server does not say who that is',
  ],
  [
    'a user who is not accepted',
    judgeUser(failed('cluster-denied', 'Unauthorized'), TARGET),
    'fail',
    'It went wrong. (Unauthorized)',
    'Log in again, as you do for kubectl.',
  ],
  ['no server to ask', judgeUser(late, TARGET), 'skipped', 'not checked: waits for "API server"'],
  ['all rights', rights([all]), 'ok', 'all that builds and builders need in namespace "builds"'],
  [
    'rules that are not told',
    rights(undefined),
    'ok',
    'the API server does not list them; what was tried was allowed',
  ],
  [
    'no right to exec',
    rights([reader], false, 'jane doe'),
    'fail',
    'you may not create pods/exec in namespace "builds", which a build needs',
    `${GRANT} 'jane doe' --namespace builds`,
  ],
  [
    'a refusal that the rules do not tell',
    rights(undefined, true),
    'fail',
    'you may not list deployments.apps in namespace "builds", which a build needs',
    `${GRANT} USER --namespace builds`,
  ],
  [
    'the rights to build alone',
    rights([reader, exec], false, 'jane'),
    'warn',
    'all that a build needs in namespace "builds"; to make a builder you may not create deployments.apps, create configmaps, patch configmaps',
    `${GRANT} jane --namespace builds`,
  ],
];

describe('the checks of the connection', () => {
  for (const [what, finding, mark, found, cure] of CASES) {
    it(`say ${mark} of ${what}`, () => {
      expect([finding.mark, finding.found, finding.cure?.text]).to.deep.equal([mark, found, cure]);
    });
  }
});
