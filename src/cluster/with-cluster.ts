/** Owns opening a cluster by the connection flags, with a private directory beside it. */
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
  /** The path of a file in the private directory. */
  readonly privatePath: (name: string) => string;
  /** The same for a file that may be large. */
  readonly spoolPath: (name: string) => string;
}

/** No request is sent before `use` begins, and no file is left after it ends. None is ever in one of `outside`. */
export async function withCluster<T>(
  connection: ConnectionRequest,
  surroundings: Surroundings,
  ports: Ports,
  use: (opened: OpenedCluster) => Promise<T>,
  outside: readonly string[] = [],
): Promise<T> {
  const {files, clusters} = ports;
  const {target, pinArgs} = await loadTarget(connection, surroundings, files);
  const directory = await files.makePrivateDirectory(outside);
  const privatePath = (name: string) => files.join(directory.path, name);
  const spoolPath = (name: string) => files.join(directory.spool, name);
  try {
    const args = pinArgs ?? (await writeOwnKubeconfig(target, privatePath('kubeconfig'), connection, ports));
    const cluster = clusters.connect(target, {args, requestTimeout: connection.requestTimeout});
    return await use({
      target,
      byNames: identifyByNames(target),
      cluster,
      pinArgs: args,
      privatePath,
      spoolPath,
    });
  } finally {
    // An earlier error matters more, and so does a build that succeeded; the end of the process tries it again.
    await directory.remove().catch(() => undefined);
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
