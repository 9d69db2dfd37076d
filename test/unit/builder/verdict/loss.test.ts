/** Covers how a build loses its pod, and what is no loss. */
import {expect} from 'chai';
import type {BuilderContainer, BuilderEvent, BuilderPod} from '../../../../src/builder/model/pods.ts';
import {findLoss, type LossInput} from '../../../../src/builder/verdict/loss.ts';
import {readContainer, readEvent, readPod} from '../builder-world.ts';

const container = (changes: Partial<BuilderContainer> = {}) =>
  readContainer({running: true, restartCount: 2, ...changes});
const pod = (changes: Partial<BuilderPod> = {}) =>
  readPod({name: 'p', uid: 'u', containers: [container()], ...changes});

function event(reason: string, message: string, uid = 'u', lastSeen = 0): BuilderEvent {
  return readEvent(reason, message, {object: {kind: 'Pod', name: 'p', uid}, lastSeen});
}

/** How a container ended. */
const end = (reason: string, exitCode: number, message = '') => ({reason, exitCode, message});
const OOM = end('OOMKilled', 137);

const BEFORE = [pod()];
const lose = (input: Partial<LossInput>) => findLoss({before: BEFORE, now: BEFORE, events: [], ...input});
const nowWith = (changes: Partial<BuilderContainer>) => ({now: [pod({containers: [container(changes)]})]});

describe('findLoss', () => {
  for (const [what, input] of [
    ['a pod that is as it was', {}],
    ['one that is not ready for its load', {now: [pod({ready: false})]}],
    ['one that is being deleted and still goes on', {now: [pod({deleting: true, ready: false})]}],
    ['one that has a successor', {now: [pod(), pod({name: 'q', uid: 'v', phase: 'Pending'})]}],
    ['one that crashed before', nowWith({lastTerminated: OOM})],
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
    ['gone', {now: []}, `The builder's pod "p" was deleted during the build.`, true],
    [
      'another one of its name',
      {now: [pod({uid: 'v'})]},
      `The builder's pod "p" was deleted during the build.`,
      true,
    ],
    [
      'preempted',
      {
        now: [],
        events: [event('Killing', 'Stopping container'), event('Preempted', 'Preempted by pod x on node n')],
      },
      `The builder's pod "p" was deleted during the build: Preempted by pod x on node n.`,
      true,
    ],
    [
      'evicted by a taint',
      {now: [], events: [event('TaintManagerEviction', 'Marking for deletion Pod default/p.')]},
      `The builder's pod "p" was deleted during the build: Marking for deletion Pod default/p.`,
      true,
    ],
    [
      'gone, beside the events of another',
      {now: [], events: [event('Evicted', 'x', 'v')]},
      `The builder's pod "p" was deleted during the build.`,
      true,
    ],
    [
      'evicted',
      {now: [pod({phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. '})]},
      `The builder's pod "p" was evicted from node "n" during the build: The node was low on resource: memory.`,
      false,
    ],
    [
      'evicted and gone',
      {now: [], events: [event('Evicted', 'The node was low on resource: ephemeral-storage.')]},
      `The builder's pod "p" was evicted from node "n" during the build: The node was low on resource: ephemeral-storage.`,
      false,
    ],
    [
      'stopped with its node',
      {
        now: [
          pod({
            phase: 'Failed',
            reason: 'Terminated',
            message: 'Pod was terminated in response to imminent node shutdown.',
          }),
        ],
      },
      `The builder's pod "p" was stopped during the build: Pod was terminated in response to imminent node shutdown.`,
      true,
    ],
    [
      'out of memory, and down',
      nowWith({running: false, terminated: OOM}),
      /^The builder's pod "p" ran out of memory \(OOMKilled\)/,
      false,
    ],
    ['out of memory, and up again', nowWith({restartCount: 3, lastTerminated: OOM}), /OOMKilled/, false],
    [
      'crashed',
      nowWith({restartCount: 3, lastTerminated: end('Error', 2, 'panic: x\ny')}),
      "BuildKit in the builder's pod exited during the build: exit code 2: panic: x.",
      true,
    ],
    [
      'restarted, without a reason',
      nowWith({restartCount: 3}),
      "BuildKit in the builder's pod exited during the build.",
      true,
    ],
    [
      'on a silent node',
      {now: [pod({ready: false, nodeSilent: true})]},
      /its node "n" is no longer ready/,
      true,
    ],
  ] as const) {
    it(`reports one that is ${what}`, () => {
      const loss = lose(input);
      if (typeof message === 'string') expect(loss?.message).to.equal(message);
      else expect(loss?.message).to.match(message);
      expect(loss).to.include({retriable, pod: 'p', certain: true});
    });
  }

  it('is not certain which of several pods the build ran on', () => {
    const other = pod({name: 'q', uid: 'v'});
    expect(lose({before: [other, ...BEFORE], now: [other]})).to.include({pod: 'p', certain: false});
  });
});
