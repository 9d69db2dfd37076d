/** Owns advice as data: sentences in which commands and flags are set apart, so that nothing has to search for them. */
import {formatCommand} from './shell-words.ts';

/** A command to run in a terminal, its program first. It is quoted where it is shown. */
export interface Command {
  readonly command: readonly string[];
}

/** A flag of kubectl tiltbuild, with a value or a placeholder for one. In a Tiltfile it is an argument. */
export interface FlagUse {
  readonly flag: string;
  readonly value?: string;
}

export type Piece = string | Command | FlagUse;

/** One thing to do: a sentence, one with commands and flags in it, or a command on a line of its own. */
export type Advice = string | Command | readonly Piece[];

/** `` advise`Create it with: ${command('kubectl', 'create', 'namespace', name)}` `` */
export function advise(texts: TemplateStringsArray, ...pieces: readonly Piece[]): Advice {
  return texts
    .flatMap((text, index) => [text, ...pieces.slice(index, index + 1)])
    .filter((piece) => piece !== '');
}

export function command(...words: readonly string[]): Command {
  return {command: words};
}

/** `flag('namespace', 'NAME')` is shown as `--namespace NAME`. */
export function flag(name: string, value?: string): FlagUse {
  return value === undefined ? {flag: name} : {flag: name, value};
}

/** How a flag is written where the advice is read. */
export type FlagWriter = (flag: FlagUse) => string;

export const writeFlag: FlagWriter = ({flag, value}) => `--${flag}${value === undefined ? '' : ` ${value}`}`;

/** On one line. A command inside a sentence gets backticks; one on its own, or at the end behind a colon, does not. */
export function formatAdvice(advice: Advice, write: FlagWriter = writeFlag): string {
  if (typeof advice === 'string') return advice;
  if (isCommand(advice)) return formatCommand(advice.command);
  return advice
    .map((piece, index) => formatPiece(piece, advice.slice(index + 1), advice[index - 1], write))
    .join('');
}

export function isCommand(advice: Advice | Piece): advice is Command {
  return typeof advice === 'object' && 'command' in advice;
}

function formatPiece(
  piece: Piece,
  rest: readonly Piece[],
  before: Piece | undefined,
  write: FlagWriter,
): string {
  if (typeof piece === 'string') return piece;
  if (!isCommand(piece)) return write(piece);
  const isLast = rest.length === 0 && typeof before === 'string' && before.endsWith(': ');
  return isLast ? formatCommand(piece.command) : `\`${formatCommand(piece.command)}\``;
}
