/** Covers what is read of a builder's pods and events, against what a real API server answered. */
import {expect} from 'chai';
import {readEvents, readPods} from '../../../../src/builder/model/pods.ts';
import {readBuilderRecording} from '../../../helpers/api-samples.ts';

const recorded = (name: string) => readBuilderRecording(name) as Readonly<Record<string, unknown>>;

describe('readPods', () => {
  it('reads a ready one', () => {
    const [pod] = readPods(recorded('builder-by-plugin-pods').body);
    const {containers, ...facts} = pod ?? {};
    expect(facts).to.deep.equal({
      name: 'buildkit-b489874cd-m22pg',
      uid: '118cb590-2d01-4a32-bec0-bab0f292e01f',
      phase: 'Running',
      ready: true,
      nodeSilent: false,
      node: 'kind-control-plane',
      createdAt: Date.UTC(2026, 10, 24, 2, 6, 30),
      owner: 'buildkit-b489874cd',
    });
    expect(containers?.map(({name, running, restartCount}) => [name, running, restartCount])).to.deep.equal([
      ['buildkitd', true, 0],
    ]);
  });

  it('reads one that crashes', () => {
    const [pod] = readPods(recorded('stuck-crash').pods);
    const [container] = pod?.containers ?? [];
    expect(container).to.include({
      running: false,
      restartCount: 1,
      waitingReason: 'CrashLoopBackOff',
    });
    expect(container?.lastTerminated).to.deep.equal({reason: 'Error', exitCode: 1});
    expect(container).not.to.have.property('terminated');
  });

  it('reads why no node takes it', () => {
    const [pod] = readPods(recorded('stuck-unschedulable-cpu').pods);
    expect(pod?.unschedulable).to.contain('1 Insufficient cpu');
    expect(pod?.containers).to.deep.equal([]);
  });

  it('reads that it is on its way out, and why', () => {
    const conditions = [
      {type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API'},
    ];
    const metadata = {name: 'p', deletionTimestamp: '2026-11-24T02:06:30Z'};
    const [pod] = readPods({
      items: [{metadata, status: {phase: 'Failed', reason: 'Evicted', message: 'low on memory', conditions}}],
    });
    expect(pod).to.include({
      deletionTimestamp: Date.UTC(2026, 10, 24, 2, 6, 30),
      reason: 'Evicted',
      message: 'low on memory',
      disruption: 'Eviction API',
    });
  });
});

describe('readEvents', () => {
  it('reads the time of every kind of event', () => {
    const object = {kind: 'Pod', name: 'p', uid: 'u'};
    const at = (times: object) => readEvents({items: [{involvedObject: object, ...times}]})[0]?.lastSeen;
    const [one, two] = ['2026-11-24T01:29:17.731723Z', '2026-11-24T01:30:00Z'];
    const [first, second] = [Date.parse(one), Date.parse(two)];
    expect(at({lastTimestamp: null, eventTime: one})).to.equal(first);
    expect(at({firstTimestamp: one, lastTimestamp: two, eventTime: null})).to.equal(second);
    expect(at({eventTime: one, series: {count: 3, lastObservedTime: two}})).to.equal(second);
    expect(at({})).to.equal(undefined);
  });

  it('reads recorded ones', () => {
    const events = readEvents(recorded('stuck-image').events);
    expect(events[0]).to.deep.include({
      type: 'Normal',
      reason: 'Scheduled',
      count: 1,
      object: {kind: 'Pod', name: 'own-6bd566bbb-xrgzq', uid: ''},
    });
    expect(events.at(-1)?.object).to.include({kind: 'Deployment', name: 'own'});
  });
});
