/** Owns `--check` in the builtin engine: the Dockerfile frontend's lint (BuildKit's frontend/subrequests/lint). */
import {readFailure, readSource, type SourceDetail} from '../../../buildkit/failure.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import {GrpcCode, GrpcError} from '../../../wire/grpc/status.ts';
import type {DockerfileCheck} from '../../dockerfile-check.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine} from '../engine.ts';
import {quoteSource} from './failure.ts';
import {describeBuild, followSolve} from './follow-solve.ts';
import {onBuilder} from './open-builder.ts';

/** An engine that builds nothing; `report` gets what it found. */
export function checker(
  build: PreparedBuild,
  ports: Ports,
  report: (found: DockerfileCheck) => void,
): Engine {
  return onBuilder(build, {outputs: [], stores: new Map()}, ports, (opened, run) =>
    followSolve(opened, run, build, ports, async (watch) => {
      const {request} = run.pass;
      const asked = {
        ...describeBuild(request, opened.sources, build.surroundings.env),
        exporters: [],
        cacheExports: [],
        cacheImports: [],
      };
      const parts = await opened.client.askFrontend(asked, 'frontend.lint', watch).catch((error: unknown) => {
        throw isUnsupported(error) ? tooOld(error) : error;
      });
      report(readLint(parts));
      return {kind: 'built', digest: undefined, node: opened.pod.node};
    }),
  );
}

/** A BuildKit without a gateway does not know the method; that of docker 20.10 has nothing but words. */
function isUnsupported(error: unknown): boolean {
  return (
    error instanceof GrpcError &&
    (error.code === GrpcCode.UNIMPLEMENTED ||
      readFailure(error).isUnsupported ||
      /unsupported (?:request|frontend capability) /.test(error.message))
  );
}

function tooOld(cause?: unknown): TiltbuildError {
  return new TiltbuildError(
    'builder-failed',
    "--check needs BuildKit 0.15 or a Dockerfile frontend 1.8, and the builder's are older.",
    {remedy: ['Make `# syntax=docker/dockerfile:1` the first line of the Dockerfile.'], cause},
  );
}

/** The JSON of BuildKit's lint; `omitempty` leaves out whatever is zero. */
interface LintResults {
  readonly warnings?: readonly unknown[] | null;
  readonly sources?: readonly SourceDetail['info'][] | null;
  readonly buildError?: {
    readonly message?: string;
    readonly location?: {readonly sourceIndex?: number; readonly ranges?: SourceDetail['ranges']};
  };
}

/** Throws `builder-failed` for an answer without a result: an old frontend takes no notice of the question. */
function readLint(parts: ReadonlyMap<string, Uint8Array>): DockerfileCheck {
  const textOf = (name: string) => Buffer.from(parts.get(name) ?? '').toString();
  const json = textOf('result.json');
  if (json === '') throw tooOld();
  const {warnings, sources, buildError} = JSON.parse(json) as LintResults;
  const {sourceIndex = 0, ranges} = buildError?.location ?? {};
  return {
    text: textOf('result.txt').replace(/^\n+/, ''),
    json,
    warnings: warnings?.length ?? 0,
    ...(buildError !== undefined && {
      error: {
        message: buildError.message ?? '',
        quoted: quoteSource(readSource({info: sources?.[sourceIndex] ?? {}, ranges})),
      },
    }),
  };
}
