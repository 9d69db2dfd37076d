/** Covers how a pod that a build runs on is lost, and what is no loss. */
import {expect} from 'chai';
import type {BuilderContainer, BuilderEvent, BuilderPod} from '../../../../src/builder/model/pods.ts';
import {findLoss, type LossInput} from '../../../../src/builder/verdict/loss.ts';

function container(changes: Partial<BuilderContainer> = {}): BuilderContainer {
  return {name: 'buildkitd', image: 'i', imageId: '', running: true, restartCount: 2, ...changes};
}

function pod(changes: Partial<BuilderPod> = {}): BuilderPod {
  return {
    name: 'p',
    uid: 'u',
    phase: 'Running',
    ready: true,
    nodeSilent: false,
    node: 'n',
    containers: [container()],
    ...changes,
  };
}

function event(reason: string, message: string, uid = 'u', lastSeen?: number): BuilderEvent {
  const seen = lastSeen === undefined ? {} : {lastSeen};
  return {type: 'Normal', reason, message, object: {kind: 'Pod', name: 'p', uid}, count: 1, ...seen};
}

const BEFORE = [pod()];
const lose = (input: Partial<LossInput>) => findLoss({before: BEFORE, now: BEFORE, events: [], ...input});
const nowWith = (changes: Partial<BuilderContainer>) => ({now: [pod({containers: [container(changes)]})]});

describe('findLoss', () => {
  for (const [what, input] of [
    ['a pod that is as it was', {}],
    ['one that is not ready for its load', {now: [pod({ready: false})]}],
    ['one that is being deleted and still goes on', {now: [pod({deletionTimestamp: 1, ready: false})]}],
    ['one that has got a successor', {now: [pod(), pod({name: 'q', uid: 'v', phase: 'Pending'})]}],
    ['one that crashed before', nowWith({lastTerminated: {reason: 'OOMKilled', exitCode: 137}})],
    ['one that did not run', {before: [pod({phase: 'Pending'})], now: []}],
    ['none', {before: [], now: []}],
    ['old events', {events: [event('Evicted', 'x'), event('NodeNotReady', 'y')]}],
  ] as const) {
    it(`is nothing for ${what}`, () => expect(lose(input)).to.equal(undefined));
  }

  it('takes the latest of several causes, in whatever order the server has them', () => {
    const events = [event('NodeNotReady', 'latest', 'u', 2000), event('Preempted', 'earlier', 'u', 1000)];
    expect(lose({now: [], events})?.message).to.contain('latest');
    expect(lose({now: [], events: events.toReversed()})?.message).to.contain('latest');
  });

  for (const [what, input, message, retriable] of [
    ['gone', {now: []}, `The builder's pod "p" was deleted while it built.`, true],
    [
      'another one of its name',
      {now: [pod({uid: 'v'})]},
      `The builder's pod "p" was deleted while it built.`,
      true,
    ],
    [
      'preempted',
      {
        now: [],
        events: [event('Killing', 'Stopping container'), event('Preempted', 'Preempted by pod x on node n')],
      },
      `The builder's pod "p" was deleted while it built: Preempted by pod x on node n.`,
      true,
    ],
    [
      'taken off its node',
      {now: [], events: [event('TaintManagerEviction', 'Marking for deletion Pod default/p.')]},
      `The builder's pod "p" was deleted while it built: Marking for deletion Pod default/p.`,
      true,
    ],
    [
      'gone, beside the events of another',
      {now: [], events: [event('Evicted', 'x', 'v')]},
      `The builder's pod "p" was deleted while it built.`,
      true,
    ],
    [
      'evicted',
      {now: [pod({phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. '})]},
      `The builder's pod "p" was evicted from node "n" while it built: The node was low on resource: memory.`,
      false,
    ],
    [
      'evicted and gone',
      {now: [], events: [event('Evicted', 'The node was low on resource: ephemeral-storage.')]},
      `The builder's pod "p" was evicted from node "n" while it built: The node was low on resource: ephemeral-storage.`,
      false,
    ],
    [
      'ended with its node',
      {
        now: [
          pod({
            phase: 'Failed',
            reason: 'Terminated',
            message: 'Pod was terminated in response to imminent node shutdown.',
          }),
        ],
      },
      `The builder's pod "p" was ended while it built: Pod was terminated in response to imminent node shutdown.`,
      true,
    ],
    [
      'killed for its memory, and down',
      nowWith({running: false, terminated: {reason: 'OOMKilled', exitCode: 137}}),
      /^The builder's pod "p" was killed for want of memory \(OOMKilled\)/,
      false,
    ],
    [
      'killed for its memory, and up again',
      nowWith({restartCount: 3, lastTerminated: {reason: 'OOMKilled', exitCode: 137}}),
      /OOMKilled/,
      false,
    ],
    [
      'crashed',
      nowWith({restartCount: 3, lastTerminated: {reason: 'Error', exitCode: 2, message: 'panic: x\ny'}}),
      "BuildKit in the builder's pod ended while it built: exit code 2: panic: x.",
      true,
    ],
    [
      'started again, and no more is known',
      nowWith({restartCount: 3}),
      "BuildKit in the builder's pod ended while it built.",
      true,
    ],
    [
      'on a node that is silent',
      {now: [pod({ready: false, nodeSilent: true})]},
      /its node "n" is not ready any more/,
      true,
    ],
  ] as const) {
    it(`tells of one that is ${what}`, () => {
      const loss = lose(input);
      if (typeof message === 'string') expect(loss?.message).to.equal(message);
      else expect(loss?.message).to.match(message);
      expect(loss).to.include({retriable, pod: 'p', certain: true});
    });
  }

  it('is not certain which pod the build ran on where there are several', () => {
    const other = pod({name: 'q', uid: 'v'});
    expect(lose({before: [other, ...BEFORE], now: [other]})).to.include({pod: 'p', certain: false});
  });
});
