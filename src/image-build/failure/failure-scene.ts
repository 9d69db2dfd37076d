/** Owns what is known about a failed build, and the form of what we add to the delegate's error. */

import type {Files} from '../../ports.ts';
import type {Advice} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';
import type {LocalContext} from '../inputs/local-context.ts';

export interface FailureScene {
  /** As requested, before any of its files was staged. */
  readonly asked: BuildRequest;
  /** Name of the pull secret that was used, if any. */
  readonly pullSecret: string | undefined;
  /** Of the builder. */
  readonly namespace: string;
  readonly platform: NodeJS.Platform;
  /** A sentence on the memory of each node that the builder is on; none where it cannot be asked. */
  readonly describeMemory: () => Promise<readonly string[]>;
  readonly files: Pick<Files, 'join' | 'kindOf' | 'readText'>;
  /** The build context, if it is a local directory. */
  readonly local: Pick<LocalContext, 'directory' | 'ignored'> | undefined;
  /** Whose network RUN steps have: that of the builder's node, or of its pod. */
  readonly stepNetwork: 'node' | 'pod';
}

/** What we add to the delegate's error. */
export interface Hint {
  /** Sentences that say what is wrong and where. */
  readonly message: string;
  readonly detail?: readonly string[];
  readonly remedy: readonly Advice[];
}
