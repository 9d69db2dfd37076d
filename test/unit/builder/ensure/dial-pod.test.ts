/** Covers the limit on connecting to a pod: it ends the wait, and never what was connected in time. */
import {Duplex} from 'node:stream';
import {expect} from 'chai';
import {dialPod} from '../../../../src/builder/ensure/dial-pod.ts';
import type {Cluster, Tunnel} from '../../../../src/cluster/ports.ts';
import {catchError} from '../../../helpers/caught.ts';

const POD = {namespace: 'builds', name: 'buildkit-1'};

function prepare() {
  const stream = new Duplex({read: () => undefined});
  const tunnel: Tunnel = {stream, ended: new Promise(() => undefined)};
  const {promise, resolve, reject} = Promise.withResolvers<Tunnel>();
  const limit = new AbortController();
  const cluster = {openTunnel: () => promise} as Partial<Cluster> as Cluster;
  return {
    tunnel,
    limit,
    dialling: dialPod(POD, cluster, limit.signal),
    connect: () => resolve(tunnel),
    reject,
  };
}

describe('connecting to a pod for a limited time', () => {
  it('leaves a connection alone that was there in time', async () => {
    const {tunnel, limit, dialling, connect} = prepare();
    connect();
    expect(await dialling).to.equal(tunnel);
    limit.abort();
    await new Promise(setImmediate);
    expect(tunnel.stream.destroyed).to.equal(false);
  });

  it('closes a connection that comes later', async () => {
    const {tunnel, limit, dialling, connect} = prepare();
    limit.abort(new Error('no answer'));
    expect((await catchError(dialling)).message).to.equal('no answer');
    connect();
    await new Promise(setImmediate);
    expect(tunnel.stream.destroyed).to.equal(true);
  });

  it('gives the reason where there is no connection', async () => {
    const {dialling, reject} = prepare();
    reject(new Error('pods "buildkit-1" not found'));
    expect((await catchError(dialling)).message).to.equal('pods "buildkit-1" not found');
  });
});
