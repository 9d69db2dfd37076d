/** Covers how long a call to a node's containerd waits for its answer. */
import {expect} from 'chai';
import {Images} from '../../../src/node/containerd.ts';
import {ContainerdConnection} from '../../../src/node/containerd-connection.ts';
import {within} from '../../../src/node/copy-faults.ts';
import {NodeImages} from '../../../src/node/node-images.ts';
import {Content} from '../../../src/wire/containerd/content.ts';
import {ContainerdStandIn} from '../../helpers/containerd-stand-in.ts';

describe('a call to containerd', () => {
  it('waits as long as anything comes, and then as long as it has patience', async () => {
    const node = new ContainerdStandIn();
    node.faults.set('Info', 'stalled');
    const containerd = new ContainerdConnection(node.connect());
    const ends: string[] = [];
    const call = containerd
      .call(Content.info, {digest: 'sha256:0'}, {patience: 500})
      .catch((error) => ends.push(error.message));
    for (let turn = 0; turn < 40; turn += 1) {
      await containerd.call(Images.list, {});
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    ends.push('all else');
    await call;
    expect(ends).to.deep.equal(['all else', 'no answer within 0.5 s']);
    containerd.close();
  });
});

describe('a step of a copy', () => {
  it('is given up so long after the last that came, whenever that was', async () => {
    const images = new NodeImages(new ContainerdStandIn().connect());
    const ends: string[] = [];
    const never = new Promise<never>(() => undefined);
    const step = within(never, 1_000, {name: 'a', images}).catch(({message}) => ends.push(message));
    await images.find('any');
    await Promise.race([step, new Promise((resolve) => setTimeout(resolve, 1_700))]);
    expect(ends).to.deep.equal(['no progress within 1 s']);
    images.close();
  });
});
