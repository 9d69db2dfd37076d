/** Owns breaking a message into lines: between words, and never within a command. */

/** What begins here goes on to the end of the text, and is to be typed as it stands. */
const COMMAND_AT_END =
  /(?<=: )(?:kubectl (?!build\b)\S|(?:kind|k3d|minikube|docker) [a-z]+ [a-z]|--[a-z]).*$/s;
/** A command among words, a flag with its value, something in backticks, or a word. */
const PIECE =
  /kubectl tiltbuild(?: builder(?: (?:create|du|logs|ls|prune|rm)\b)?| doctor\b)?(?: --[\w-]+)*[^\s`]*|kubectl (?:apply|auth|build|buildkit|version)\b[^\s`]*|--[\w-]+ (?:(?:[a-z]+\/)?[A-Z]{2,}\b|[\w-]+=)[^\s`]*|(?:[^\s`]|`[^`]*`|`)+/g;

/** Lines of at most `width` columns, but for a piece that is longer; one line where there is no width. */
export function wrapText(text: string, width: number | undefined): readonly string[] {
  // An indented line is a command.
  if (width === undefined || text.length <= width || text.startsWith('  ')) return [text];
  const lines: string[] = [];
  let line = '';
  for (const piece of divide(text)) {
    if (line !== '' && line.length + 1 + piece.length > width) {
      lines.push(line);
      line = piece;
    } else {
      line = line === '' ? piece : `${line} ${piece}`;
    }
  }
  return [...lines, line];
}

function divide(text: string): readonly string[] {
  const command = COMMAND_AT_END.exec(text);
  const words = command === null ? text : text.slice(0, command.index);
  return [...(words.match(PIECE) ?? []), ...(command === null ? [] : [command[0]])];
}
