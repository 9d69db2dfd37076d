/** Owns the steps of a build as BuildKit reports them: what runs, what is done, and what it printed. */
import type {StatusResponse, Vertex, VertexLog, VertexStatus, VertexWarning} from '../control.ts';
import {toMilliseconds} from './timestamps.ts';

/** Part of a step: an upload, a layer. */
export interface Task {
  readonly name: string;
  /** Bytes, or whatever it counts; 0 where it counts nothing. */
  readonly current: number;
  readonly total: number;
  readonly seconds: number;
  readonly isDone: boolean;
}

export type StepState = 'waiting' | 'running' | 'done' | 'cached' | 'failed' | 'canceled';

export interface Step {
  readonly digest: string;
  readonly name: string;
  readonly state: StepState;
  /** BuildKit's clock in milliseconds since the epoch; undefined while it waits. */
  readonly started: number | undefined;
  /** Since it started, once it has ended. */
  readonly seconds: number;
  readonly error: string;
  readonly tasks: ReadonlyMap<string, Task>;
  /** The last lines that it printed, without their ends. */
  readonly tail: readonly string[];
}

/** What a status changed, in the order in which it happened. */
export type Change =
  | {readonly kind: 'state'; readonly step: Step}
  | {readonly kind: 'task'; readonly step: Step; readonly task: Task}
  | {readonly kind: 'output'; readonly step: Step; readonly seconds: number; readonly line: string}
  | {readonly kind: 'warning'; readonly step: Step | undefined; readonly warning: VertexWarning};

/** Of a step's output, for what is said of its failure. */
const TAIL = 20;
const LONGEST_LINE = 64 * 1024;

export class Steps {
  readonly #steps = new Map<string, Step>();
  /** What a step printed of a line that has no end yet. */
  readonly #partial = new Map<string, string>();
  readonly #decoders = new Map<string, TextDecoder>();

  get all(): readonly Step[] {
    return [...this.#steps.values()];
  }

  find(digest: string): Step | undefined {
    return this.#steps.get(digest);
  }

  apply({vertexes, statuses, logs, warnings}: StatusResponse): readonly Change[] {
    return [
      // A step's last output comes with its end, and belongs before it.
      ...vertexes.filter(({completed}) => !completed).flatMap((vertex) => this.#applyVertex(vertex)),
      ...statuses.flatMap((status) => this.#applyStatus(status)),
      ...logs.flatMap((log) => this.#applyLog(log)),
      ...warnings.map((warning) => ({kind: 'warning' as const, step: this.find(warning.vertex), warning})),
      ...vertexes.filter(({completed}) => completed).flatMap((vertex) => this.#applyVertex(vertex)),
    ];
  }

  #applyVertex({digest, name, started, completed, cached, error}: Vertex): readonly Change[] {
    const before = this.#steps.get(digest);
    const from = toMilliseconds(started) ?? before?.started;
    const to = toMilliseconds(completed);
    const step: Step = {
      digest,
      name,
      state: stateOf({started, completed, cached, error}),
      started: from,
      seconds: from !== undefined && to !== undefined ? (to - from) / 1000 : 0,
      error,
      tasks: before?.tasks ?? new Map(),
      tail: before?.tail ?? [],
    };
    this.#steps.set(digest, step);
    if (step.state === before?.state && step.seconds === before.seconds) return [];
    const rest = to === undefined ? [] : this.#endLine(step, to);
    return [...rest, {kind: 'state', step: this.#steps.get(digest) ?? step}];
  }

  #applyStatus({vertex, id, current, total, timestamp, started, completed}: VertexStatus): readonly Change[] {
    const step = this.#steps.get(vertex);
    if (step === undefined) return [];
    const from = toMilliseconds(started);
    const to = toMilliseconds(completed) ?? toMilliseconds(timestamp);
    const task = {
      name: id,
      current: Number(current),
      total: Number(total),
      seconds: from !== undefined && to !== undefined ? (to - from) / 1000 : 0,
      isDone: completed !== undefined,
    };
    const next = {...step, tasks: new Map(step.tasks).set(id, task)};
    this.#steps.set(vertex, next);
    return [{kind: 'task', step: next, task}];
  }

  #applyLog({vertex, timestamp, data}: VertexLog): readonly Change[] {
    const step = this.#steps.get(vertex);
    if (step === undefined) return [];
    const decoder = this.#decoders.get(vertex) ?? new TextDecoder();
    this.#decoders.set(vertex, decoder);
    const text = (this.#partial.get(vertex) ?? '') + decoder.decode(data, {stream: true});
    const lines = text.split('\n');
    const rest = lines.pop() ?? '';
    const isTooLong = rest.length > LONGEST_LINE;
    this.#partial.set(vertex, isTooLong ? '' : rest);
    const at = toMilliseconds(timestamp) ?? 0;
    return (isTooLong ? [...lines, rest] : lines).map((line) => this.#output(vertex, line, at));
  }

  #endLine({digest}: Step, at: number): readonly Change[] {
    const rest = (this.#partial.get(digest) ?? '') + (this.#decoders.get(digest)?.decode() ?? '');
    this.#partial.delete(digest);
    return rest === '' ? [] : [this.#output(digest, rest, at)];
  }

  #output(digest: string, text: string, at: number): Change {
    const before = this.#steps.get(digest) as Step;
    // What a progress bar wrote over is not shown.
    const line = text.replace(/\r$/, '').replace(/^.*\r/s, '');
    const step = {...before, tail: [...before.tail, line].slice(-TAIL)};
    this.#steps.set(digest, step);
    const seconds = step.started === undefined ? 0 : Math.max(0, (at - step.started) / 1000);
    return {kind: 'output', step, seconds, line};
  }
}

function stateOf({
  started,
  completed,
  cached,
  error,
}: Pick<Vertex, 'started' | 'completed' | 'cached' | 'error'>): StepState {
  if (completed === undefined) return started === undefined ? 'waiting' : 'running';
  if (error !== '') return error.endsWith('context canceled') ? 'canceled' : 'failed';
  return cached ? 'cached' : 'done';
}
