/** Owns breaking a message into lines: between words, and never within a command or a flag with its value. */
import {type Advice, divideAdvice, type Writing} from '../../text/advice.ts';
import {showText} from '../../text/show-text.ts';

/** Lines of at most `width` columns, but for a piece that is longer; where there is no width, none but its own. */
export function wrapText(advice: Advice, width: number | undefined, writing?: Writing): readonly string[] {
  return divideAdvice(advice, writing)
    .map(({text, fixed}) => (fixed ? showText(text).replaceAll(' ', NO_BREAK) : showText(text)))
    .join('')
    .split('\n')
    .flatMap((line) => wrapLine(line, width));
}

/** Stands for the spaces at which no line ends: a shown text has no NUL. */
const NO_BREAK = '\0';

function wrapLine(text: string, width: number | undefined): readonly string[] {
  const [first = '', ...words] = text.split(' ');
  const lines = [first];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`;
    if (width === undefined || line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll(NO_BREAK, ' '));
}
