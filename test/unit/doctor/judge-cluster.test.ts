/** Covers the checks of product, nodes and pull secret, case by case. */
import {expect} from 'chai';
import type {NodeRuntime} from '../../../src/builder/model/node-runtimes.ts';
import type {Answer, SecretFacts} from '../../../src/cluster/api/facts.ts';
import {choosePullSecret} from '../../../src/cluster/pull-secret.ts';
import {judgeNodes, judgeProduct, judgePullSecret} from '../../../src/doctor/judge-cluster.ts';
import type {Finding, Mark} from '../../../src/doctor/report.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {forbidden, found, MISSING, nodeRuntime} from '../builder/builder-world.ts';

const node = (
  name: string,
  containerRuntimeVersion = 'containerd://2.1.9',
  changes: Partial<NodeRuntime> = {},
) => nodeRuntime({name, containerRuntimeVersion, ...changes});

const nodes = (...list: readonly NodeRuntime[]) => judgeNodes(list, {rootless: false});
const DOCKER_CONFIG = 'kubernetes.io/dockerconfigjson';

function secret(
  flag: string | undefined,
  answer: Answer<SecretFacts>,
  names: readonly string[] = [],
): Finding {
  const facts = {pullSecret: answer, pullSecrets: found(names)};
  return judgePullSecret(choosePullSecret(flag, undefined), facts, 'builds');
}

const CRIO = 'The nodes run cri-o; kubectl build puts images into containerd and Docker only.';
const ROOTLESS = 'A rootless builder works on any runtime, but it can only push images to a registry.';

const CASES: readonly (readonly [what: string, finding: Finding, mark: Mark, found: string, fix?: string])[] =
  [
    ['kind', judgeProduct({product: 'kind', reason: 'so it is called'}), 'ok', 'kind: so it is called'],
    ['an unknown product', judgeProduct({product: 'unknown', reason: 'no mark'}), 'ok', 'unknown: no mark'],
    [
      'k3d',
      judgeProduct({product: 'k3d', reason: 'its name'}),
      'fail',
      'k3d: its name; its nodes do not let BuildKit reach their runtime',
      'kind create cluster',
    ],
    ['one node', nodes(node('a')), 'ok', '1 node: containerd 2.1.9 on linux/amd64'],
    ['nodes that are alike', nodes(node('a'), node('b')), 'ok', '2 nodes: containerd 2.1.9 on linux/amd64'],
    ['Docker', nodes(node('a', 'docker://28.0.1')), 'ok', '1 node: docker 28.0.1 on linux/amd64'],
    [
      'a Windows node beside it',
      nodes(node('a'), node('w', 'containerd://1.7', {labels: {'kubernetes.io/os': 'windows'}})),
      'ok',
      '1 node: containerd 2.1.9 on linux/amd64',
    ],
    [
      'two architectures',
      nodes(node('a'), node('b', 'containerd://2.1.9', {architecture: 'arm64'})),
      'warn',
      '2 nodes: containerd 2.1.9 on linux/amd64, containerd 2.1.9 on linux/arm64; an image is built for one of them unless you ask for more',
      'Build with --platform linux/amd64 --platform linux/arm64 and --push.',
    ],
    [
      'a node that is down',
      nodes(node('a'), node('b', 'containerd://2.1.9', {ready: false})),
      'warn',
      '2 nodes: containerd 2.1.9 on linux/amd64; not ready: b',
      'kubectl describe node b',
    ],
    ['cri-o', nodes(node('a', 'cri-o://1.34.0')), 'fail', CRIO, ROOTLESS],
    [
      'cri-o with a rootless builder',
      judgeNodes([node('a', 'cri-o://1.34.0')], {rootless: true}),
      'warn',
      `${CRIO} Images can still be pushed.`,
      ROOTLESS,
    ],
    [
      'nodes that cannot be listed',
      judgeNodes(undefined, {rootless: false}),
      'warn',
      'you do not have permission to list nodes, so their runtime is unknown and no builder can be created for it',
      'Ask for permission to list nodes.',
    ],
    [
      'the default secret',
      secret(undefined, found({type: DOCKER_CONFIG}), ['docker-registry', 'ghcr']),
      'ok',
      '"docker-registry": the default; the namespace also has ghcr',
    ],
    ['no secret', secret(undefined, MISSING), 'ok', 'none: there is no secret "docker-registry"'],
    [
      'no secret wanted',
      secret('', MISSING, ['ghcr', 'quay']),
      'ok',
      'none: --registry-secret is empty; the namespace also has ghcr, quay',
    ],
    [
      'a named one that is missing',
      secret('ghcr', MISSING),
      'fail',
      'The pull secret "ghcr" (from --registry-secret) does not exist in namespace "builds".',
      'kubectl create secret docker-registry ghcr --namespace builds --docker-server=HOST --docker-username=USER --docker-password=PASSWORD',
    ],
    [
      'a named one of another type',
      secret('ghcr', found({type: 'Opaque'})),
      'fail',
      `The pull secret "ghcr" (from --registry-secret) is of type Opaque, not ${DOCKER_CONFIG} in namespace "builds".`,
      'Use another one with --registry-secret NAME.',
    ],
    [
      'a named one of another type, where there is a better one',
      secret('ghcr', found({type: 'Opaque'}), ['quay']),
      'fail',
      `The pull secret "ghcr" (from --registry-secret) is of type Opaque, not ${DOCKER_CONFIG} in namespace "builds".`,
      'Use an existing one: --registry-secret quay',
    ],
    [
      'the default one of another type',
      secret(undefined, found({type: 'Opaque'})),
      'warn',
      `the secret "docker-registry" in namespace "builds" is of type Opaque, not ${DOCKER_CONFIG}, so it is not used`,
    ],
    [
      'one that cannot be read',
      secret('ghcr', forbidden('no')),
      'warn',
      'could not read the pull secret "ghcr", so it is used unchecked: no',
    ],
  ];

describe('the checks of the cluster', () => {
  for (const [what, finding, mark, text, fix] of CASES) {
    it(`report ${mark} for ${what}`, () => {
      const {fix: advice} = finding;
      expect([finding.mark, finding.found, advice && formatAdvice(advice)]).to.deep.equal([mark, text, fix]);
    });
  }
});
