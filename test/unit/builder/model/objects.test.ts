/** Covers what is read of a builder, against what a real API server answered. */
import {expect} from 'chai';
import {readNodeRuntimes} from '../../../../src/builder/model/node-runtimes.ts';
import {readBuilderDeployment, readBuilderToml} from '../../../../src/builder/model/objects.ts';
import {readEvents, readPods} from '../../../../src/builder/model/pods.ts';
import {readApiRecording, readBuilderRecording} from '../../../helpers/api-samples.ts';

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
    const configMap = readBuilderRecording('builder-by-plugin-configmap') as {readonly body: unknown};
    expect(readBuilderToml(configMap.body)).to.equal(
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

describe('the readers', () => {
  for (const body of [undefined, null, 1, 'x', [], {}, {items: null}, {items: [null, 1, {status: []}]}]) {
    it(`stand ${JSON.stringify(body)}`, () => {
      for (const read of [readBuilderDeployment, readBuilderToml, readPods, readEvents, readNodeRuntimes]) {
        expect(() => read(body)).not.to.throw();
      }
    });
  }
});
