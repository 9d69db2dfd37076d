/** Owns what an engine is: that which builds, be it the plugin `kubectl build` or our own BuildKit client. */
import {TiltbuildError} from '../../errors.ts';
import type {Advice} from '../../text/advice.ts';
import type {BuildPass, PassResult} from '../build-passes.ts';
import type {EngineName} from '../build-request.ts';

/** A failure that the build did not cause. */
export interface EngineFault {
  /** One sentence. */
  readonly message: string;
  readonly remedy: readonly Advice[];
  /** Whether the same build may well succeed at once. */
  readonly retriable: boolean;
}

export type EngineEnd =
  | ({readonly kind: 'built'} & PassResult)
  | {
      readonly kind: 'failed';
      readonly fault: EngineFault | undefined;
      /** What to tell of a failure that is the build's own. */
      readonly explain: () => Promise<TiltbuildError>;
    };

export interface EngineRun {
  readonly pass: BuildPass;
  /** Counts from 1. */
  readonly attempt: number;
  /** Aborted, it cancels the build. */
  readonly stop: AbortSignal;
  /** Called with the name of each pod that it turns to; an engine that does not know its pod never calls it. */
  readonly onPod: (name: string) => void;
}

export interface Engine {
  readonly name: EngineName;
  /** Whether what it reads can be read again. */
  readonly isRepeatable: boolean;
  /** Throws `digest-missing` and what keeps a run from starting; a build that fails is an end. */
  run(run: EngineRun): Promise<EngineEnd>;
  /** Nothing of it is left running. */
  close(): Promise<void>;
}

export function missingPlugin(): TiltbuildError {
  return new TiltbuildError(
    'tool-missing',
    'The kubectl plugin `kubectl build` is not installed: PATH has no kubectl-build.',
    {
      remedy: [
        'Download kubectl-build and kubectl-buildkit from https://github.com/vmware-archive/buildkit-cli-for-kubectl/releases and put them on PATH.',
        'That project is archived and gets no more fixes; kubectl tiltbuild works around its known bugs.',
      ],
    },
  );
}
