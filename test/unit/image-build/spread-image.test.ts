/** Covers what each node gets of an image that was built on one of them, whatever the nodes and the copying do. */
import {expect} from 'chai';
import type {BuilderNode, NodeLink} from '../../../src/builder/nodes/open-nodes.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {describeResult, failDelivery, noteFailures} from '../../../src/image-build/node-results.ts';
import {spreadImage} from '../../../src/image-build/spread-image.ts';
import {CopyError, type CopyFault, type CopyOutcome} from '../../../src/node/copy-outcome.ts';
import {NodeImages} from '../../../src/node/node-images.ts';
import {formatAdvice} from '../../../src/text/advice.ts';
import {GrpcCode, GrpcError} from '../../../src/wire/grpc/status.ts';
import {ContainerdStandIn} from '../../helpers/containerd-stand-in.ts';
import {DIGEST} from './build-world.ts';

const TAG = 'localhost/web:tilt-1';
const DEV = 'localhost/web:dev';
const OLD = `sha256:${'0'.repeat(64)}`;
const LABELS = {'kubectl-tiltbuild.io/name': 'localhost/web'};
const IMAGE = {
  digest: DIGEST,
  names: [
    {canonical: TAG, labels: new Map(Object.entries(LABELS))},
    {canonical: DEV, labels: new Map<string, string>()},
  ],
};
const COPIED: CopyOutcome = {kind: 'copied', blobs: 3, bytes: 1234};
const failed = (fault: CopyFault, node = 'two'): CopyOutcome => ({
  kind: 'failed',
  error: new CopyError(fault, node, `it is ${fault}`),
});

type Reached = ContainerdStandIn | Error | 'silent' | 'unready';

/** `one` is where the image was built. A list is what a node is like each time that it is connected to. */
async function spread(
  nodes: Readonly<Record<string, Reached | readonly Reached[]>>,
  ...outcomes: readonly CopyOutcome[]
) {
  const steps: string[] = [];
  const one = new ContainerdStandIn();
  for (const name of [TAG, DEV]) one.add(name, DIGEST);
  let opened = 0;
  const connect = async (name: string, reached: Reached | readonly Reached[]): Promise<BuilderNode> => {
    const node = Array.isArray(reached) ? reached[opened - 1] : reached;
    if (node === 'unready') throw new Error('it is not ready');
    if (node instanceof Error) throw node;
    if (node === 'silent') return await new Promise(() => undefined);
    return {name, images: new NodeImages(node.connect()), ended: new Promise(() => undefined)};
  };
  const open = (): readonly NodeLink[] => {
    opened += 1;
    return Object.entries<Reached | readonly Reached[]>({one, ...nodes}).map(([name, node]) => {
      const link = connect(name, node);
      link.catch(() => undefined);
      return {name, isReady: node !== 'unready', node: link};
    });
  };
  const isSilent = Object.values(nodes)
    .flat()
    .some((node) => node === 'silent' || (node instanceof ContainerdStandIn && node.faults.has('Get')));
  const rest = [...outcomes];
  const results = await spreadImage(IMAGE, 'one', open(), {
    copy: (from, image) => ({
      to: async (to) => {
        steps.push(`copy ${from.name} ${to.name}`);
        const outcome = rest.shift() ?? COPIED;
        if (outcome.kind === 'copied')
          for (const name of image.names) await to.images.tag(name, image.target, image.labels);
        return outcome;
      },
      close: async () => undefined,
    }),
    reopen: async () => {
      steps.push('reopen');
      return open();
    },
    restore: async () => {
      steps.push('restore');
    },
    sleep: async (milliseconds) => {
      // What is shorter than a limit is a pause.
      if (milliseconds < 5_000) return;
      // Only a node that never answers is too late, and only at first, however slow the machine is.
      await new Promise<void>((resolve) => setTimeout(() => opened === 1 && isSilent && resolve(), 300));
    },
  });
  return {steps, results: results.map(({blobs: _, ...result}) => result)};
}

const holding = (digests: Readonly<Record<string, string>>) => {
  const node = new ContainerdStandIn();
  for (const [name, digest] of Object.entries(digests)) node.add(name, digest);
  return node;
};
const BUILT = {name: 'one', state: 'built', bytes: 0} as const;
const two = (state: 'copied' | 'present' | 'failed', failure?: string) => [
  BUILT,
  {name: 'two', state, bytes: state === 'copied' ? 1234 : 0, ...(failure && {failure})},
];

describe('spreadImage', () => {
  it('gives a node that lacks the image all names, with labels on that of its content only', async () => {
    const node = holding({[DEV]: OLD});
    expect(await spread({two: node})).to.deep.equal({steps: ['copy one two'], results: two('copied')});
    expect([...node.images.values()].map(({name, target}) => [name, target?.digest])).to.deep.equal([
      [DEV, DIGEST],
      [TAG, DIGEST],
    ]);
    expect(Object.fromEntries(node.images.get(TAG)?.labels ?? [])).to.deep.equal(LABELS);
    expect(node.images.get(DEV)?.labels.size).to.equal(0);
  });

  it('asks a node that has everything once for each name, and nothing more', async () => {
    const node = holding({[DEV]: DIGEST, [TAG]: DIGEST});
    expect(await spread({two: node})).to.deep.equal({steps: [], results: two('present')});
    expect(node.calls).to.deep.equal(['Get', 'Get']);
  });

  it('leaves out a node that cannot run the image, without a note', async () => {
    const {results} = await spread({two: holding({})}, {kind: 'foreign', platforms: ['linux/amd64']});
    expect(results[1]).to.deep.include({state: 'foreign', failure: 'it is for linux/amd64'});
    expect(noteFailures(results.map((one) => ({...one, blobs: 0})))).to.equal(undefined);
  });

  it('copies to all nodes that can be reached', async () => {
    const {steps, results} = await spread({
      two: new Error('the node is gone'),
      three: holding({}),
      four: holding({[TAG]: DIGEST}),
    });
    expect(steps).to.have.members(['copy one three', 'copy one four', 'reopen']);
    expect(results.map(({name, state}) => `${name} ${state}`)).to.deep.equal([
      'one built',
      'two failed',
      'three copied',
      'four copied',
    ]);
  });

  for (const [what, outcomes, steps, result] of [
    [
      'has the builder restore an image that is no longer whole, and tries again',
      [failed('missing'), COPIED],
      ['copy one two', 'restore', 'copy one two'],
      two('copied'),
    ],
    [
      'connects again where a connection is lost, and tries again',
      [failed('lost'), COPIED],
      ['copy one two', 'reopen', 'copy one two'],
      two('copied'),
    ],
    [
      'tries no third time',
      [failed('lost'), failed('missing')],
      ['copy one two', 'reopen', 'copy one two'],
      two('failed', 'it is missing'),
    ],
    [
      'does not try again what would fail again',
      [failed('full')],
      ['copy one two'],
      two('failed', 'it is full'),
    ],
  ] as const) {
    it(what, async () => {
      expect(await spread({two: holding({})}, ...outcomes)).to.deep.equal({steps, results: result});
    });
  }

  it('leaves a node that does not answer', async () => {
    expect(await spread({two: 'silent'})).to.deep.equal({
      steps: [],
      results: two('failed', 'no answer within 5 s'),
    });
  });

  const stalled = () => {
    const node = holding({});
    node.faults.set('Get', 'stalled');
    return node;
  };
  for (const [what, first] of [
    ['whose pod was not running when the build began', new Error('not running')],
    ['of which the connection was cut silently during the build', stalled()],
  ] as const) {
    it(`connects again to a node ${what}`, async () => {
      expect(await spread({two: [first, holding({})]})).to.deep.equal({
        steps: ['reopen', 'copy one two'],
        results: two('copied'),
      });
    });
  }

  it('waits for a node that is cut off in mid-copy to start again, once', async () => {
    const gone = new Error('connection refused');
    const copies = ['copy one two', 'reopen', 'reopen'];
    const {steps, results} = await spread({two: [holding({}), gone, holding({})]}, failed('lost'));
    expect({steps, results}).to.deep.equal({steps: [...copies, 'copy one two'], results: two('copied')});
    const left = await spread({two: [holding({}), gone, gone]}, failed('lost'));
    expect(left).to.deep.equal({steps: copies, results: two('failed', 'connection refused')});
  });

  it('leaves a node that is not ready, without connecting again', async () => {
    expect(await spread({two: 'unready'})).to.deep.equal({
      steps: [],
      results: two('failed', 'it is not ready'),
    });
  });

  it('leaves a node that denies what it is asked', async () => {
    const node = holding({});
    node.faults.set('Get', new GrpcError(GrpcCode.PERMISSION_DENIED, 'no'));
    expect(await spread({two: node})).to.deep.equal({steps: [], results: two('failed', 'no')});
  });

  for (const [what, held] of [
    ['nothing', {}],
    ['another image', {[TAG]: OLD}],
  ] as const) {
    it(`says that the node where the image was built is at fault, which has ${what} of that name`, async () => {
      const {results} = await spread({one: holding(held), two: holding({})});
      expect(results).to.deep.equal(
        two('failed', `node "one", where it was built, does not have it under ${TAG}`),
      );
    });
  }
});

describe('nodes that do not have the image', () => {
  const [, three] = two('failed', 'the disk is full');
  const one = [BUILT, {...three, blobs: 0}] as Parameters<typeof noteFailures>[0];
  const several = [...one, {...one[1], name: 'three', failure: 'no answer within 5 s'}] as typeof one;

  it('and those that have it are described for --verbose', () => {
    const copied = {name: 'two', state: 'copied', bytes: 1200, blobs: 3} as const;
    expect(
      [...one, copied, {...copied, blobs: 1, packed: 'no snapshotter'}].map(describeResult),
    ).to.deep.equal([
      'node one: built the image',
      'node two: does not have the image: the disk is full',
      'node two: got 1.20kB in 3 blobs',
      'node two: got 1.20kB in 1 blob, not unpacked: no snapshotter',
    ]);
  });

  it('are a note, or an error with what to do', () => {
    expect(noteFailures([one[0] as (typeof one)[0]])).to.equal(undefined);
    expect(formatAdvice(noteFailures(one) ?? '')).to.equal(
      'the image is not on node "two" (the disk is full). Pods cannot use it there until a build copies it.',
    );
    expect(formatAdvice(noteFailures(several) ?? '')).to.contain(
      'nodes "two" (the disk is full), "three" (no answer within 5 s)',
    );
    const error = failDelivery(one);
    expect(error).to.be.instanceOf(TiltbuildError).and.include({
      code: 'image-not-copied',
      message: 'The image was built, but node "two" does not have it: the disk is full.',
    });
    expect(error?.remedy.map((entry) => formatAdvice(entry))).to.include(
      'Look at the nodes: kubectl get nodes',
    );
    expect(failDelivery(several)).to.deep.include({
      message: 'The image was built, but 2 nodes do not have it.',
      detail: ['two: the disk is full', 'three: no answer within 5 s'],
    });
    expect(failDelivery([])).to.equal(undefined);
    const many = Array.from({length: 500}, (_, index) => ({...three, name: `n${index}`, blobs: 0}));
    expect(formatAdvice(noteFailures(many as typeof one) ?? '')).to.contain(
      '"n9" (the disk is full), and 490 more. Pods',
    );
    expect(failDelivery(many as typeof one)?.detail.slice(9)).to.deep.equal([
      'n9: the disk is full',
      'and 490 more',
    ]);
  });
});
