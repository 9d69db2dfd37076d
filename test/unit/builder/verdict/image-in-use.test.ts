/** Covers the proof that an image is on the builder's nodes: a table of clusters. */
import {expect} from 'chai';
import {isImageInUse} from '../../../../src/builder/verdict/image-in-use.ts';

const IMAGE = 'localhost/web:tilt-1';
const BUILDER = {name: 'buildkit', namespace: 'builds'};

interface PodShape {
  readonly namespace?: string;
  readonly app?: string;
  readonly node?: string;
  readonly image?: string;
  readonly state?: object;
}

function pod({
  namespace = 'default',
  app = 'web',
  node = 'n1',
  image = IMAGE,
  state = {running: {}},
}: PodShape) {
  return {
    metadata: {namespace, labels: {app}},
    spec: {
      nodeName: node,
      containers: [
        {name: 'sidecar', image: 'envoy'},
        {name: 'c', image},
      ],
    },
    status: {
      containerStatuses: [
        {name: 'sidecar', state: {running: {}}},
        {name: 'c', state},
      ],
    },
  };
}

const builder = (node = 'n1') => pod({...BUILDER, app: BUILDER.name, node, image: 'moby/buildkit'});

describe('isImageInUse', () => {
  for (const [what, items, expected] of [
    ['a container that runs from it beside the builder', [builder(), pod({})], true],
    ['one in another namespace', [builder(), pod({namespace: 'apps'})], true],
    ['one among others', [builder(), pod({image: 'other'}), pod({})], true],
    ['no container from it', [builder(), pod({image: 'localhost/web:tilt-2'})], false],
    ['one that only waits', [builder(), pod({state: {waiting: {reason: 'CrashLoopBackOff'}}})], false],
    ['one that has ended', [builder(), pod({state: {terminated: {exitCode: 0}}})], false],
    ['one without a status', [builder(), {...pod({}), status: {}}], false],
    ['one on another node', [builder('n1'), pod({node: 'n2'})], false],
    ['one on each of two nodes', [builder('n1'), builder('n2'), pod({node: 'n2'}), pod({})], true],
    ['one on one of two nodes', [builder('n1'), builder('n2'), pod({})], false],
    ['no builder', [pod({})], false],
    ['a builder that has no node yet', [builder(''), pod({node: ''})], false],
    ['a builder of that name elsewhere', [pod({app: 'buildkit', image: 'x'}), pod({})], false],
    ['no pods', [], false],
  ] as const) {
    it(`is ${expected} with ${what}`, () => {
      const question = {builder: BUILDER, isImage: (image: string) => image === IMAGE};
      expect(isImageInUse({...question, pods: {items}})).to.equal(expected);
    });
  }

  it('is false for an answer that is none', () => {
    expect(isImageInUse({pods: 'x', builder: BUILDER, isImage: () => true})).to.equal(false);
  });
});
