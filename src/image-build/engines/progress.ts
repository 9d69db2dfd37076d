/** Owns what is shown of a build: the live view, plain lines, JSON lines, or nothing unless it fails. */

import type {StatusResponse} from '../../buildkit/control.ts';
import {LiveProgress} from '../../buildkit/progress/live.ts';
import {PlainProgress, type StepNumbers} from '../../buildkit/progress/plain.ts';
import {type Step, Steps} from '../../buildkit/progress/steps.ts';
import {Turns} from '../../buildkit/progress/turns.ts';
import type {BuiltinTools} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {showLine} from '../../text/show-text.ts';
import type {BuildRequest} from '../build-request.ts';
import type {PreparedBuild} from '../prepare-build.ts';

export type ProgressForm = 'live' | 'plain' | 'rawjson' | 'quiet';

export interface BuildProgress {
  observe(status: StatusResponse): void;
  /** Shows lines that are no part of the progress. */
  print(text: string): void;
  /** Once the build has ended. Resolves when everything was taken. */
  end(failed: boolean): Promise<void>;
  readonly steps: readonly Step[];
}

/** The live view is for terminals that can draw it. */
export function chooseForm({quiet, progress}: BuildRequest, {terminal, env}: Surroundings): ProgressForm {
  if (quiet) return 'quiet';
  if (progress === 'rawjson' || progress === 'plain') return progress;
  return progress === 'tty' || (terminal && env.TERM !== 'dumb') ? 'live' : 'plain';
}

/** https://no-color.org */
export function hasColour({terminal, env}: Surroundings): boolean {
  return terminal && !env.NO_COLOR && env.TERM !== 'dumb';
}

const TICK = 100;
/** Of what is only shown where the build fails. */
const LONGEST_HELD = 4 * 1024 * 1024;

/** In the form that a build asks for. */
export function openProgress(
  {request, surroundings, numbers}: Pick<PreparedBuild, 'request' | 'surroundings' | 'numbers'>,
  tools: ProgressTools,
  doing?: string,
): BuildProgress {
  return showProgress(chooseForm(request, surroundings), hasColour(surroundings), tools, doing, numbers);
}

type ProgressTools = Pick<BuiltinTools, 'show' | 'terminalSize' | 'every'>;

/** `doing` is what the live view says above the steps. */
export function showProgress(
  form: ProgressForm,
  colour: boolean,
  {show, terminalSize, every}: ProgressTools,
  doing = 'Building',
  numbers: StepNumbers = new Map(),
): BuildProgress {
  const now = () => performance.now();
  const steps = new Steps();
  const plain = new PlainProgress(form === 'quiet' ? undefined : numbers);
  const turns = new Turns();
  const live = new LiveProgress({doing, colour, size: terminalSize, now});
  let held = '';
  let shown = Promise.resolve();
  const write = (text: string) => {
    if (text === '') return;
    shown = shown.then(() => show(text));
    // What fails is thrown at the end.
    shown.catch(() => undefined);
  };
  const writeOrHold = (text: string) => {
    if (form === 'quiet') held = (held + text).slice(-LONGEST_HELD);
    else write(text);
  };
  const refresh = () =>
    form === 'live' ? write(live.draw(steps.all)) : writeOrHold(plain.format(turns.take(now())));
  const stop = every(TICK, refresh);
  return {
    get steps() {
      return steps.all;
    },
    observe: (status) => {
      const changes = steps.apply(status);
      switch (form) {
        case 'plain':
        case 'quiet':
          return turns.add(changes, now());
        case 'live':
          return write(live.draw(steps.all, changes));
        case 'rawjson':
          return write(`${JSON.stringify(status, toJson)}\n`);
        default:
          return form satisfies never;
      }
    },
    print: (text) => {
      if (form === 'live') return write(live.draw(steps.all, [], text));
      refresh();
      write(text);
    },
    end: async (failed) => {
      stop();
      if (form === 'live') write(live.draw(steps.all));
      writeOrHold(plain.format(turns.takeAll()));
      if (failed) write(held);
      if (failed && form !== 'rawjson') write(quoteFailed(steps.all));
      await shown;
    },
  };
}

/** As docker shows it: the last lines of the step that failed, once more, where the eye is. */
function quoteFailed(steps: readonly Step[]): string {
  const failed = steps.findLast(({state}) => state === 'failed');
  if (failed === undefined || failed.tail.length === 0) return '';
  return ['------', ` > ${showLine(failed.name)}:`, ...failed.tail, '------', ''].join('\n');
}

/** In the form of BuildKit's own JSON, as far as types allow: bytes in base64, times in RFC 3339. */
function toJson(this: unknown, key: string, given: unknown): unknown {
  // A Buffer has become an object by its own toJSON when it comes here.
  const value = given !== null && typeof given === 'object' ? Reflect.get(Object(this), key) : given;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'object' && value !== null && 'seconds' in value && 'nanos' in value) {
    return new Date(Number(value.seconds) * 1000 + Number(value.nanos) / 1e6).toISOString();
  }
  return value;
}
