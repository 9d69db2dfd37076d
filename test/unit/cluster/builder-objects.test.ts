/** Covers what is read of a builder, against what a real API server answered. */

import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {
  readBuilderDeployment,
  readBuilderToml,
  readEvents,
  readNodeRuntimes,
  readPods,
} from '../../../src/cluster/builder-objects.ts';
import {readApiRecording} from '../../helpers/api-samples.ts';

const recordings = join(import.meta.dirname, '../../fixtures/recordings/api-builder');

function recorded(name: string) {
  return JSON.parse(readFileSync(join(recordings, `${name}.json`), 'utf8'));
}

describe('readBuilderDeployment', () => {
  const builder = readBuilderDeployment(readApiRecording('builder-by-plugin').body);

  it("reads the plugin's own", () => {
    const {conditions, mounts, ...facts} = builder;
    expect(facts).to.deep.equal({
      name: 'buildkit',
      namespace: 'default',
      uid: '378ae3b4-b247-4070-ba3a-33d0b1ce64eb',
      resourceVersion: '4556',
      generation: 2,
      observedGeneration: 2,
      createdAt: Date.UTC(2026, 10, 24, 2, 6, 30),
      labels: {app: 'buildkit', rootless: 'false', runtime: 'containerd', worker: 'containerd'},
      annotations: {
        'buildkit.mobyproject.org/builder': 'v0.0.0+unknown',
        'deployment.kubernetes.io/revision': '2',
      },
      replicas: 1,
      readyReplicas: 1,
      updatedReplicas: 1,
      image: 'docker.io/moby/buildkit:buildx-stable-1',
      args: ['--oci-worker=false', '--containerd-worker=true', '--root', '/var/lib/buildkit/buildkit'],
      managedByUs: false,
      madeByPlugin: true,
    });
    expect(conditions.map(({type, status}) => `${type} ${status}`)).to.deep.equal([
      'Available True',
      'Progressing True',
    ]);
    expect(mounts.slice(0, 3)).to.deep.equal([
      {path: '/etc/buildkit/'},
      {path: '/run/containerd/containerd.sock', hostPath: '/run/containerd/containerd.sock'},
      {
        path: '/var/lib/buildkit/buildkit',
        hostPath: '/var/lib/buildkit/buildkit',
        propagation: 'Bidirectional',
      },
    ]);
  });

  it('tells ours by the label, and takes what only has the annotation for the plugin’s', () => {
    const make = (labels: object, annotations: object) => {
      const {managedByUs, madeByPlugin} = readBuilderDeployment({metadata: {labels, annotations}});
      return [managedByUs, madeByPlugin];
    };
    const ours = {'app.kubernetes.io/managed-by': 'kubectl-tiltbuild'};
    const adopted = {'buildkit.mobyproject.org/builder': ''};
    expect(make(ours, adopted)).to.deep.equal([true, false]);
    expect(make({}, adopted)).to.deep.equal([false, true]);
    expect(make({'app.kubernetes.io/managed-by': 'Helm'}, adopted)).to.deep.equal([false, true]);
    expect(make({}, {})).to.deep.equal([false, false]);
  });

  it('takes buildkitd among several containers, its command along with its arguments, and sub-paths', () => {
    const {image, args, mounts} = readBuilderDeployment({
      spec: {
        template: {
          spec: {
            volumes: [{name: 'v', hostPath: {path: '/a/'}}],
            containers: [
              {name: 'sidecar', image: 's'},
              {
                name: 'buildkitd',
                image: 'b',
                command: ['buildkitd'],
                args: ['--debug'],
                volumeMounts: [
                  {name: 'v', mountPath: '/x', subPath: 'b', mountPropagation: 'None'},
                  {name: 'none', mountPath: '/y'},
                ],
              },
            ],
          },
        },
      },
    });
    expect({image, args, mounts}).to.deep.equal({
      image: 'b',
      args: ['buildkitd', '--debug'],
      mounts: [{path: '/x', hostPath: '/a/b'}, {path: '/y'}],
    });
  });
});

describe('readBuilderToml', () => {
  it('reads what the plugin wrote as binary data', () => {
    expect(readBuilderToml(recorded('builder-by-plugin-configmap').body)).to.equal(
      '# Default buildkitd configuration.  Use --config <path/to/file> to override during create\ndebug = false\n[worker.containerd]\n  namespace = "k8s.io"\n',
    );
  });

  it('reads text, in any language', () => {
    expect(readBuilderToml({data: {'buildkitd.toml': '# ä'}})).to.equal('# ä');
    const binaryData = {'buildkitd.toml': Buffer.from('# ä').toString('base64')};
    expect(readBuilderToml({binaryData})).to.equal('# ä');
  });

  for (const body of [{}, {data: {other: ''}}, {binaryData: {'buildkitd.toml': '*'}}, null]) {
    it(`finds none in ${JSON.stringify(body)}`, () => expect(readBuilderToml(body)).to.equal(undefined));
  }
});

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

describe('readNodeRuntimes', () => {
  it('reads one of kind', () => {
    const [node] = readNodeRuntimes(readApiRecording('nodes-kind').body);
    const {labels, ...facts} = node ?? {};
    expect(labels).to.include({'kubernetes.io/os': 'linux'});
    expect(facts).to.deep.equal({
      name: 'kind-control-plane',
      containerRuntimeVersion: 'containerd://2.1.9+unknown',
      kubeletVersion: 'v1.36.2',
      architecture: 'amd64',
      ready: true,
      unschedulable: false,
      taints: [],
    });
  });

  it('reads taints and cordons, of items as well as of a list', () => {
    const taint = {key: 'a', effect: 'NoSchedule', timeAdded: '2026-11-24T02:06:30Z'};
    const item = {metadata: {name: 'n'}, spec: {unschedulable: true, taints: [taint]}};
    const expected = {unschedulable: true, taints: [{key: 'a', value: '', effect: 'NoSchedule'}]};
    expect(readNodeRuntimes([item])[0]).to.deep.include(expected);
    expect(readNodeRuntimes({items: [item]})[0]).to.deep.include(expected);
  });
});

describe('the readers', () => {
  for (const body of [undefined, null, 1, 'x', [], {}, {items: null}, {items: [null, 1, {status: []}]}]) {
    it(`stand ${JSON.stringify(body)}`, () => {
      for (const read of [readBuilderDeployment, readBuilderToml, readPods, readEvents, readNodeRuntimes]) {
        expect(() => read(body)).not.to.throw();
      }
    });
  }
});
