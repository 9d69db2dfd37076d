/** Owns the way from the connection flags to a cluster that can be asked, and a private directory beside it. */
import type {Ports} from '../ports.ts';
import type {Surroundings} from '../surroundings.ts';
import type {ConnectionRequest} from './connection.ts';
import {pinnedKubeconfig} from './kubeconfig/pinned-kubeconfig.ts';
import type {Cluster} from './ports.ts';
import type {Identified} from './product.ts';
import {identifyByNames} from './product.ts';
import {loadTarget, pinToOwnKubeconfig} from './target/load-target.ts';
import type {Target} from './target/target.ts';

export interface OpenedCluster {
  readonly target: Target;
  readonly byNames: Identified;
  readonly cluster: Cluster;
  /** kubectl's connection flags that pin the target. */
  readonly pinArgs: readonly string[];
  /** Makes the path of a file or directory in a private directory from its name there. */
  readonly privatePath: (name: string) => string;
}

/** Nothing has been asked yet when `use` begins, and nothing is left when it ends. */
export async function withCluster<T>(
  connection: ConnectionRequest,
  surroundings: Surroundings,
  ports: Ports,
  use: (opened: OpenedCluster) => Promise<T>,
): Promise<T> {
  const {files, clusters} = ports;
  const {target, pinArgs} = await loadTarget(connection, surroundings, files);
  const directory = await files.makePrivateDirectory();
  const privatePath = (name: string) => files.join(directory, name);
  try {
    const args = pinArgs ?? (await writeOwnKubeconfig(target, privatePath('kubeconfig'), connection, ports));
    const cluster = clusters.connect(target, {args, requestTimeout: connection.requestTimeout});
    return await use({target, byNames: identifyByNames(target), cluster, pinArgs: args, privatePath});
  } finally {
    // What went wrong before is what the user has to know; at the end of the process it is tried again.
    await files.remove(directory).catch(() => undefined);
  }
}

async function writeOwnKubeconfig(
  target: Target,
  path: string,
  connection: ConnectionRequest,
  {files}: Ports,
): Promise<readonly string[]> {
  await files.writePrivate(path, pinnedKubeconfig(target));
  return pinToOwnKubeconfig(path, target, connection);
}
