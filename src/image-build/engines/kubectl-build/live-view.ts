/** Owns the live view of a build by the plugin, which prints plain lines to us. What is no progress must not move in it. */
import type {Ports} from '../../../ports.ts';
import type {Surroundings} from '../../../surroundings.ts';
import {showText} from '../../../text/show-text.ts';
import {hasColour, showProgress} from '../progress.ts';
import {PlainStatuses} from './plain-statuses.ts';

export interface LiveView {
  observe(chunk: Uint8Array): void;
  /** Resolves when everything was shown. */
  end(failed: boolean): Promise<void>;
}

export function openLiveView(
  surroundings: Surroundings,
  {builtin, wallClock}: Pick<Ports, 'builtin' | 'wallClock'>,
): LiveView {
  const progress = showProgress('live', hasColour(surroundings), builtin);
  const statuses = new PlainStatuses({
    status: (status) => progress.observe(status),
    other: (text) => progress.print(showText(text)),
    now: wallClock,
  });
  return {
    observe: (chunk) => statuses.observe(chunk),
    end: async (failed) => {
      const error = statuses.end();
      await progress.end(failed);
      if (failed) await builtin.show(showText(error));
    },
  };
}
