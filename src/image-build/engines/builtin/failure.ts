/** Owns a failed build in the builtin engine's terms: BuildKit's own error, the step, and its lines of the Dockerfile. */

import {readFailure, type SourceLines} from '../../../buildkit/failure.ts';
import type {Step} from '../../../buildkit/progress/steps.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Files} from '../../../ports.ts';
import {GrpcCode, type GrpcError} from '../../../wire/grpc/status.ts';
import {findFault} from '../../failure/builder-faults.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {EngineEnd, EngineFault} from '../engine.ts';
import {explainEnd} from '../explain-end.ts';

export interface FailedSolve {
  readonly steps: readonly Step[];
  readonly tunnel: Tunnel;
  readonly build: PreparedBuild;
  readonly files: Files;
}

/** How long the end of a tunnel may take after the connection on it broke, in milliseconds. */
const PATIENCE = 3000;

export async function describeFailure(
  error: GrpcError,
  {steps, tunnel, build, files}: FailedSolve,
): Promise<EngineEnd> {
  if (error.code === GrpcCode.UNAVAILABLE)
    return {kind: 'failed', fault: await describeLoss(error, tunnel), explain: async () => toError(error)};
  const {name, namespace} = build.builder.request.settings;
  const failed = steps.findLast(({state}) => state === 'failed');
  const words = {
    error: `failed to solve: ${error.message}`,
    step: failed?.name,
    output: failed?.tail.slice(0, 2) ?? [],
  };
  const explain = async () => {
    const {explained} = await explainEnd(words, build, files);
    return explained ?? toError(error);
  };
  return {kind: 'failed', fault: findFault(words.error, {builder: name, namespace}), explain};
}

async function describeLoss(error: GrpcError, {ended}: Tunnel): Promise<EngineFault> {
  const end = await Promise.race([
    ended,
    new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE, undefined)),
  ]);
  // kubectl's last line says no more than that the program before it failed.
  const words = end?.stderr
    .split('\n')
    .findLast((line) => line.trim() !== '' && !/^command terminated with exit code/.test(line));
  const why = (words ?? end?.failure ?? error.message).trim().replace(/\.$/, '');
  return {
    message: `The connection to the builder's pod was lost: ${why}.`,
    remedy: [],
    // kubectl's words for a missing permission.
    retriable: !why.startsWith('Error from server (Forbidden)'),
  };
}

function toError(error: GrpcError): TiltbuildError {
  const detail = readFailure(error).sources.flatMap(quoteSource);
  return new TiltbuildError('build-failed', `The build failed: ${error.message}`, {detail});
}

/** Lines around the ones in question. */
const AROUND = 2;

/** `Dockerfile:2`, and the lines, each in question behind an arrow, as BuildKit's own client shows them. */
export function quoteSource({filename, text, ranges}: SourceLines): readonly string[] {
  const [first] = ranges;
  if (first === undefined) return [];
  const lines = text.split('\n');
  const from = Math.max(first.first - AROUND, 1);
  const to = Math.min((ranges.at(-1)?.last ?? first.last) + AROUND, lines.length);
  const width = String(to).length;
  const quoted = lines.slice(from - 1, to).map((line, index) => {
    const number = from + index;
    const isMeant = ranges.some((range) => number >= range.first && number <= range.last);
    return `${String(number).padStart(width)} | ${isMeant ? '>>>' : '   '} ${line.replace(/\r$/, '')}`.trimEnd();
  });
  return [`${filename}:${first.first}`, ...quoted];
}
