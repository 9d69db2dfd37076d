/** Covers what is read of a builder's pods and events, against what a real API server answered. */
import {expect} from 'chai';
import {readEvents, readPods} from '../../../../src/builder/model/pods.ts';
import {readBuilderRecording} from '../../../helpers/api-samples.ts';

const recorded = (name: string) => readBuilderRecording(name) as Readonly<Record<string, unknown>>;

describe('readPods', () => {
  it('reads a ready one', () => {
    const [pod] = readPods(recorded('builder-by-plugin-pods').body);
    expect(pod).to.deep.include({
      ...{name: 'buildkit-b489874cd-m22pg', uid: '118cb590-2d01-4a32-bec0-bab0f292e01f'},
      ...{phase: 'Running', ready: true, nodeSilent: false, deleting: false, unschedulable: undefined},
      ...{node: 'kind-control-plane', owner: 'buildkit-b489874cd'},
      createdAt: Date.UTC(2026, 10, 24, 2, 6, 30),
    });
    expect(pod?.containers).to.have.length(1);
    expect(pod?.containers[0]).to.include({name: 'buildkitd', running: true, restartCount: 0});
  });

  it('reads one that crashes', () => {
    expect(readPods(recorded('stuck-crash').pods)[0]?.containers[0]).to.deep.include({
      ...{running: false, restartCount: 1, waitingReason: 'CrashLoopBackOff', terminated: undefined},
      lastTerminated: {reason: 'Error', exitCode: 1, message: ''},
    });
  });

  it('reads why no node takes it', () => {
    const [pod] = readPods(recorded('stuck-unschedulable-cpu').pods);
    expect(pod?.unschedulable).to.contain('1 Insufficient cpu');
    expect(pod?.containers).to.deep.equal([]);
  });

  const disrupted = {type: 'DisruptionTarget', status: 'True', reason: 'Evicted', message: 'Eviction API'};
  for (const [what, status, message] of [
    ['its own message', {message: 'low on memory', conditions: [disrupted]}, 'low on memory'],
    ["Kubernetes' message", {conditions: [disrupted]}, 'Eviction API'],
    ["Kubernetes' reason", {conditions: [{...disrupted, message: ''}]}, 'Evicted'],
    ['nothing', {}, undefined],
  ] as const) {
    it(`reads that it is being deleted, and why: ${what}`, () => {
      const metadata = {name: 'p', deletionTimestamp: '2026-11-24T02:06:30Z'};
      expect(readPods([{metadata, status}])[0]).to.include({deleting: true, message});
    });
  }
});

describe('readEvents', () => {
  const [one, two] = ['2026-11-24T01:29:17.731Z', '2026-11-24T01:30:00.000Z'];
  for (const [times, lastSeen] of [
    [{lastTimestamp: null, eventTime: one}, one],
    [{firstTimestamp: one, lastTimestamp: two, eventTime: null}, two],
    [{eventTime: one, series: {count: 3, lastObservedTime: two}}, two],
    [{}, undefined],
  ] as const) {
    it(`reads the time of ${JSON.stringify(times)}`, () => {
      const [event] = readEvents({items: [times]});
      expect(event?.lastSeen).to.equal(lastSeen && Date.parse(lastSeen));
    });
  }

  it('reads recorded ones', () => {
    const events = readEvents(recorded('stuck-image').events);
    const object = {kind: 'Pod', name: 'own-6bd566bbb-xrgzq', uid: ''};
    expect(events[0]).to.deep.include({type: 'Normal', reason: 'Scheduled', object});
    expect(events.at(-1)?.object).to.include({kind: 'Deployment', name: 'own'});
  });
});
