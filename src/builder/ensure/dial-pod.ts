/** Owns connecting to BuildKit in a builder's pod, for a limited time where one is given. */
import type {ObjectPlace} from '../../cluster/api/paths.ts';
import type {Cluster, Tunnel} from '../../cluster/ports.ts';
import {CONTAINER} from '../model/marks.ts';

export const DIAL = ['buildctl', 'dial-stdio'];

/** The signal limits the wait for the connection, not what is done with it; one that comes later is closed. */
export async function dialPod(
  {namespace, name: pod}: ObjectPlace,
  cluster: Cluster,
  signal?: AbortSignal,
): Promise<Tunnel> {
  signal?.throwIfAborted();
  const opening = cluster.openTunnel({namespace, pod, container: CONTAINER, command: DIAL});
  if (signal === undefined) return await opening;
  const {promise: late, reject} = Promise.withResolvers<never>();
  const giveUp = () => {
    reject(signal.reason);
    opening.then(
      ({stream}) => stream.destroy(),
      () => undefined,
    );
  };
  signal.addEventListener('abort', giveUp, {once: true});
  try {
    return await Promise.race([opening, late]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
