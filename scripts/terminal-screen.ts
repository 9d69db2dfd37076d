/** Owns what a terminal shows once a program has written to it, for the sequences that kubectl tiltbuild writes. */

/** Parameters of SGR: bold, dim, or the colour of the text. */
export type Style = '' | '1' | '2' | '31' | '32' | '33' | '34' | '36';

export interface Span {
  readonly text: string;
  readonly style: Style;
}

interface Cell {
  readonly character: string;
  readonly style: Style;
}

const STYLES: readonly string[] = ['', '1', '2', '31', '32', '33', '34', '36'] satisfies readonly Style[];
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is told what to do with them.
const TOKEN = /\u001b\[(\d*)([A-Za-z])|[\r\n]|[^\u001b\r\n\t]/gu;

/** The lines of the screen, each as spans. Throws for a sequence that it does not know. */
export function readScreen(output: string): readonly (readonly Span[])[] {
  const rows: Cell[][] = [[]];
  let row = 0;
  let column = 0;
  let style: Style = '';
  let read = 0;
  for (const {0: token, 1: parameter = '', 2: command, index} of output.matchAll(TOKEN)) {
    if (index !== read) break;
    read += token.length;
    const line = rows[row] ?? [];
    rows[row] = line;
    if (command === undefined) {
      if (token === '\r') column = 0;
      else if (token === '\n') row += 1;
      else line[column++] = {character: token, style};
    } else if (command === 'A') row = Math.max(row - Number(parameter || 1), 0);
    else if (command === 'K' || command === 'J') {
      line.length = Math.min(line.length, column);
      if (command === 'J') rows.length = row + 1;
    } else if (command === 'm') style = readStyle(parameter);
    else throw new Error(`A terminal sequence that the picture does not know: ${JSON.stringify(token)}`);
  }
  if (read !== output.length)
    throw new Error(
      `The picture does not know what this means: ${JSON.stringify(output.slice(read, read + 20))}`,
    );
  return rows.map(joinCells);
}

function readStyle(parameter: string): Style {
  const style = parameter === '0' ? '' : parameter;
  if (!STYLES.includes(style)) throw new Error(`A colour that the picture does not know: ${parameter}`);
  return style as Style;
}

/** Without the blanks at the end. Cells that nothing was written to are blanks. */
function joinCells(cells: readonly (Cell | undefined)[]): readonly Span[] {
  const spans: {text: string; style: Style}[] = [];
  for (const {character, style} of Array.from(
    cells,
    (cell) => cell ?? {character: ' ', style: '' as const},
  )) {
    const last = spans.at(-1);
    if (last?.style === style) last.text += character;
    else spans.push({text: character, style});
  }
  const last = spans.at(-1);
  if (last !== undefined) last.text = last.text.trimEnd();
  return spans.filter(({text}) => text !== '');
}
