/** Owns how a command is shown: in a form that a POSIX shell reads back, and without passwords in URLs. */

export function formatCommand(words: readonly string[]): string {
  return words.map((word) => quote(maskUrlPassword(word))).join(' ');
}

/** `https://user:secret@host` becomes `https://user:***@host`; a lone user name may be a token, and goes too. */
export function maskUrlPassword(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)([^\s/@:]*)(:[^\s/]*)?@/gi, (_, scheme, user, password) =>
    password === undefined ? `${scheme}***@` : `${scheme}${user}:***@`,
  );
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
