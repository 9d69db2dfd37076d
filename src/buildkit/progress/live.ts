/** Owns the live view of a build on a terminal: steps with their times, redrawn in place. */
import {stripVTControlCharacters} from 'node:util';
import {escapeControls, showLine} from '../../text/show-text.ts';
import {formatTask} from './plain.ts';
import type {Change, Step} from './steps.ts';

export interface LiveOptions {
  /** E.g. `Building`. */
  readonly doing: string;
  readonly colour: boolean;
  /** Of the terminal now: it may be resized. */
  readonly size: () => {readonly columns: number; readonly rows: number};
  /** In milliseconds since some fixed moment. */
  readonly now: () => number;
}

/** How many of its last lines a running step shows. */
const TAIL = 6;
/** The cursor to the first column, so many lines up, and everything from there on removed. */
const eraseLines = (count: number) => `\r${count > 0 ? `\u001b[${count}A` : ''}\u001b[J`;

const COLOURS: Readonly<Record<Step['state'], number | undefined>> = {
  waiting: undefined,
  running: undefined,
  done: 34,
  cached: 34,
  failed: 31,
  canceled: 33,
};

export class LiveProgress {
  readonly #options: LiveOptions;
  readonly #started: number;
  /** When each step was first seen to run, by our clock: the cluster's may be another. */
  readonly #seen = new Map<string, number>();
  /** How wide each line of the view is that is on the terminal now. */
  #drawn: readonly number[] = [];

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#started = options.now();
  }

  /** What draws the view over the last one. Warnings stay above it, and so does `text`. */
  draw(steps: readonly Step[], changes: readonly Change[] = [], text = ''): string {
    const {columns, rows} = this.#options.size();
    const shown = steps.filter(({state}) => state !== 'waiting');
    const ended = shown.filter(({state}) => state !== 'running').length;
    const head = `[+] ${this.#options.doing} ${this.#elapsed().toFixed(1)}s (${ended}/${steps.length})`;
    const body = shown.flatMap((step) => this.#drawStep(step, columns));
    // The last line stays free, so that nothing scrolls while it is drawn.
    const lines = [cut(head, columns), ...body.slice(-Math.max(rows - 3, 1))];
    const warnings = changes.flatMap((change) =>
      change.kind === 'warning' ? [warn(change.warning.short)] : [],
    );
    // What was cut for a wider terminal takes several lines of a narrower one.
    const height = this.#drawn.reduce((sum, width) => sum + Math.max(Math.ceil(width / columns), 1), 0);
    this.#drawn = lines.map(widthOf);
    return `${eraseLines(height)}${text}${warnings.join('')}${lines.join('\n')}\n`;
  }

  #elapsed(): number {
    return (this.#options.now() - this.#started) / 1000;
  }

  #drawStep(step: Step, columns: number): readonly string[] {
    const seconds = step.state === 'running' ? this.#sinceStart(step) : step.seconds;
    const label = ` => ${step.state === 'cached' ? 'CACHED ' : ''}${step.state === 'failed' ? 'ERROR ' : ''}${showLine(step.name)}`;
    const line = this.#paint(step.state, align(label, `${seconds.toFixed(1)}s`, columns));
    if (step.state !== 'running') return [line];
    const tasks = [...step.tasks.values()].map((task) => cut(` => => ${formatTask(task)}`, columns));
    const tail = step.tail.slice(-TAIL).map((text) => this.#dim(cut(` => => # ${printable(text)}`, columns)));
    return [line, ...tasks, ...tail];
  }

  #sinceStart({digest}: Step): number {
    const now = this.#options.now();
    const since = this.#seen.get(digest) ?? now;
    this.#seen.set(digest, since);
    return (now - since) / 1000;
  }

  #paint(state: Step['state'], text: string): string {
    const code = COLOURS[state];
    return this.#options.colour && code !== undefined ? `\u001b[${code}m${text}\u001b[0m` : text;
  }

  #dim(text: string): string {
    return this.#options.colour ? `\u001b[2m${text}\u001b[0m` : text;
  }
}

function warn(short: Uint8Array): string {
  return `WARN: ${showLine(Buffer.from(short).toString())}\n`;
}

function align(label: string, end: string, columns: number): string {
  const room = Math.max(columns - end.length - 1, 1);
  const shown = cut(label, room);
  return `${shown}${' '.repeat(Math.max(room - widthOf(shown), 0))} ${end}`;
}

function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let shown = '';
  let width = 1;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    shown += character;
  }
  return `${shown}…`;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** In columns of a terminal: the characters of East Asia and emoji take two of them, marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of stripVTControlCharacters(text)) {
    if (!/\p{M}|\u200d/u.test(character)) width += WIDE.test(character) ? 2 : 1;
  }
  return width;
}

/** Of what a step printed: colours do not fit into the view, and a tab would move what stands behind it. */
function printable(text: string): string {
  return escapeControls(stripVTControlCharacters(text).replaceAll('\t', ' '));
}
