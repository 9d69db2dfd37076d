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
const gone = (...events: readonly BuilderEvent[]) => ({now: [], events});
const now = (changes: Partial<BuilderPod>) => ({now: [pod(changes)]});
const inside = (changes: Partial<BuilderContainer>) => now({containers: [container(changes)]});

describe('findLoss', () => {
  for (const [what, input] of [
    ['a pod that is as it was', {}],
    ['one that is not ready for its load', now({ready: false})],
    ['one that is being deleted and still goes on', now({deleting: true, ready: false})],
    ['one that has a successor', {now: [pod(), pod({name: 'q', uid: 'v', phase: 'Pending'})]}],
    ['one that crashed before', inside({lastTerminated: OOM})],
    ['one that did not run', {before: [pod({phase: 'Pending'})], now: []}],
    ['none', {before: [], now: []}],
    ['old events', {events: [event('Evicted', 'x'), event('NodeNotReady', 'y')]}],
  ] as const) {
    it(`is nothing for ${what}`, () => expect(lose(input)).to.equal(undefined));
  }

  it('takes the latest of several causes, in whatever order the server has them', () => {
    const events = [event('NodeNotReady', 'latest', 'u', 2000), event('Preempted', 'earlier', 'u', 1000)];
    for (const order of [events, events.toReversed()])
      expect(lose(gone(...order))?.message).to.contain('latest');
  });

  const preempted = [event('Killing', 'Stopping container'), event('Preempted', 'Preempted by pod x.')];
  const low = 'The node was low on resource: memory. ';
  const shutdown = 'Pod was terminated in response to imminent node shutdown.';
  const panic = end('Error', 2, 'panic: x\ny');
  /** What is lost, in the words after the pod's name. */
  for (const [what, words, retriable, input] of [
    ['gone', 'was deleted during the build.', true, gone()],
    ['another one of its name', 'was deleted during the build.', true, now({uid: 'v'})],
    ['preempted', 'was deleted during the build: Preempted by pod x.', true, gone(...preempted)],
    [
      'evicted by a taint',
      'was deleted during the build: y.',
      true,
      gone(event('TaintManagerEviction', 'y.')),
    ],
    ['gone, beside another', 'was deleted during the build.', true, gone(event('Evicted', 'x', 'v'))],
    [
      'evicted',
      'was evicted from node "n" during the build: The node was low on resource: memory.',
      false,
      now({phase: 'Failed', reason: 'Evicted', message: low}),
    ],
    [
      'evicted and gone',
      'was evicted from node "n" during the build: z.',
      false,
      gone(event('Evicted', 'z.')),
    ],
    [
      'stopped with its node',
      `was stopped during the build: ${shutdown}`,
      true,
      now({phase: 'Failed', reason: 'Terminated', message: shutdown}),
    ],
    ['out of memory', 'ran out of memory (OOMKilled)', false, inside({running: false, terminated: OOM})],
    ['up again after that', '(OOMKilled)', false, inside({restartCount: 3, lastTerminated: OOM})],
    ['crashed', ': exit code 2: panic: x.', true, inside({restartCount: 3, lastTerminated: panic})],
    ['restarted, without a reason', 'exited during the build.', true, inside({restartCount: 3})],
    ['on a silent node', 'its node "n" is no longer ready', true, now({ready: false, nodeSilent: true})],
  ] as const) {
    it(`reports one that is ${what}`, () => {
      const loss = lose(input);
      expect(loss).to.include({retriable, pod: 'p', certain: true});
      expect(loss?.message).to.match(/^(The builder's pod "p"|BuildKit in the builder's pod) /);
      // A sentence that has to end there ends there.
      expect(`${loss?.message}\n`).to.contain(words.endsWith('.') ? `${words}\n` : words);
    });
  }

  it('is not certain which of several pods the build ran on', () => {
    const other = pod({name: 'q', uid: 'v'});
    expect(lose({before: [other, ...BEFORE], now: [other]})).to.include({pod: 'p', certain: false});
  });
});
