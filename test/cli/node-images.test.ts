/** Images in the builder's node: the tag made from the digest without a second build, and old images that go. */
import {expect} from 'chai';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {runningPod} from '../helpers/api-server.ts';
import {type ContainerdStandIn, serveContainerd} from '../helpers/containerd-stand-in.ts';
import {describeEngines} from '../helpers/engines.ts';
import {DIGEST, expectBuilt, WAYS, type World} from '../helpers/world.ts';

const NAME = 'localhost/web';
const TAG = `${NAME}:tilt-${DIGEST.slice('sha256:'.length).slice(0, 16)}`;
const TEMPORARY = `${NAME}@${DIGEST}`;
const OTHER = `sha256:${'0'.repeat(64)}`;
const BUILD = ['--image', NAME, '.'];

function refuseDial({api: {state}}: World): void {
  const {exec} = state;
  state.exec = (command, pod) =>
    command.includes('--addr') ? {exitCode: 1, stderr: 'dial unix: no socket\n'} : exec(command, pod);
}

describeEngines('an image in the node', ({world, names, tiltbuild}) => {
  let containerd: ContainerdStandIn;
  beforeEach(() => {
    containerd = serveContainerd(world);
    // As the builder leaves it, which is no part of either stand-in.
    containerd.add(TEMPORARY, DIGEST);
  });
  const held = () => [...containerd.images.keys()].sort();
  const labelsOf = (name: string) => Object.fromEntries(containerd.images.get(name)?.labels ?? []);

  for (const through of WAYS) {
    it(`gets its tag without a second build, asked ${through}`, async () => {
      world.connect({through});
      const ended = await tiltbuild([...BUILD, '--print', 'ref']);
      expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${TAG}\n`});
      expect(names()).to.deep.equal([[]]);
      expect(held()).to.deep.equal([TAG]);
      const {
        'kubectl-tiltbuild.io/project': project,
        'kubectl-tiltbuild.io/built': built,
        ...rest
      } = labelsOf(TAG);
      expect(rest).to.deep.equal({'kubectl-tiltbuild.io/name': NAME});
      expect(project).to.match(/^([0-9a-f]{16}\.)+[0-9a-f]{16}$/);
      expect(Math.abs(Date.now() - Date.parse(String(built)))).to.be.below(600_000);
    });
  }

  it('keeps the name that --tag gives it, and gets the tag beside it', async () => {
    containerd.images.clear();
    containerd.add('localhost/web:dev', DIGEST);
    expectBuilt(await tiltbuild(['-t', 'localhost/web:dev', ...BUILD]));
    expect(names()).to.deep.equal([['localhost/web:dev']]);
    expect(held()).to.deep.equal(['localhost/web:dev', TAG]);
  });

  it('takes the tag from another image, and leaves the labels of others on it', async () => {
    containerd.add(TAG, OTHER, {'io.cri-containerd.image': 'managed'});
    expectBuilt(await tiltbuild(BUILD));
    expect(containerd.images.get(TAG)?.target?.digest).to.equal(DIGEST);
    expect(labelsOf(TAG)).to.include({
      'io.cri-containerd.image': 'managed',
      'kubectl-tiltbuild.io/name': NAME,
    });
  });

  it('gets its tag even where it keeps its temporary name', async () => {
    fail('Delete', GrpcCode.UNKNOWN);
    expectBuilt(await tiltbuild(BUILD));
    expect(names()).to.deep.equal([[]]);
    expect(held()).to.deep.equal([TAG, TEMPORARY]);
  });

  it('leaves a tag that somebody else gave to the same image', async () => {
    containerd.add(TAG, DIGEST);
    expectBuilt(await tiltbuild(BUILD));
    expect(labelsOf(TAG)).to.deep.equal({});
    expect(held()).to.deep.equal([TAG]);
  });

  for (const [what, prepare, reason] of [
    ['its buildctl cannot dial', () => refuseDial(world), 'containerd cannot be asked: dial unix: no socket'],
    [
      'containerd lets nobody in',
      () => fail('Get', GrpcCode.PERMISSION_DENIED),
      'containerd cannot be asked: no',
    ],
    ['the connection is lost', () => containerd.faults.set('Create', 'lost'), 'containerd cannot be asked'],
    ['the node has no such image', () => containerd.images.clear(), `does not have ${TEMPORARY}`],
    ['it is pushed', () => undefined, 'the image is pushed'],
  ] as const) {
    it(`gets its tag by a second build where ${what}`, async () => {
      prepare();
      const ended = await tiltbuild([...(what === 'it is pushed' ? ['--push'] : []), '-v', ...BUILD]);
      expectBuilt(ended);
      expect(names()).to.deep.equal([[], [TAG]]);
      expect(ended.stderr)
        .to.match(/^tag: by a second pass, since /m)
        .and.contain(reason);
    });
  }

  it('is labelled after a second build, so that it goes when it is old', async () => {
    containerd.images.clear();
    containerd.addLater(TAG, DIGEST);
    expectBuilt(await tiltbuild(BUILD));
    expect(names()).to.deep.equal([[], [TAG]]);
    expect(labelsOf(TAG)).to.include({'kubectl-tiltbuild.io/name': NAME});
  });

  const fail = (method: string, code: number) => containerd.faults.set(method, new GrpcError(code, 'no'));

  describe('with older ones beside it', () => {
    const age = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    const old = (day: number) => `${NAME}:tilt-${String(day).padStart(16, '0')}`;
    const add = async (days: number, more: Readonly<Record<string, string>> = {}) => {
      const labels = {...labelsOf(TAG), 'kubectl-tiltbuild.io/built': age(days), ...more};
      containerd.add(old(days), `sha256:${String(days).padStart(64, '1')}`, labels);
    };
    beforeEach(async () => {
      expectBuilt(await tiltbuild(BUILD));
      for (const days of [5, 3, 1, 4, 2]) await add(days);
    });
    const kept = () => held().filter((name) => name !== TAG);

    it('goes on with the newest that --keep-images keeps, which counts it as well', async () => {
      expectBuilt(await tiltbuild(['--keep-images', '3', ...BUILD]));
      expect(kept()).to.deep.equal([old(1), old(2)]);
      expect(containerd.ids.size).to.equal(new Set([DIGEST, ...kept()]).size);
    });

    it('keeps ten of them by default, and with 0 all', async () => {
      for (let days = 6; days <= 12; days += 1) await add(days);
      expectBuilt(await tiltbuild(['--keep-images', '0', ...BUILD]));
      expect(kept()).to.have.length(12);
      expectBuilt(await tiltbuild(BUILD));
      expect(kept()).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8, 9].map(old));
    });

    it('stays itself, even if the clock was ahead when the others were built', async () => {
      for (const days of [-1, -2]) await add(days);
      expectBuilt(await tiltbuild(['--keep-images', '2', ...BUILD]));
      expect(held()).to.deep.equal([old(-2), TAG]);
    });

    it('keeps what a pod on the node uses, by its name or its digest, or will use', async () => {
      const node = world.api.state.nodes[0]?.metadata.name as string;
      const pod = (name: string, image: string) => runningPod({name, namespace: 'apps', node, image});
      const byDigest = pod('by-digest', 'localhost/else:1');
      byDigest.status.containerStatuses[0].imageID = `sha256:${'4'.padStart(64, '1')}`;
      const {spec, ...waiting} = pod('pending', old(5));
      const pending = {...waiting, spec: {...spec, nodeName: undefined}, status: {phase: 'Pending'}};
      const mounts = pod('mounts', 'localhost/else:1');
      Object.assign(mounts.spec, {volumes: [{name: 'files', image: {reference: old(6)}}]});
      const pinned = {
        ...pod('pinned', `${NAME}@sha256:${'7'.padStart(64, '1')}`),
        status: {phase: 'Pending'},
      };
      for (const days of [6, 7]) await add(days);
      const ended = {...pod('ended', old(2)), status: {phase: 'Succeeded'}};
      world.api.state.pods.push(pod('by-name', old(3)), byDigest, pending, mounts, pinned, ended);
      expectBuilt(await tiltbuild(['--keep-images', '1', ...BUILD]));
      expect(kept()).to.deep.equal([3, 4, 5, 6, 7].map(old));
    });

    it('leaves those of other projects, other names and other people', async () => {
      await add(6, {'kubectl-tiltbuild.io/project': 'f'.repeat(32)});
      await add(7, {'kubectl-tiltbuild.io/name': 'localhost/other'});
      containerd.add(old(8), OTHER);
      expectBuilt(await tiltbuild(['--keep-images', '1', ...BUILD]));
      expect(kept()).to.deep.equal([6, 7, 8].map(old));
    });

    for (const [what, prepare, reason] of [
      [
        'no pods but its own can be listed',
        () => world.api.state.forbidden.add('list all pods'),
        'old images: not removed: You do not have permission to list pods in all namespaces.',
      ],
      [
        'containerd does not say which there are',
        () => fail('List', GrpcCode.UNKNOWN),
        'old images: not removed: no',
      ],
      ['containerd keeps them', () => fail('Delete', GrpcCode.UNKNOWN), 'old images: not removed: no'],
    ] as const) {
      it(`is built all the same where ${what}`, async () => {
        prepare();
        const ended = await tiltbuild(['--keep-images', '1', '-v', ...BUILD]);
        expectBuilt(ended);
        expect(kept()).to.have.length(5);
        expect(ended.stderr).to.contain(reason);
      });
    }
  });
});
