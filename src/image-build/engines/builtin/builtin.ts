/** Owns the builtin engine: BuildKit in the builder's pod, asked by a client of our own. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import type {Output} from '../../../buildkit/session/outputs.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {advise, flag} from '../../../text/advice.ts';
import {GrpcError} from '../../../wire/grpc/status.ts';
import type {BuildPass} from '../../build-passes.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine, EngineEnd, EngineRun} from '../engine.ts';
import {chooseExport, type Export, readCache} from './exports.ts';
import {describeFailure} from './failure.ts';
import {frontendAttributes, lastOf, valuesOf} from './frontend.ts';
import {type OpenBuilder, openBuilder} from './open-builder.ts';
import {chooseForm, hasColour, showProgress} from './progress.ts';

export function builtin(build: PreparedBuild, runtime: BuilderRuntime, ports: Ports): Engine {
  const outputs: Output[] = [];
  let opened: Promise<OpenBuilder> | undefined;
  return {
    name: 'builtin',
    // Whatever comes from standard input is kept; what went to standard output cannot be taken back.
    isRepeatable: !build.request.destination.stdout,
    run: async ({stop, ...run}) => {
      opened ??= openBuilder(build, outputs, ports);
      const cancel = new AbortController();
      const release = ports.interruption.subscribe(() => cancel.abort());
      const signal = AbortSignal.any([stop, cancel.signal]);
      const end = await solvePass(
        await opened,
        {...run, stop: signal},
        build,
        runtime,
        outputs,
        ports,
      ).finally(release);
      // Another attempt needs a connection of its own.
      if (end.kind === 'failed' && end.fault !== undefined) opened = undefined;
      return end;
    },
    close: () => void opened?.then(({client}) => client.close()).catch(() => undefined),
  };
}

async function solvePass(
  {client, tunnel, sources}: OpenBuilder,
  {pass, stop}: EngineRun,
  build: PreparedBuild,
  runtime: BuilderRuntime,
  outputs: Output[],
  {builtin, files}: Ports,
): Promise<EngineEnd> {
  const {request} = pass;
  const {env} = build.surroundings;
  const exported = chooseExport(
    request,
    pass.tags.map(({canonical}) => canonical),
    runtime,
  );
  const output = openOutput(exported.dest, builtin);
  outputs.splice(0, outputs.length, ...(output === undefined ? [] : [output]));
  const progress = showProgress(
    chooseForm(request, build.surroundings),
    hasColour(build.surroundings),
    builtin,
  );
  try {
    const response = await client.solve(
      {
        frontend: lastOf(request, '--frontend'),
        attributes: new Map([...frontendAttributes(request, env), ...sources.attributes]),
        exporters: [exported],
        cacheExports: readCache('--cache-to', valuesOf(request, '--cache-to'), env),
        cacheImports: readCache('--cache-from', valuesOf(request, '--cache-from'), env),
        entitlements: entitlementsOf(pass),
      },
      {onStatus: (status) => progress.observe(status), signal: stop},
    );
    await progress.end(false);
    return {kind: 'built', digest: findDigest(response, build)};
  } catch (error) {
    await progress.end(!stop.aborted);
    if (!(error instanceof GrpcError)) throw error;
    return await describeFailure(error, {steps: progress.steps, tunnel, build, files});
  } finally {
    output?.close();
  }
}

function openOutput(dest: Export['dest'], {openTree, openArchive}: Ports['builtin']) {
  if (dest === undefined) return undefined;
  try {
    return dest.kind === 'tree' ? openTree(dest.path) : openArchive(dest.path);
  } catch (cause) {
    throw new TiltbuildError('result-not-written', `Could not write "${dest.path}": ${reasonOf(cause)}.`, {
      cause,
    });
  }
}

/** As kubectl build asks for it: `--network host` needs the entitlement as well. */
function entitlementsOf({request}: BuildPass): readonly string[] {
  const asked = valuesOf(request, '--allow').flatMap((list) => list.split(','));
  const isHost = lastOf(request, '--network') === 'host';
  return [...new Set([...asked, ...(isHost ? ['network.host'] : [])])];
}

/** Throws `digest-missing`. */
function findDigest(response: ReadonlyMap<string, string>, {request}: PreparedBuild): string | undefined {
  const digest = response.get('containerimage.digest');
  const {kind} = request.destination;
  if (digest !== undefined || kind === 'files' || kind === 'archive') return digest;
  throw new TiltbuildError('digest-missing', 'The build succeeded, but BuildKit did not report the digest.', {
    remedy: [advise`The image exists under its tags. To see the progress, use ${flag('progress', 'plain')}.`],
  });
}
