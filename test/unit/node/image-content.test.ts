/** Covers what an image in a node consists of, whatever its manifest says. */
import {expect} from 'chai';
import {measureImages} from '../../../src/node/image-content.ts';
import {GrpcCode, GrpcError} from '../../../src/wire/grpc/status.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const LAYER = {digest: digest('f'), size: 1000};

/** Measures an image with this manifest and one with only a layer, and gives the sizes of both. */
async function measure(manifest: string) {
  const contents = new Map([
    [digest('1'), manifest],
    [digest('2'), JSON.stringify({layers: [LAYER]})],
  ]);
  const all = [digest('1'), digest('2')].map((one) => ({
    name: one,
    target: {mediaType: '', digest: one, size: 0n, annotations: new Map()},
    labels: new Map(),
    createdAt: 0,
  }));
  const sizes = await measureImages(all, {
    read: async (asked) => {
      if (!/^sha256:[0-9a-f]{64}$/.test(asked)) throw new GrpcError(GrpcCode.INVALID_ARGUMENT, asked);
      const content = contents.get(asked);
      return content === undefined ? undefined : Buffer.from(content);
    },
  });
  return all.map((image) => sizes.get(image));
}

describe('measureImages', () => {
  it('tells what only one image has from what others have as well', async () => {
    const manifest = JSON.stringify({layers: [LAYER, {digest: digest('e'), size: 50}]});
    const [one, two] = await measure(manifest);
    expect(one).to.deep.equal({own: 50 + manifest.length, shared: 1000});
    expect(two).to.include({shared: 1000});
  });

  it('follows an index, as far as the node has its manifests', async () => {
    const index = JSON.stringify({manifests: [{digest: digest('2')}, {digest: digest('3')}]});
    expect((await measure(index))[0])
      .to.include({own: index.length})
      .and.have.property('shared')
      .above(1000);
  });

  for (const manifest of [
    'no JSON',
    'null',
    '[]',
    '{"manifests": [{}, null, {"digest": ""}, {"digest": "sha256:1"}, {"digest": 5}]}',
    '{"config": 1, "layers": [{"digest": "sha256:1", "size": 5}, {"size": "5"}]}',
    '{"manifests": {}, "layers": "x"}',
  ]) {
    it(`takes ${manifest} for an image of nothing but its manifest`, async () => {
      expect((await measure(manifest))[0]).to.deep.equal({own: manifest.length, shared: 0});
    });
  }
});
