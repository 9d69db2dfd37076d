/** Covers asking a cluster whether an image is on the builder's nodes: what is asked, and what is taken for no answer. */
import {expect} from 'chai';
import {isOnItsNodes} from '../../../../src/builder/ensure/image-presence.ts';
import type {Cluster} from '../../../../src/cluster/ports.ts';
import type {Product} from '../../../../src/cluster/product.ts';

const CANONICAL = 'docker.io/library/web:tilt-1';
const BUILDER = {name: 'buildkit', namespace: 'builds'};

const pod = (namespace: string, app: string, image: string) => ({
  metadata: {namespace, labels: {app}},
  spec: {nodeName: 'n', containers: [{name: 'c', image}]},
  status: {containerStatuses: [{name: 'c', state: {running: {}}}]},
});

async function ask(product: Product, get: (path: string) => ReturnType<Cluster['get']>) {
  const asked: string[] = [];
  const cluster = {
    get: async (path: string) => {
      asked.push(path);
      return await get(path);
    },
  } as Cluster;
  return {there: await isOnItsNodes({canonical: CANONICAL, builder: BUILDER, product}, cluster), asked};
}

const pods = (image: string) => async () => ({
  kind: 'found' as const,
  value: {items: [pod('builds', 'buildkit', 'moby/buildkit'), pod('apps', 'web', image)]},
});

describe('isOnItsNodes', () => {
  for (const image of ['web:tilt-1', 'library/web:tilt-1', CANONICAL])
    it(`knows the image by the name ${image}`, async () => {
      expect((await ask('kind', pods(image))).there).to.equal(true);
    });

  for (const image of ['web:tilt-2', 'localhost/web:tilt-1', 'Not A Name', ''])
    it(`does not take ${JSON.stringify(image)} for it`, async () => {
      expect((await ask('kind', pods(image))).there).to.equal(false);
    });

  it('asks a local cluster for all pods, and a shared one for those of the namespace', async () => {
    expect((await ask('kind', pods(CANONICAL))).asked).to.deep.equal(['/api/v1/pods']);
    expect((await ask('gke', pods(CANONICAL))).asked).to.deep.equal(['/api/v1/namespaces/builds/pods']);
  });

  it('does not know where it may not look, and where nobody answers', async () => {
    expect((await ask('kind', async () => ({kind: 'forbidden', message: 'no'}))).there).to.equal(false);
    expect((await ask('kind', async () => ({kind: 'missing'}))).there).to.equal(false);
    const broken = ask('kind', async () => {
      throw new Error('connection refused');
    });
    expect((await broken).there).to.equal(false);
  });
});
