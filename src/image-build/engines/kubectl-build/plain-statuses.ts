/** Owns reading the plugin's plain progress as what BuildKit reports to a client, so the same view can show both. */
import type {StatusResponse} from '../../../buildkit/control.ts';
import {toTimestamp} from '../../../buildkit/progress/timestamps.ts';
import {LineSplitter} from '../../../text/line-splitter.ts';

export interface PlainReader {
  readonly status: (status: StatusResponse) => void;
  /** What is no progress, such as the words of a login plugin; with its line ends. */
  readonly other: (text: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Piece = Partial<StatusResponse>;

/** Of one line, so a step that prints no line end takes no more memory. */
const LONGEST_LINE = 65_536;
/** Of the error at the end. */
const LONGEST_ERROR = 65_536;

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
const AMOUNT = String.raw`(\d[\d.]*)([kMGT]?B)`;
/** `transferring context: 1.2MB / 3.4MB 0.2s done` */
const TASK = new RegExp(`^(.+?)(?: ${AMOUNT}(?: / ${AMOUNT})?)?(?: (\\d+\\.\\d)s)?( done)?$`);

export class PlainStatuses {
  readonly #reader: PlainReader;
  readonly #lines = new LineSplitter((line) => this.#readLine(line.replace(/\r$/, '')), LONGEST_LINE);
  /** When each step was first seen, by our clock: the cluster's may be another. */
  readonly #started = new Map<string, {readonly name: string; readonly at: number}>();
  #pieces: Piece[] = [];
  #others = '';
  /** In the step that failed, which the plugin repeats between two lines, and the view as well. */
  #isRepeated = false;
  #error = '';

  constructor(reader: PlainReader) {
    this.#reader = reader;
  }

  observe(chunk: Uint8Array): void {
    this.#lines.observe(chunk);
    this.#flush();
  }

  /** Gives the plugin's own error, with its line ends. */
  end(): string {
    this.#lines.end();
    this.#flush();
    return this.#error.replace(/\n+$/, '\n');
  }

  #flush(): void {
    const [pieces, others] = [this.#pieces, this.#others];
    [this.#pieces, this.#others] = [[], ''];
    if (others !== '') this.#reader.other(others);
    if (pieces.length === 0) return;
    this.#reader.status({
      vertexes: pieces.flatMap(({vertexes = []}) => vertexes),
      statuses: pieces.flatMap(({statuses = []}) => statuses),
      logs: pieces.flatMap(({logs = []}) => logs),
      warnings: [],
    });
  }

  #readLine(line: string): void {
    const [, step = '', text = ''] = /^(#\d+) (.*)$/.exec(line) ?? [];
    // The plugin's own error is the last that it prints; that one was somebody else's.
    if (step !== '' && this.#error !== '') [this.#others, this.#error] = [this.#others + this.#error, ''];
    if (this.#error !== '' || /^(?:Error|panic|fatal error): /.test(line)) {
      this.#error = `${this.#error}${line}\n`.slice(0, LONGEST_ERROR);
    } else if (/^-{6}$/.test(line)) {
      this.#isRepeated = !this.#isRepeated;
    } else if (line !== '' && !this.#isRepeated) {
      if (step === '') this.#others += `${line}\n`;
      else this.#pieces.push(this.#readStep(step, text));
    }
  }

  #readStep(digest: string, text: string): Piece {
    const seen = this.#started.get(digest);
    if (seen === undefined) {
      const started = {name: text, at: this.#reader.now()};
      this.#started.set(digest, started);
      return {vertexes: [vertex(digest, started, {})]};
    }
    // Another step was shown in between.
    if (text === '...' || text === seen.name) return {};
    const [, state, detail = ''] = /^(DONE|CACHED|CANCELED|ERROR:?)(?: (.*))?$/.exec(text) ?? [];
    switch (state) {
      case 'DONE':
        return {vertexes: [vertex(digest, seen, {seconds: Number.parseFloat(detail) || 0})]};
      case 'CACHED':
        return {vertexes: [vertex(digest, seen, {seconds: 0, cached: true})]};
      case 'CANCELED':
        return {vertexes: [vertex(digest, seen, {seconds: this.#since(seen), error: 'context canceled'})]};
      case undefined:
        return readDetail(digest, seen, text);
      default:
        return {vertexes: [vertex(digest, seen, {seconds: this.#since(seen), error: detail})]};
    }
  }

  #since({at}: {readonly at: number}): number {
    return (this.#reader.now() - at) / 1000;
  }
}

function vertex(
  digest: string,
  {name, at}: {readonly name: string; readonly at: number},
  end: {readonly seconds?: number; readonly cached?: boolean; readonly error?: string},
): StatusResponse['vertexes'][number] {
  const {seconds, cached = false, error = ''} = end;
  const completed = seconds === undefined ? undefined : toTimestamp(at + seconds * 1000);
  return {digest, inputs: [], name, cached, started: toTimestamp(at), completed, error};
}

/** A line of its output, which has a time before it, or part of its work. */
function readDetail(digest: string, {at}: {readonly at: number}, text: string): Piece {
  const [, time, printed = ''] = /^(\d+\.\d+) (.*)$/.exec(text) ?? [];
  if (time !== undefined) {
    const timestamp = toTimestamp(at + Number(time) * 1000);
    return {logs: [{vertex: digest, timestamp, stream: 1n, data: Buffer.from(`${printed}\n`)}]};
  }
  const [, id = text, current, unit, total, totalUnit, seconds = '0', done] = TASK.exec(text) ?? [];
  const timestamp = toTimestamp(at + Number(seconds) * 1000);
  return {
    statuses: [
      {
        ...{id, vertex: digest, name: '', timestamp, started: toTimestamp(at)},
        ...{current: readBytes(current, unit), total: readBytes(total, totalUnit)},
        completed: done === undefined ? undefined : timestamp,
      },
    ],
  };
}

function readBytes(amount = '0', unit = 'B'): bigint {
  return BigInt(Math.round(Number.parseFloat(amount) * 1000 ** UNITS.indexOf(unit)));
}
