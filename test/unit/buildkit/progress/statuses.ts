/** Owns BuildKit's statuses for tests: a step is named by a letter, a time is in seconds. */
import type {StatusResponse} from '../../../../src/buildkit/control.ts';
import type {Timestamp} from '../../../../src/wire/protobuf/timestamp.ts';

export interface ScriptedStep {
  readonly started?: number;
  readonly completed?: number;
  readonly cached?: boolean;
  readonly error?: string;
  readonly name?: string;
}

export function step(digest: string, given: ScriptedStep = {}): StatusResponse {
  const {started, completed, cached = false, error = '', name = `RUN ${digest}`} = given;
  const vertex = {digest, inputs: [], name, cached, error, started: at(started), completed: at(completed)};
  return status({vertexes: [vertex]});
}

export function task(
  vertex: string,
  id: string,
  given: {readonly current?: number; readonly total?: number; readonly at: number; readonly isDone?: boolean},
): StatusResponse {
  const {current = 0, total = 0, isDone = false} = given;
  const now = at(given.at);
  const one = {id, vertex, name: '', current: BigInt(current), total: BigInt(total), started: at(0)};
  return status({statuses: [{...one, timestamp: now, completed: isDone ? now : undefined}]});
}

export function log(vertex: string, data: string | Uint8Array, seconds = 1): StatusResponse {
  return status({
    logs: [{vertex, timestamp: at(seconds), stream: 1n, data: Buffer.from(data as Uint8Array)}],
  });
}

export function warning(vertex: string, short: string): StatusResponse {
  const rest = {level: 1n, detail: [], url: '', info: undefined, ranges: []};
  return status({warnings: [{vertex, short: Buffer.from(short), ...rest}]});
}

function status(given: Partial<StatusResponse>): StatusResponse {
  return {vertexes: [], statuses: [], logs: [], warnings: [], ...given};
}

function at(seconds: number | undefined): Timestamp | undefined {
  if (seconds === undefined) return undefined;
  return {seconds: BigInt(1_700_000_000 + Math.floor(seconds)), nanos: Math.round((seconds % 1) * 1e9)};
}
