/** Owns the builtin engine: BuildKit in the builder's pod, asked by a client of our own. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import {nameInCluster} from '../../../builder/model/local-registry.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {reasonOf} from '../../../system-error.ts';
import {type Advice, advise, flag} from '../../../text/advice.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine, EngineEnd, EngineRun} from '../engine.ts';
import {chooseExport, type Export} from './exports.ts';
import {describeBuild, followSolve} from './follow-solve.ts';
import {isLayout, mayUseLayouts} from './frontend.ts';
import {type OpenBuilder, onBuilder, type Served} from './open-builder.ts';

export function builtin(build: PreparedBuild, runtime: BuilderRuntime, ports: Ports): Engine {
  const served: Served = {outputs: [], stores: new Map()};
  return onBuilder(build, served, ports, (opened, run) =>
    solvePass(opened, run, build, runtime, served, ports),
  );
}

async function solvePass(
  opened: OpenBuilder,
  run: EngineRun,
  build: PreparedBuild,
  runtime: BuilderRuntime,
  {outputs, stores}: Served,
  ports: Ports,
): Promise<EngineEnd> {
  const {request, tags, temporaryName, number} = run.pass;
  const {files, builtin, notes} = ports;
  const {openBlobs} = builtin;
  const names = tags.map(({canonical}) => nameInCluster(canonical, build.localRegistry));
  const exported = chooseExport(request, names, runtime, temporaryName);
  const layouts = mayUseLayouts(request) ? await import('./layouts.ts') : undefined;
  const finishLayout = isLayout(request.output)
    ? layouts?.openImageLayout(exported, stores, {files, openBlobs})
    : undefined;
  const output = finishLayout === undefined ? openOutput(exported.dest, builtin) : undefined;
  outputs.splice(0, outputs.length, ...(output === undefined ? [] : [output]));
  // Said once is enough.
  const isFirst = number === 1 && run.attempt === 1;
  const note = (text: Advice) => (isFirst ? notes.note(text) : undefined);
  const {finish, ...caches} = (await layouts?.openCaches(request, build.surroundings.env, stores, {
    ...{files, openBlobs, note},
  })) ?? {...NO_CACHES, finish: undefined};
  try {
    return await followSolve(opened, run, build, ports, async (watch) => {
      const asked = {
        ...describeBuild(request, opened.sources, build.surroundings.env),
        ...caches,
        exporters: [exported],
      };
      const response = await opened.client.solve(asked, watch);
      await finishLayout?.(response);
      await finish?.(response);
      return {kind: 'built', digest: findDigest(response, build), node: opened.pod.node};
    });
  } finally {
    output?.close();
  }
}

const NO_CACHES = {cacheImports: [], cacheExports: []};

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
