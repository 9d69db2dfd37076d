/** Owns putting a builder that works in the place of one that does not. */
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {NodeRuntime} from '../model/node-runtimes.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderSurroundings} from '../model/request.ts';
import {countLeftoverMounts} from './inspect-builder.ts';
import {readAgain, replaceBuilder} from './make-builder.ts';
import {waitForBuilder} from './wait-for-builder.ts';

/** Gives the new one once it is ready. */
export async function mendBuilder(
  surroundings: BuilderSurroundings,
  nodes: readonly NodeRuntime[] | undefined,
  old: BuilderDeployment,
  ports: Ports,
): Promise<BuilderDeployment> {
  const {request, cluster} = surroundings;
  const leftovers = await countLeftoverMounts(old, cluster);
  await replaceBuilder(surroundings, nodes, old);
  const builder = await waitForBuilder(request, cluster, ports).catch((error: unknown) =>
    keepImage(error, surroundings, nodes, old, ports),
  );
  if (leftovers > 0) {
    ports.notes.note(
      `the old builder left ${leftovers} mounts of containerd's socket on its node; they go when the node restarts.`,
    );
  }
  return builder;
}

/** The old builder's image was on its node, and in a cluster without a way out it may be the only one to be had. */
async function keepImage(
  error: unknown,
  surroundings: BuilderSurroundings,
  nodes: readonly NodeRuntime[] | undefined,
  old: BuilderDeployment,
  ports: Ports,
): Promise<BuilderDeployment> {
  const {request, cluster} = surroundings;
  const isImage = error instanceof TiltbuildError && error.code === 'builder-image';
  if (!isImage || old.image === '' || old.image === request.settings.image) throw error;
  const current = await readAgain(old, cluster);
  if (current === undefined) throw error;
  ports.notes.note(`${error.message} It keeps the image of the old one, ${old.image}.`);
  const kept = {...request, settings: {...request.settings, image: old.image}};
  await replaceBuilder({...surroundings, request: kept}, nodes, current);
  return await waitForBuilder(kept, cluster, ports);
}
