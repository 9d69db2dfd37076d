/**
 * Covers the checks of the way to the cluster and of the cluster itself. test/fixtures/doctor-findings.txt has what each
 * of them finds and what to do about it; `UPDATE_GOLDEN=1` writes that file. Then read through the difference.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import type {NodeRuntime} from '../../../src/builder/model/node-runtimes.ts';
import type {Answer, ResourceRule, SecretFacts} from '../../../src/cluster/api/facts.ts';
import type {Product} from '../../../src/cluster/product.ts';
import {choosePullSecret} from '../../../src/cluster/pull-secret.ts';
import type {Target} from '../../../src/cluster/target/target.ts';
import {judgeNodes, judgeProduct, judgePullSecret} from '../../../src/doctor/judge-cluster.ts';
import {
  judgeKubeconfig,
  judgePermissions,
  judgeServer,
  judgeUser,
} from '../../../src/doctor/judge-connection.ts';
import type {Seen} from '../../../src/doctor/observe.ts';
import type {Finding} from '../../../src/doctor/report.ts';
import {judgeImages, readStuckImages} from '../../../src/doctor/stuck-images.ts';
import {type ErrorCode, TiltbuildError} from '../../../src/errors.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {forbidden, found, MISSING, nodeRuntime} from '../builder/builder-world.ts';

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
const denied = failed('cluster-denied');
const down = (detail: string) => failed('cluster-unreachable', detail);
const noKubeconfig = {detail: ['looked at x'], remedy: ['Name one.']};

const server = (version: Seen<string>, reading: Seen<unknown>, product: Product = 'unknown') =>
  judgeServer(version, reading, {target: TARGET, byNames: {product, reason: 'so'}, slow: 1000});

const all: ResourceRule = {verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: []};
const reader: ResourceRule = {...all, verbs: ['get', 'list'], apiGroups: ['', 'apps']};
const exec: ResourceRule = {...all, verbs: ['create'], apiGroups: [''], resources: ['pods/exec']};
const allowed = (rules?: readonly ResourceRule[], userName?: string, deployments?: Answer<never>) =>
  judgePermissions({rules, deployments}, {name: 'buildkit', namespace: 'builds'}, userName);

const node = (name: string, runtime = 'containerd://2.1.9', changes: Partial<NodeRuntime> = {}) =>
  nodeRuntime({name, containerRuntimeVersion: runtime, ...changes});
const nodes = (...list: readonly NodeRuntime[]) => judgeNodes(list, {rootless: false, disks: []});
const windows = node('w', 'containerd://1.7', {labels: {'kubernetes.io/os': 'windows'}});
const other = (changes: Partial<NodeRuntime>) => node('b', undefined, changes);
const crio = node('a', 'cri-o://1.34.0');

const GOOD = found({type: 'kubernetes.io/dockerconfigjson'});
const OPAQUE = found({type: 'Opaque'});
function secret(
  flag: string | undefined,
  answer: Answer<SecretFacts>,
  names: readonly string[] = [],
): Finding {
  const facts = {pullSecret: answer, pullSecrets: found(names)};
  return judgePullSecret(choosePullSecret(flag, undefined), facts, 'builds');
}

/** Of a pod on node n, which has the images localhost/there:1 and a:1. */
function image(name: string, policy: string, reason = 'ImagePullBackOff', isFirst = false): Finding {
  const [own, statuses, others] = isFirst
    ? ['initContainers', 'initContainerStatuses', 'containers']
    : ['containers', 'containerStatuses', 'initContainers'];
  const pod = {
    metadata: {name: 'web-1'},
    spec: {
      nodeName: 'n',
      [own]: [{name: 'main', image: name, imagePullPolicy: policy}],
      [others]: [{name: 'fine', image: 'localhost/fine:1', imagePullPolicy: 'Always'}],
    },
    status: {[statuses]: [{name: 'main', state: {waiting: {reason}}}]},
  };
  const images = [{names: ['localhost/there:1', 'docker.io/library/a:1']}, {}];
  const stuck = readStuckImages({items: [pod, {}, pod]}, [{metadata: {name: 'n'}, status: {images}}, {}]);
  return judgeImages(stuck) ?? {mark: 'ok', found: 'no such line'};
}

const FINDINGS: Readonly<Record<string, Finding>> = {
  'a context': judgeKubeconfig(TARGET),
  'flags alone': judgeKubeconfig({...TARGET, context: ''}),
  'no kubeconfig': judgeKubeconfig(new TiltbuildError('kubeconfig-missing', 'There is none.', noKubeconfig)),
  'an answer': server(seen('v1.36.2'), seen({})),
  'a quick answer': server(seen('', 4), seen({})),
  'a slow answer': server(seen('v1.36.2', 1234), seen({})),
  'a 401': server(denied, denied),
  'a 401 for part': server(seen('v1.36.2'), denied),
  'no server': server(down('connect ECONNREFUSED'), down('x')),
  ...Object.fromEntries(
    (['kind', 'minikube', 'colima', 'orbstack', 'microk8s', 'crc'] as const).map((product) => [
      `no server, on ${product}`,
      server(down('ConnectionRefused'), late, product),
    ]),
  ),
  'an unknown certificate, on kind': server(down('unknown authority'), late, 'kind'),
  'no answer in time': server(late, late),
  'no kubectl to ask with': server(failed('tool-missing'), late),
  'a user': judgeUser(seen({userName: 'jane'}), TARGET),
  'a user without a name': judgeUser(seen({userName: undefined}), TARGET),
  'a user who is not accepted': judgeUser(failed('cluster-denied', 'Unauthorized'), TARGET),
  'no answer about the user': judgeUser(late, TARGET),
  'no server to ask about the user': judgeUser(down('x'), TARGET),
  'all permissions': allowed([all]),
  'rules that the server does not list': allowed(),
  'no permission to exec': allowed([reader], 'jane doe'),
  'a 403 without rules': allowed(undefined, undefined, forbidden('no')),
  'permission to build alone': allowed([reader, exec], 'jane'),
  kind: judgeProduct({product: 'kind', reason: 'so it is called'}),
  k3d: judgeProduct({product: 'k3d', reason: 'its name'}),
  'k3d with a builder that is ready': judgeProduct({product: 'k3d', reason: 'its name'}, true),
  'an image that is there, and is always pulled': image('localhost/there:1', 'Always'),
  'an image that is there, with credentials to be verified': image('a:1', 'IfNotPresent', 'ErrImagePull'),
  'an image that is there, and may not be pulled': image('localhost/there:1', 'Never', 'ErrImageNeverPull'),
  'an image of an init container': image('localhost/there:1', 'Always', 'ErrImagePull', true),
  'an image that was built, and is always pulled': image('ghcr.io/me/web:tilt-0123456789abcdef', 'Always'),
  'an image that was built, and is elsewhere': image('localhost/web:dev', 'IfNotPresent'),
  'an image of others': image('ghcr.io/me/web:1', 'Always'),
  'an image that nobody waits for': image('localhost/there:1', 'Always', 'ContainerCreating'),
  'an image whose name is malformed': image('//', 'Always'),
  'nodes that are alike': nodes(node('a'), node('b')),
  Docker: nodes(node('a', 'docker://28.0.1')),
  'a Windows node beside another': nodes(node('a'), windows),
  'two architectures': nodes(node('a'), other({architecture: 'arm64'})),
  'a node that is down': nodes(node('a'), other({ready: false})),
  'a disk that is nearly full': judgeNodes([node('a')], {rootless: false, disks: [{node: 'a', used: 0.861}]}),
  'disks with room': judgeNodes([node('a')], {rootless: false, disks: [{node: 'a', used: 0.8}]}),
  'cri-o': nodes(crio),
  'cri-o with a rootless builder': judgeNodes([crio], {rootless: true, disks: []}),
  'nodes that cannot be listed': judgeNodes(undefined, {rootless: false, disks: []}),
  'the default secret': secret(undefined, GOOD, ['docker-registry', 'ghcr']),
  'no secret': secret(undefined, MISSING),
  'no secret wanted': secret('', MISSING, ['ghcr', 'quay']),
  'a missing secret': secret('ghcr', MISSING),
  'a secret of another type': secret('ghcr', OPAQUE),
  'a secret of another type, where there is a better one': secret('ghcr', OPAQUE, ['quay']),
  'the default secret of another type': secret(undefined, OPAQUE),
  'a secret that cannot be read': secret('ghcr', forbidden('no')),
};

describe('the checks of the connection and the cluster', () => {
  it('find what the file has', () => {
    const file = join(import.meta.dirname, '../../fixtures/doctor-findings.txt');
    const text = Object.entries(FINDINGS)
      .map(
        ([what, {mark, found, fix}]) =>
          `── ${what}: ${mark}\n${found}\n${fix ? `${formatAdvice(fix)}\n` : ''}`,
      )
      .join('');
    if (process.env.UPDATE_GOLDEN) writeFileSync(file, text);
    expect(text).to.equal(readFileSync(file, 'utf8'));
  });
});
