/** Covers whether an image is on the builder's nodes: what is asked, what proves it, and what is no answer. */
import {expect} from 'chai';
import {isOnItsNodes} from '../../../../src/builder/ensure/image-presence.ts';
import type {Product} from '../../../../src/cluster/product.ts';
import {forbidden, found, MISSING, type Scripted, scriptCluster} from '../builder-world.ts';

const CANONICAL = 'docker.io/library/web:tilt-1';
const BUILDER = {name: 'buildkit', namespace: 'builds'};

function web({
  namespace = 'apps',
  app = 'web',
  node = 'n1',
  image = CANONICAL,
  state = {running: {}} as object,
} = {}) {
  const containers = [
    {name: 'sidecar', image: 'envoy'},
    {name: 'c', image},
  ];
  const containerStatuses = [
    {name: 'sidecar', state: {running: {}}},
    {name: 'c', state},
  ];
  const metadata = {namespace, labels: {app}};
  return {metadata, spec: {nodeName: node, containers}, status: {containerStatuses}};
}

const builder = (node = 'n1') => web({...BUILDER, app: BUILDER.name, node, image: 'moby/buildkit'});

async function ask(answer: Scripted, product: Product = 'kind') {
  const cluster = scriptCluster({get: {pods: [answer]}});
  return {there: await isOnItsNodes({canonical: CANONICAL, builder: BUILDER, product}, cluster), cluster};
}

describe('isOnItsNodes', () => {
  for (const [what, items, expected] of [
    ['a container that runs from it', [builder(), web()], true],
    ['one among others', [builder(), web({image: 'other'}), web()], true],
    ['one under a familiar name', [builder(), web({image: 'web:tilt-1'})], true],
    ['no container from it', [builder(), web({image: 'web:tilt-2'})], false],
    ['one of another registry', [builder(), web({image: 'localhost/web:tilt-1'})], false],
    ['a name that is none', [builder(), web({image: 'Not A Name'})], false],
    ['one that only waits', [builder(), web({state: {waiting: {reason: 'CrashLoopBackOff'}}})], false],
    ['one that has ended', [builder(), web({state: {terminated: {exitCode: 0}}})], false],
    ['one without a status', [builder(), {...web(), status: {}}], false],
    ['one on another node', [builder('n1'), web({node: 'n2'})], false],
    ['one on each of two nodes', [builder('n1'), builder('n2'), web({node: 'n2'}), web()], true],
    ['one on one of two nodes', [builder('n1'), builder('n2'), web()], false],
    ['no builder', [web()], false],
    ['a builder that has no node yet', [builder(''), web({node: ''})], false],
    ['a builder of that name elsewhere', [web({app: 'buildkit', image: 'x'}), web()], false],
    ['no pods', [], false],
  ] as const) {
    it(`is ${expected} with ${what}`, async () => {
      expect((await ask(found({items}))).there).to.equal(expected);
    });
  }

  it('is false without an answer', async () => {
    for (const answer of [forbidden('no'), MISSING, new Error('connection refused'), found('x')])
      expect((await ask(answer)).there).to.equal(false);
  });

  it('reads all pods of a local cluster, and else those of the namespace', async () => {
    const empty = found({items: []});
    expect((await ask(empty, 'kind')).cluster.gets).to.deep.equal(['/api/v1/pods']);
    expect((await ask(empty, 'gke')).cluster.gets).to.deep.equal(['/api/v1/namespaces/builds/pods']);
  });
});
