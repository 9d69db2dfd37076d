/** Owns replacing a builder that does not work by one that does. */
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderTask} from '../model/request.ts';
import {readAgain, replaceBuilder} from './create-builder.ts';
import {countLeftoverMounts} from './inspect-builder.ts';
import {waitForBuilder} from './wait-for-builder.ts';

/** Gives the new one once it is ready. */
export async function repairBuilder(
  task: BuilderTask,
  nodes: readonly NodeRuntime[] | undefined,
  old: BuilderDeployment,
  ports: Ports,
): Promise<BuilderDeployment> {
  const {request, cluster} = task;
  const leftovers = await countLeftoverMounts(old, cluster);
  await replaceBuilder(task, nodes, old);
  const builder = await waitForBuilder(request, cluster, ports).catch((error: unknown) =>
    keepImage(error, task, nodes, old, ports),
  );
  if (leftovers > 0) {
    ports.notes.note(
      `the old builder left ${leftovers} mounts of containerd's socket on its node, which a restart of the node removes.`,
    );
  }
  return builder;
}

/** The node has the old builder's image, and in a cluster without internet access it may be the only one to be had. */
async function keepImage(
  error: unknown,
  task: BuilderTask,
  nodes: readonly NodeRuntime[] | undefined,
  old: BuilderDeployment,
  ports: Ports,
): Promise<BuilderDeployment> {
  const {request, cluster} = task;
  const isImage = error instanceof TiltbuildError && error.code === 'builder-image';
  if (!isImage || old.image === '' || old.image === request.settings.image) throw error;
  const current = await readAgain(old, cluster);
  // What somebody else made of it meanwhile has reasons of its own not to start.
  if (current?.image !== request.settings.image) throw error;
  ports.notes.note(`${error.message} Keeping the image of the old builder, ${old.image}.`);
  const kept = {...request, settings: {...request.settings, image: old.image}};
  await replaceBuilder({...task, request: kept}, nodes, current);
  return await waitForBuilder(kept, cluster, ports);
}
