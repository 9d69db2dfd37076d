/** Owns what is known around a failed build, and the form of what we say of it. */

import type {Files} from '../../ports.ts';
import type {Advice} from '../../text/advice.ts';
import type {BuildRequest} from '../build-request.ts';

export interface FailureScene {
  /** As it was asked for, before any file of it was staged. */
  readonly asked: BuildRequest;
  /** Name of the pull secret that was used; undefined for none. */
  readonly pullSecret: string | undefined;
  /** Of the builder. */
  readonly namespace: string;
  readonly platform: NodeJS.Platform;
  readonly files: Pick<Files, 'join' | 'kindOf' | 'readText'>;
}

/** What we add to the delegate's own words. */
export interface Hint {
  /** Sentences on what was wrong and where. */
  readonly message: string;
  readonly detail?: readonly string[];
  readonly remedy: readonly Advice[];
}
