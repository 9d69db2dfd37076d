/** Owns progress as plain lines, in the form that docker's users know: `#3 [2/4] RUN make`, `#3 DONE 1.2s`. */

import {formatBytes} from '../../text/amounts.ts';
import {showLine} from '../../text/show-text.ts';
import type {Change, Step, Task} from './steps.ts';

/** A task that goes on is shown again after so much time, or so much of the whole. */
const SECONDS_BETWEEN = 5;
const PART_BETWEEN = 0.05;

/** Of the steps that were shown, by their digests. */
export type StepNumbers = Map<string, number>;

export class PlainProgress {
  readonly #numbers: StepNumbers;
  readonly #shown = new Map<string, Task>();
  #current: string | undefined;

  /** Adds to the numbers. */
  constructor(numbers: StepNumbers = new Map()) {
    this.#numbers = numbers;
  }

  /** The lines for some changes, with their ends; empty where there is nothing to show. */
  format(changes: readonly Change[]): string {
    return changes.map((change) => this.#formatChange(change)).join('');
  }

  #formatChange(change: Change): string {
    switch (change.kind) {
      case 'state':
        return this.#formatState(change.step);
      case 'task':
        return this.#isWorthShowing(change) ? this.#line(change.step, formatTask(change.task)) : '';
      case 'output':
        return this.#line(change.step, `${change.seconds.toFixed(3)} ${change.line}`);
      case 'warning': {
        const text = showLine(Buffer.from(change.warning.short).toString());
        return change.step === undefined ? `WARN: ${text}\n` : this.#line(change.step, `WARN: ${text}`);
      }
      default:
        return change satisfies never;
    }
  }

  #formatState(step: Step): string {
    switch (step.state) {
      case 'waiting':
        return '';
      case 'running':
        return this.#open(step);
      case 'cached':
        return this.#close(step, 'CACHED');
      case 'canceled':
        return this.#close(step, 'CANCELED');
      case 'failed':
        return this.#close(step, `ERROR: ${showLine(step.error)}`);
      case 'done':
        return this.#close(step, `DONE ${step.seconds.toFixed(1)}s`);
      default:
        return step.state satisfies never;
    }
  }

  /** The step's own line, where another one was shown last. */
  #open(step: Step): string {
    if (this.#current === step.digest) return '';
    const isFirst = this.#numbers.size === 0;
    const number = this.#numbers.get(step.digest) ?? this.#numbers.size + 1;
    this.#numbers.set(step.digest, number);
    const before = this.#current === undefined ? '' : `#${this.#numbers.get(this.#current)} ...\n`;
    this.#current = step.digest;
    return `${before}${isFirst ? '' : '\n'}#${number} ${showLine(step.name)}\n`;
  }

  #line(step: Step, text: string): string {
    const opened = this.#open(step);
    return `${opened}#${this.#numbers.get(step.digest)} ${text}\n`;
  }

  #close(step: Step, text: string): string {
    const shown = this.#line(step, text);
    this.#current = undefined;
    return shown;
  }

  #isWorthShowing({step, task}: Extract<Change, {kind: 'task'}>): boolean {
    const key = `${step.digest} ${task.name}`;
    const last = this.#shown.get(key);
    const isWorth =
      last === undefined ||
      (task.isDone && !last.isDone) ||
      task.seconds - last.seconds >= SECONDS_BETWEEN ||
      (task.total > 0 && (task.current - last.current) / task.total >= PART_BETWEEN);
    if (isWorth) this.#shown.set(key, task);
    return isWorth;
  }
}

/** `transferring context: 1.2MB / 3.4MB 0.2s done` */
export function formatTask({name, current, total, seconds, isDone}: Task): string {
  const amount =
    total > 0
      ? ` ${formatBytes(current)} / ${formatBytes(total)}`
      : current > 0
        ? ` ${formatBytes(current)}`
        : '';
  const time = seconds > 0.01 ? ` ${seconds.toFixed(1)}s` : '';
  return `${showLine(name)}${amount}${time}${isDone ? ' done' : ''}`;
}
