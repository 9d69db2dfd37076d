/** Owns what is masked in commands and texts: passwords in URLs, values with secret names, tokens. */

/** The usual names of secret values. */
const SECRET_NAME =
  /token|secret|passw|passphrase|api_?key|access_?key|private_?key|credential|(?:^|_)auth(?:$|_)/i;
/** Attributes of caches in object stores. */
const SECRET_ATTRIBUTE =
  /((?:^|,)(?:secret_access_key|access_key_id|session_token|token|ghtoken|account_key|password)=)[^,]*/gi;

/** Masks passwords in URLs, build arguments with a secret name, and keys of a cache. */
export function maskSecrets(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    const flag = words[index - 1] ?? '';
    const masked = maskUrlPassword(word);
    if (flag === '--build-arg') return maskArgument(masked);
    if (flag.startsWith('--cache-')) return masked.replace(SECRET_ATTRIBUTE, '$1***');
    if (word.startsWith('--build-arg='))
      return `--build-arg=${maskArgument(masked.slice('--build-arg='.length))}`;
    return masked.startsWith('--cache-') ? masked.replace(SECRET_ATTRIBUTE, '$1***') : masked;
  });
}

function maskArgument(text: string): string {
  const at = text.indexOf('=');
  return at > 0 && SECRET_NAME.test(text.slice(0, at)) ? `${text.slice(0, at)}=***` : text;
}

/** `https://user:secret@host` becomes `https://user:***@host`; a user name alone may be a token, and is masked too. */
export function maskUrlPassword(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)([^\s/@:]*)(:[^\s/]*)?@/gi, (_, scheme, user, password) =>
    password === undefined ? `${scheme}***@` : `${scheme}${user}:***@`,
  );
}

/** Masks a text of unknown origin, such as a stack trace: rather too much than too little. */
export function maskText(text: string): string {
  return maskUrlPassword(text)
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '***')
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 ***')
    .replace(
      /((?:token|secret|passw(?:or)?d|passphrase|api_?key|private_?key|access_?key|client-key-data|credential)s?["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s"',;]+)/gi,
      '$1***',
    )
    .replace(/[A-Za-z0-9+/]{80,}={0,2}/g, '***');
}
