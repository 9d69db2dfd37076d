/** Owns one pass of a build: its plan, told to who wants to know, and the run of it. */
import type {BuilderRequest} from '../../builder/model/request.ts';
import type {Ports} from '../../ports.ts';
import {formatCommand} from '../../text/shell-words.ts';
import type {BuildRequest} from '../build-request.ts';
import {attemptBuild, type BuildAttempts} from './attempt-build.ts';
import type {BuildPass, PassRunner} from './build-passes.ts';
import {type Lending, lendLogin} from './lend-login.ts';
import {type PlanInput, planBuild} from './plan.ts';

export interface PassSurroundings
  extends Omit<PlanInput, keyof BuildPass>,
    Pick<BuildAttempts, 'cluster' | 'deadline'>,
    Pick<BuildAttempts['run'], 'program' | 'input' | 'terminal'>,
    Pick<Lending, 'target' | 'self'> {
  readonly builder: BuilderRequest;
  /** As it was asked for, before any file of it was staged. */
  readonly asked: BuildRequest;
  readonly platform: NodeJS.Platform;
}

/** Makes what runs the passes of a build one after the other. */
export function makePassRunner(surroundings: PassSurroundings, ports: Ports): PassRunner {
  const {program, input, terminal, cluster, deadline, builder, privatePath} = surroundings;
  const {asked, pullSecret, platform} = surroundings;
  let passes = 0;
  return async ({request, tags}) => {
    passes += 1;
    const prefix = `pass-${passes}-`;
    const privateToPass = (name: string) => privatePath(`${prefix}${name}`);
    const lending = {...surroundings, connection: asked.connection, privatePath: privateToPass};
    const pinArgs = await lendLogin(lending, ports.files);
    const plan = planBuild({...surroundings, pinArgs, request, tags});
    ports.notes.detail(`runs: ${formatCommand([program, ...plan.argv])}`);
    return await attemptBuild(
      {
        run: {program, plan, request, namespace: builder.settings.namespace, terminal, input},
        privatePath: privateToPass,
        cluster,
        builder: builder.policy === 'never' ? undefined : builder,
        deadline,
        scene: {asked, pullSecret, platform},
      },
      ports,
    );
  };
}
