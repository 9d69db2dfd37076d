/** Owns giving a builder the registry settings of its node's containerd, which its pods mount. */
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {addRegistries} from '../manifest/merge-toml.ts';
import {parentDirectory} from '../model/node-paths.ts';
import {type NodeRegistries, translateHosts} from '../model/node-registries.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderRequest} from '../model/request.ts';
import {findCurrentPods} from '../verdict/find-trouble.ts';
import {configureBuilder} from './configure-builder.ts';
import {execArgs, listPods} from './inspect-builder.ts';
import {waitForBuilder} from './wait-for-builder.ts';

/** They may complain of every file. */
const LONGEST_REASON = 4096;

/** Restarts the builder if they are not what it has; gives it as it is then. */
export async function addNodeRegistries(
  builder: BuilderDeployment,
  request: BuilderRequest,
  cluster: Cluster,
  ports: Ports,
): Promise<BuilderDeployment> {
  const read = await readNodeRegistries(builder, cluster);
  const hosts = Object.keys(read?.tables ?? {});
  const found =
    hosts.length === 0
      ? `${builder.nodeRegistries} has no settings that BuildKit can use.`
      : `builds use the settings for ${hosts.join(', ')}.`;
  for (const note of [...(read?.notes ?? []), found]) ports.notes.note(`registries of the node: ${note}`);
  const changed = await configureBuilder(builder, (toml) => addRegistries(toml, read?.tables ?? {}), cluster);
  return changed ? await waitForBuilder(request, cluster, ports, {since: 0}) : builder;
}

/** Undefined if no pod of the builder can read them. Throws `builder-failed` if the pod's programs fail. */
export async function readNodeRegistries(
  builder: BuilderDeployment | undefined,
  cluster: Cluster,
): Promise<NodeRegistries | undefined> {
  const directory = builder?.nodeRegistries;
  if (builder === undefined || directory === undefined || builder.readyReplicas === 0) return undefined;
  const pods = (await listPods(builder, cluster)) ?? [];
  // By the name of the Deployment, kubectl may choose one from before the change, which does not mount them.
  const pod = findCurrentPods({deployment: builder, pods}).find(({ready}) => ready);
  const where = pod?.name ?? `deployment/${builder.name}`;
  const run = async (command: readonly string[]) => {
    const {exitCode, stdout, stderr} = await cluster.kubectl(execArgs(where, command));
    // A link that leads nowhere is not what these programs are asked about, but find fails because of it. grep fails
    // without a word where all files are empty.
    if (exitCode === 0 || stdout !== '' || stderr === '') return stdout.split('\n').filter(Boolean);
    throw new TiltbuildError(
      'builder-failed',
      "Could not read the registry settings of the builder's node.",
      {
        detail: stderr.slice(0, LONGEST_REASON).split('\n').filter(Boolean),
      },
    );
  };
  // The directory itself may be missing, and certificates may be beside it.
  const files = await run(['find', '-L', parentDirectory(directory), '-type', 'f']);
  const inHosts = files.filter((file) => parentDirectory(parentDirectory(file)) === directory);
  const tomls = inHosts.filter((file) => file.endsWith('/hosts.toml'));
  const lines = tomls.length === 0 ? [] : await run(['grep', '-H', '', ...tomls]);
  const paths = inHosts.filter((file) => /\/hosts\.toml$|\.crt$|\.cert$/.test(file)).map(parentDirectory);
  const hosts = [...new Set(paths)].sort().map((path) => {
    const start = `${path}/hosts.toml:`;
    const text = lines.filter((line) => line.startsWith(start)).map((line) => line.slice(start.length));
    return {path, ...(text.length > 0 && {toml: text.join('\n')})};
  });
  return translateHosts(hosts, files);
}
