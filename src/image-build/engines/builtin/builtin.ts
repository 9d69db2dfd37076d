/** Owns the builtin engine: BuildKit in the builder's pod, asked by a client of our own. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import type {Output} from '../../../buildkit/session/outputs.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {advise, flag} from '../../../text/advice.ts';
import {readCache} from '../../inputs/caches.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine, EngineEnd, EngineRun} from '../engine.ts';
import {chooseExport, type Export} from './exports.ts';
import {describeBuild, followSolve} from './follow-solve.ts';
import {valuesOf} from './frontend.ts';
import {type OpenBuilder, onBuilder} from './open-builder.ts';

export function builtin(build: PreparedBuild, runtime: BuilderRuntime, ports: Ports): Engine {
  const outputs: Output[] = [];
  return onBuilder(build, outputs, ports, (opened, run) =>
    solvePass(opened, run, build, runtime, outputs, ports),
  );
}

async function solvePass(
  opened: OpenBuilder,
  run: EngineRun,
  build: PreparedBuild,
  runtime: BuilderRuntime,
  outputs: Output[],
  ports: Ports,
): Promise<EngineEnd> {
  const {request, tags, temporaryName} = run.pass;
  const {env} = build.surroundings;
  const names = tags.map(({canonical}) => canonical);
  const exported = chooseExport(request, names, runtime, temporaryName);
  const output = openOutput(exported.dest, ports.builtin);
  outputs.splice(0, outputs.length, ...(output === undefined ? [] : [output]));
  try {
    return await followSolve(opened, run, build, ports, async (watch) => {
      const asked = {
        ...describeBuild(request, opened.sources, env),
        exporters: [exported],
        cacheExports: readCache('--cache-to', valuesOf(request, '--cache-to'), env),
      };
      return {kind: 'built', digest: findDigest(await opened.client.solve(asked, watch), build)};
    });
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

/** Throws `digest-missing`. */
function findDigest(response: ReadonlyMap<string, string>, {request}: PreparedBuild): string | undefined {
  const digest = response.get('containerimage.digest');
  const {kind} = request.destination;
  if (digest !== undefined || kind === 'files' || kind === 'archive') return digest;
  throw new TiltbuildError('digest-missing', 'The build succeeded, but BuildKit did not report the digest.', {
    remedy: [advise`The image exists under its tags. To see the progress, use ${flag('progress', 'plain')}.`],
  });
}
