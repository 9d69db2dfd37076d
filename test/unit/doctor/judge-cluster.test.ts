/** Covers the checks of product, nodes and pull secret, case by case; test/cli/doctor.test.ts has the usual ones. */
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
const CTD = 'containerd 2.1.9 on linux/amd64';

function secret(
  flag: string | undefined,
  answer: Answer<SecretFacts>,
  names: readonly string[] = [],
): Finding {
  const facts = {pullSecret: answer, pullSecrets: found(names)};
  return judgePullSecret(choosePullSecret(flag, undefined), facts, 'builds');
}

const GOOD = found({type: 'kubernetes.io/dockerconfigjson'});
const OPAQUE = found({type: 'Opaque'});
const IS_OPAQUE = 'is of type Opaque, not kubernetes.io/dockerconfigjson';
const GHCR = 'The pull secret "ghcr" (from --registry-secret)';
const windows = node('w', 'containerd://1.7', {labels: {'kubernetes.io/os': 'windows'}});
const arm = node('b', 'containerd://2.1.9', {architecture: 'arm64'});
const down = node('b', 'containerd://2.1.9', {ready: false});

type Case = readonly [what: string, mark: Mark, finding: Finding, found: string, fix?: string];
const CASES: readonly Case[] = [
  ['a product', 'ok', judgeProduct({product: 'kind', reason: 'so it is called'}), 'kind: so it is called'],
  ['nodes that are alike', 'ok', nodes(node('a'), node('b')), `2 nodes: ${CTD}`],
  ['Docker', 'ok', nodes(node('a', 'docker://28.0.1')), '1 node: docker 28.0.1 on linux/amd64'],
  ['a Windows node beside it', 'ok', nodes(node('a'), windows), `1 node: ${CTD}`],
  [
    'two architectures',
    'warn',
    nodes(node('a'), arm),
    `2 nodes: ${CTD}, containerd 2.1.9 on linux/arm64; an image is built for one of them unless you ask for more`,
    'Build with --platform linux/amd64 --platform linux/arm64 and --push.',
  ],
  [
    'a node that is down',
    'warn',
    nodes(node('a'), down),
    `2 nodes: ${CTD}; not ready: b`,
    'kubectl describe node b',
  ],
  [
    'cri-o with a rootless builder',
    'warn',
    judgeNodes([node('a', 'cri-o://1.34.0')], {rootless: true}),
    'The nodes run cri-o; kubectl build puts images into containerd and Docker only. Images can still be pushed.',
    'A rootless builder works on any runtime, but it can only push images to a registry.',
  ],
  [
    'nodes that cannot be listed',
    'warn',
    judgeNodes(undefined, {rootless: false}),
    'you do not have permission to list nodes, so their runtime is unknown and no builder can be created for it',
    'Ask for permission to list nodes.',
  ],
  [
    'the default secret',
    'ok',
    secret(undefined, GOOD, ['docker-registry', 'ghcr']),
    '"docker-registry": the default; the namespace also has ghcr',
  ],
  ['no secret', 'ok', secret(undefined, MISSING), 'none: there is no secret "docker-registry"'],
  [
    'no secret wanted',
    'ok',
    secret('', MISSING, ['ghcr', 'quay']),
    'none: --registry-secret is empty; the namespace also has ghcr, quay',
  ],
  [
    'another type',
    'fail',
    secret('ghcr', OPAQUE),
    `${GHCR} ${IS_OPAQUE} in namespace "builds".`,
    'Use another one with --registry-secret NAME.',
  ],
  [
    'the default one of another type',
    'warn',
    secret(undefined, OPAQUE, ['quay']),
    `the secret "docker-registry" in namespace "builds" ${IS_OPAQUE}, so it is not used`,
    'Use an existing one: --registry-secret quay',
  ],
  [
    'one that cannot be read',
    'warn',
    secret('ghcr', forbidden('no')),
    'could not read the pull secret "ghcr", so it is used unchecked: no',
  ],
];

describe('the checks of the cluster', () => {
  for (const [what, mark, finding, text, fix] of CASES) {
    it(`report ${mark} for ${what}`, () => {
      const {fix: advice} = finding;
      expect([finding.mark, finding.found, advice && formatAdvice(advice)]).to.deep.equal([mark, text, fix]);
    });
  }
});
