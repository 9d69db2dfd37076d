/** Owns a failed build in the builtin engine's terms: BuildKit's own error, the step, and its lines of the Dockerfile. */

import {createCommand} from '../../../builder/model/builder.ts';
import {missingPermission} from '../../../builder/verdict/permissions.ts';
import {type ConnectionFault, findConnectionFault} from '../../../buildkit/connection-fault.ts';
import {readFailure, type SourceLines} from '../../../buildkit/failure.ts';
import type {Step} from '../../../buildkit/progress/steps.ts';
import type {ObjectPlace} from '../../../cluster/api/paths.ts';
import type {Tunnel} from '../../../cluster/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Files} from '../../../ports.ts';
import {type Advice, advise} from '../../../text/advice.ts';
import type {GrpcError} from '../../../wire/grpc/status.ts';
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

export async function describeFailure(
  error: GrpcError,
  {steps, tunnel, build, files}: FailedSolve,
): Promise<EngineEnd> {
  const {name, namespace} = build.builder.request.settings;
  const fault = await findConnectionFault(error, tunnel);
  if (fault !== undefined)
    return {kind: 'failed', fault: judge(fault, {name, namespace}), explain: async () => toError(error)};
  const failed = steps.findLast(({state}) => state === 'failed');
  const words = {
    error: `failed to solve: ${error.message}`,
    step: failed?.name,
    output: failed?.tail ?? [],
  };
  const explain = async () => {
    const {explained} = await explainEnd(words, build, files);
    return explained ?? toError(error);
  };
  return {kind: 'failed', fault: findFault(words.error, {builder: name, namespace}), explain};
}

/** Throws what no build on this builder gets past. */
function judge({kind, words}: ConnectionFault, builder: ObjectPlace): EngineFault {
  switch (kind) {
    case 'lost':
      return {
        message: `The connection to the builder's pod was lost: ${words}.`,
        remedy: [],
        retriable: true,
      };
    case 'forbidden':
      throw missingPermission(['create pods/exec'], builder.namespace, [words]);
    case 'no-buildctl':
      throw new TiltbuildError(
        'builder-failed',
        `The image of the builder "${builder.name}" has no buildctl, so builds cannot connect to it.`,
        {detail: [words], remedy: recreate(builder)},
      );
    case 'foreign':
      throw new TiltbuildError(
        'builder-failed',
        `The pod of the builder "${builder.name}" does not answer as BuildKit does: ${words}.`,
        {
          remedy: recreate(builder),
        },
      );
    default:
      return kind satisfies never;
  }
}

/** Without an image it is BuildKit's own. */
function recreate(builder: ObjectPlace): readonly Advice[] {
  return [advise`Recreate the builder with BuildKit's image: ${createCommand(builder, '--replace')}`];
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
