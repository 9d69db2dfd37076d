/** Owns what the solves of the builtin engine have in common: what is asked for, the progress, and a failure's end. */
import type {Build} from '../../../buildkit/client.ts';
import type {SolveWatch} from '../../../buildkit/solve.ts';
import type {Ports} from '../../../ports.ts';
import {GrpcError} from '../../../wire/grpc/status.ts';
import type {BuildRequest} from '../../build-request.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {EngineEnd, EngineRun} from '../engine.ts';
import {openProgress} from '../progress.ts';
import {describeFailure} from './failure.ts';
import {type Env, frontendAttributes, lastOf, valuesOf} from './frontend.ts';
import type {OpenBuilder} from './open-builder.ts';
import type {BuildSources} from './sources.ts';

/** All of a build but for its caches, and where its results go. */
export function describeBuild(
  request: BuildRequest,
  {attributes}: BuildSources,
  env: Env,
): Omit<Build, 'exporters' | 'cacheExports' | 'cacheImports'> {
  return {
    frontend: lastOf(request, '--frontend'),
    attributes: new Map([...frontendAttributes(request, env), ...attributes]),
    entitlements: entitlementsOf(request),
  };
}

/** As kubectl build asks for it: `--network host` needs the entitlement as well. */
function entitlementsOf(request: BuildRequest): readonly string[] {
  const asked = valuesOf(request, '--allow').flatMap((list) => list.split(','));
  const isHost = lastOf(request, '--network') === 'host';
  return [...new Set([...asked, ...(isHost ? ['network.host'] : [])])];
}

/** Shows the progress of what `solve` does. A `GrpcError` of it becomes an end; anything else is thrown. */
export async function followSolve(
  {tunnel}: OpenBuilder,
  {pass, stop}: EngineRun,
  build: PreparedBuild,
  {builtin, files}: Ports,
  solve: (watch: SolveWatch) => Promise<EngineEnd>,
): Promise<EngineEnd> {
  const progress = openProgress({...build, request: pass.request}, builtin);
  try {
    const end = await solve({onStatus: (status) => progress.observe(status), signal: stop});
    await progress.end(false);
    return end;
  } catch (error) {
    await progress.end(!stop.aborted);
    if (!(error instanceof GrpcError)) throw error;
    return await describeFailure(error, {steps: progress.steps, tunnel, build, files});
  }
}
