/** Owns a yes-or-no question on a terminal. */

/** False if `input` is no terminal, or the answer is anything but yes. */
export async function confirm(
  question: string,
  input: NodeJS.ReadStream,
  output: NodeJS.WritableStream,
): Promise<boolean> {
  if (input.isTTY !== true) return false;
  const {createInterface} = await import('node:readline/promises');
  const lines = createInterface({input, output});
  try {
    return /^y(?:es)?$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}
