/** Owns what is known about a failed build, and the form of what we add to the delegate's error. */

import type {Files} from '../../ports.ts';
import type {Advice} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';

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
}

/** What we add to the delegate's error. */
export interface Hint {
  /** Sentences that say what is wrong and where. */
  readonly message: string;
  readonly detail?: readonly string[];
  readonly remedy: readonly Advice[];
}
