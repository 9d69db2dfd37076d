/** Owns breaking a message into lines: between words, and never within a command or a flag with its value. */
import {type Advice, divideAdvice, type FlagWriter} from '../../text/advice.ts';

/** Lines of at most `width` columns, but for a piece that is longer; one line where there is no width. */
export function wrapText(advice: Advice, width: number | undefined, write?: FlagWriter): readonly string[] {
  // NUL stands for the spaces at which no line ends: it cannot occur in an argument or a message.
  const [first = '', ...words] = divideAdvice(advice, write)
    .map(({text, fixed}) => (fixed ? text.replaceAll(' ', '\0') : text))
    .join('')
    .split(' ');
  const lines = [first];
  for (const word of words) {
    const line = `${lines.at(-1)} ${word}`;
    if (width === undefined || line.length <= width) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.map((line) => line.replaceAll('\0', ' '));
}
