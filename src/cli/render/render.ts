/** Owns how errors and notes look on standard error: what is wrong and where, and what to do. */
import {Interrupted, TiltbuildError} from '../../errors.ts';
import {type Advice, formatAdvice, isCommand, type Writing} from '../../text/advice.ts';
import {maskTrace} from '../../text/mask-secrets.ts';
import {formatJson, showText} from '../../text/show-text.ts';
import {VERSION} from '../help/version.ts';
import {exitCodeOf} from './exit-codes.ts';
import {wrapText} from './wrap-text.ts';

export interface Style extends Writing {
  readonly colour: boolean;
  /** In columns; undefined where nothing is wrapped. */
  readonly width?: number | undefined;
}

export interface ErrorView {
  /** How often `-v` was given; stacks are shown from two on. */
  readonly verbosity?: number;
  /** The runtime and platform, e.g. `Node 26.1.0, linux/x64`. */
  readonly runtime?: string;
}

const USUAL_WIDTH = 80;
/** Narrower lines break at every word, wider ones are hard to read. */
const NARROWEST = 40;
const WIDEST = 100;

/** Colour and lines of a length are for terminals, and colour for those who did not turn it off (no-color.org). */
export function chooseStyle(
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
  columns = USUAL_WIDTH,
): Style {
  const width = Math.min(Math.max(columns || USUAL_WIDTH, NARROWEST), WIDEST);
  return {
    colour: isTerminal && !env.NO_COLOR && env.TERM !== 'dumb',
    ...(isTerminal && {width}),
  };
}

const INDENT = ' '.repeat('error: '.length);

/** What is wrong and where, and what to do; nothing for an interruption. */
export function renderError(error: unknown, style: Style, view: ErrorView = {}): string {
  if (error instanceof Interrupted) return '';
  if (!(error instanceof TiltbuildError)) return renderBug(error, style, view);
  return [
    ...label(style, 31, 'error:', [error.message]),
    ...error.detail.map(showBelow),
    ...label(style, 36, 'hint: ', error.remedy),
    ...((view.verbosity ?? 0) > 1 ? stackOf(error).map((line) => paint(style, 2, showBelow(line))) : []),
    '',
  ].join('\n');
}

/** The same for programs: one object on one line. */
export function formatErrorJson(error: unknown, writing?: Writing): string {
  return formatJson({...describe(error, writing), exitCode: exitCodeOf(error)});
}

function describe(error: unknown, writing: Writing | undefined) {
  if (error instanceof TiltbuildError) {
    const {code, message, detail, remedy} = error;
    return {code, message, detail, remedy: remedy.map((entry) => formatAdvice(entry, writing))};
  }
  if (error instanceof Interrupted) {
    return {code: 'interrupted', message: `Interrupted by ${error.signal}.`, detail: [], remedy: []};
  }
  return {code: 'bug', message: BUG_MESSAGE, detail: stackOf(error), remedy: []};
}

const BUG_MESSAGE = `kubectl tiltbuild ${VERSION} failed unexpectedly. This is a bug.`;

function renderBug(error: unknown, style: Style, {runtime}: ErrorView): string {
  return [
    ...label(style, 31, 'error:', [BUG_MESSAGE]),
    ...stackOf(error).map(showBelow),
    ...label(style, 36, 'hint: ', [
      'Please report it with the lines above, the command that you ran, and this:',
      `  ${[`kubectl tiltbuild ${VERSION}`, ...(runtime === undefined ? [] : [runtime])].join(', ')}`,
    ]),
    '',
  ].join('\n');
}

/** With those of its causes, and without what looks like a secret. */
function stackOf(error: unknown): readonly string[] {
  const lines = maskTrace(error instanceof Error ? (error.stack ?? error.message) : String(error)).split(
    '\n',
  );
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause === undefined) return lines;
  const [first, ...rest] = stackOf(cause);
  return [...lines, `caused by ${first}`, ...rest];
}

export function renderNote(note: Advice, style: Style): string {
  return `${label(style, 33, 'note: ', [note]).join('\n')}\n`;
}

export function renderDetail(text: string, style: Style): string {
  return `${paint(style, 2, showText(text, BELOW))}\n`;
}

/** A line of another program, which may look like one of ours. */
export function renderForeign(line: string): string {
  return `${showBelow(line)}\n`;
}

export function renderQuestion(question: string): string {
  return showText(question, BELOW);
}

/** In front of what is not ours: a label of ours stands in the first column. */
const BELOW = '  ';

function showBelow(text: string): string {
  return `${BELOW}${showText(text, BELOW)}`;
}

/** Each entry on lines of its own, the first behind a word of seven columns, the others below it. */
function label(style: Style, code: number, word: string, entries: readonly Advice[]): readonly string[] {
  const width = style.width && style.width - INDENT.length;
  const lines = entries.flatMap((entry, index) => {
    const indent = index > 0 && typeof entry !== 'string' && isCommand(entry) ? '  ' : '';
    return wrapText(entry, width, style).map((line) => indent + line);
  });
  return lines.map((line, index) =>
    index === 0
      ? `${paint(style, code, word.trimEnd())}${' '.repeat(INDENT.length - word.trimEnd().length)}${line}`
      : INDENT + line,
  );
}

/** `code` is the terminal's number for a colour. */
export function paint({colour}: Style, code: number, text: string): string {
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
