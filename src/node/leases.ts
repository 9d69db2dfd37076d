/** Owns leases: what a node keeps while it is being copied, though nothing else there needs it. */
import {randomUUID} from 'node:crypto';
import {Leases} from './containerd.ts';
import type {ContainerdCall, ContainerdConnection} from './containerd-connection.ts';

/** How long a process that is killed leaves one, in milliseconds. containerd's own clients leave them as long. */
const LIFETIME = 24 * 60 * 60 * 1000;
/** A copy that is finished does not wait for long, in milliseconds. */
const PATIENCE = 1_000;

/** Known before there is a lease: a call that is cancelled may have created it. */
export function nameLease(): string {
  return `kubectl-tiltbuild-${randomUUID()}`;
}

/** `now` is in epoch milliseconds. Throws `GrpcError`. */
export async function createLease(
  containerd: ContainerdConnection,
  id: string,
  now: number,
  call: Omit<ContainerdCall, 'lease'>,
): Promise<void> {
  const labels = new Map([['containerd.io/gc.expire', new Date(now + LIFETIME).toISOString()]]);
  await containerd.call(Leases.create, {id, labels}, call);
}

/** Keeps content, and all that its labels lead to. Throws `GrpcError`. */
export async function keepContent(
  containerd: ContainerdConnection,
  lease: string,
  digest: string,
  call: Omit<ContainerdCall, 'lease'>,
): Promise<void> {
  await containerd.call(Leases.addResource, {id: lease, resource: {id: digest, type: 'content'}}, call);
}

/** Never rejects: it expires. */
export async function deleteLease(containerd: ContainerdConnection, lease: string): Promise<void> {
  await containerd.call(Leases.delete, {id: lease}, {patience: PATIENCE}).catch(() => undefined);
}
