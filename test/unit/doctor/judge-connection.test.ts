/** Covers the checks of the way to the cluster, case by case. */
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

const GRANT = 'kubectl create rolebinding kubectl-tiltbuild --clusterrole edit --user';

const CASES: readonly (readonly [what: string, finding: Finding, mark: Mark, found: string, fix?: string])[] =
  [
    ['a context', judgeKubeconfig(TARGET), 'ok', 'context "work", namespace "builds"'],
    [
      'flags alone',
      judgeKubeconfig({...TARGET, context: ''}),
      'ok',
      'cluster "kind-demo", namespace "builds"',
    ],
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
    [
      'an answer',
      server(seen('v1.36.2'), seen({})),
      'ok',
      'https://api answers in 40 ms, Kubernetes v1.36.2',
    ],
    ['a quick answer', server(seen('', 4), seen({})), 'ok', 'https://api answers in under 10 ms'],
    [
      'a slow answer',
      server(seen('v1.36.2', 1234), seen({})),
      'warn',
      'https://api answers in 1.2 s, Kubernetes v1.36.2',
      'Every build waits for it many times. Look for a VPN or a proxy in between.',
    ],
    [
      'a 401',
      server(failed('cluster-denied'), failed('cluster-denied')),
      'ok',
      'https://api answers in 40 ms',
    ],
    [
      'a 401 for part',
      server(seen('v1.36.2'), failed('cluster-denied')),
      'ok',
      'https://api answers in 40 ms, Kubernetes v1.36.2',
    ],
    [
      'no server',
      server(failed('cluster-unreachable', 'connect ECONNREFUSED'), failed('cluster-unreachable', 'x')),
      'fail',
      'It went wrong. (connect ECONNREFUSED)',
      'Check that the cluster is running and reachable: kubectl version',
    ],
    [
      'no server, on kind',
      server(failed('cluster-unreachable', 'connect ECONNREFUSED'), late, 'kind'),
      'fail',
      'It went wrong. (connect ECONNREFUSED)',
      'docker start demo-control-plane',
    ],
    [
      'no server, on minikube',
      server(failed('cluster-unreachable', 'ConnectionRefused'), late, 'minikube'),
      'fail',
      'It went wrong. (ConnectionRefused)',
      'minikube start --profile work',
    ],
    [
      'an unknown certificate, on kind',
      server(failed('cluster-unreachable', 'unknown authority'), late, 'kind'),
      'fail',
      'It went wrong. (unknown authority)',
      'Check that the cluster is running and reachable: kubectl version',
    ],
    [
      'no answer in time',
      server(late, late),
      'fail',
      'https://api did not answer within 3 s',
      'Check that the cluster is running and reachable: kubectl version',
    ],
    [
      'no kubectl to ask with',
      server(failed('tool-missing'), late),
      'skipped',
      'not checked: waits for "kubectl"',
    ],
    ['a user', judgeUser(seen({userName: 'jane'}), TARGET), 'ok', 'jane'],
    [
      'a user without a name',
      judgeUser(seen({userName: undefined}), TARGET),
      'ok',
      '"me" in the kubeconfig; the API server does not report a name',
    ],
    [
      'a user who is not accepted',
      judgeUser(failed('cluster-denied', 'Unauthorized'), TARGET),
      'fail',
      'It went wrong. (Unauthorized)',
      'Log in again, as you do for kubectl.',
    ],
    ['no server to ask', judgeUser(late, TARGET), 'skipped', 'not checked: waits for "API server"'],
    ['all permissions', allowed([all]), 'ok', 'all that builds and builders need in namespace "builds"'],
    [
      'rules that the server does not list',
      allowed(undefined),
      'ok',
      'the API server does not list them; all requests so far were allowed',
    ],
    [
      'no permission to exec',
      allowed([reader], 'jane doe'),
      'fail',
      'you do not have permission to create pods/exec in namespace "builds", which a build needs',
      `${GRANT} 'jane doe' --namespace builds`,
    ],
    [
      'a 403 without rules',
      allowed(undefined, undefined, true),
      'fail',
      'you do not have permission to list deployments.apps in namespace "builds", which a build needs',
      `${GRANT} USER --namespace builds`,
    ],
    [
      'permission to build alone',
      allowed([reader, exec], 'jane'),
      'warn',
      'all that a build needs in namespace "builds"; to create a builder you do not have permission to create deployments.apps, create configmaps, patch configmaps',
      `${GRANT} jane --namespace builds`,
    ],
  ];

describe('the checks of the connection', () => {
  for (const [what, finding, mark, found, fix] of CASES) {
    it(`report ${mark} for ${what}`, () => {
      const {fix: advice} = finding;
      expect([finding.mark, finding.found, advice && formatAdvice(advice)]).to.deep.equal([mark, found, fix]);
    });
  }
});
