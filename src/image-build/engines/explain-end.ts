/** Owns what we add to the words of an engine whose build failed. */
import {observeBuilder} from '../../builder/model/observed-builder.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Files} from '../../ports.ts';
import type {FailureWords} from '../failure/builder-faults.ts';
import type {PreparedBuild} from '../prepare-build.ts';

export interface ExplainedEnd {
  /** Undefined where nothing is known of such a failure. */
  readonly explained: TiltbuildError | undefined;
  /** Whether a command of the Dockerfile failed, which says it all. */
  readonly isStepFailure: boolean;
}

export async function explainEnd(
  words: FailureWords | undefined,
  {request: asked, pullSecret, builder, cluster, inputs, surroundings: {platform}}: PreparedBuild,
  files: Files,
): Promise<ExplainedEnd> {
  if (words === undefined) return {explained: undefined, isStepFailure: false};
  // The known failures are many, and are loaded only after a build failed.
  const {explainFailure, isStepFailure} = await import('../failure/build-hints.ts');
  const {name, namespace} = builder.request.settings;
  const describeMemory = async () => {
    const {describeNodeMemory} = await import('../../builder/ensure/node-memory.ts');
    return await describeNodeMemory(builder.request.settings, cluster);
  };
  const {deployment} = observeBuilder(builder.facts, name);
  const hint = await explainFailure(words, {
    asked,
    pullSecret: pullSecret.name,
    namespace,
    platform,
    files,
    describeMemory,
    local: inputs.local,
    stepNetwork: deployment?.rootless || deployment?.runtime === 'docker' ? 'pod' : 'node',
  });
  const explained =
    hint &&
    new TiltbuildError('build-failed', `The build failed. ${hint.message}`, {
      detail: hint.detail,
      remedy: hint.remedy,
    });
  return {explained, isStepFailure: isStepFailure(words)};
}
