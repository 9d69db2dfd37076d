/** Owns advice as data: sentences in which commands and flags are set apart, and their form on one line. */
import {formatCommand, quoteWord, type Shell} from './shell-words.ts';

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
export type FlagWriter = (flag: FlagUse, shell: Shell) => string;

export const writeFlag: FlagWriter = ({flag, value}, shell) =>
  value === '' ? `--${flag}=` : `--${flag}${value === undefined ? '' : ` ${quoteWord(value, shell)}`}`;

/** How advice is written where it is read; without a shell, for POSIX. */
export interface Writing {
  /** E.g. as arguments in a Tiltfile. */
  readonly writeFlag?: FlagWriter;
  readonly shell?: Shell;
}

/** A part of the text of an advice; `fixed` is a command or a flag, in which no line may end. */
export interface AdvicePart {
  readonly text: string;
  readonly fixed: boolean;
}

/** A command inside a sentence gets backticks; one on its own, or at the end behind a colon, does not. */
export function divideAdvice(advice: Advice, writing: Writing = {}): readonly AdvicePart[] {
  if (typeof advice === 'string') return [{text: advice, fixed: false}];
  if (isCommand(advice)) return [{text: formatCommand(advice.command, writing), fixed: true}];
  return advice.map((piece, index) =>
    typeof piece === 'string'
      ? {text: piece, fixed: false}
      : {
          text: formatPiece(piece, index === advice.length - 1 ? advice[index - 1] : undefined, writing),
          fixed: true,
        },
  );
}

/** On one line. */
export function formatAdvice(advice: Advice, writing: Writing = {}): string {
  return divideAdvice(advice, writing)
    .map(({text}) => text)
    .join('');
}

export function isCommand(advice: Advice | Piece): advice is Command {
  return typeof advice === 'object' && 'command' in advice;
}

/** `before` is the piece before the last one. */
function formatPiece(
  piece: Command | FlagUse,
  before: Piece | undefined,
  {writeFlag: write = writeFlag, shell = 'posix'}: Writing,
): string {
  if (!isCommand(piece)) return write(piece, shell);
  const text = formatCommand(piece.command, {shell});
  return typeof before === 'string' && before.endsWith(': ') ? text : `\`${text}\``;
}
