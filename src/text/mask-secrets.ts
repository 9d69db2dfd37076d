/** Owns what is masked in whatever is shown: passwords and tokens in URLs, values with secret names, known tokens. */

/** The usual names of secret values. */
const SECRET_NAME =
  /token|secret|passw|pwd|passphrase|api[-_]?key|access[-_]?key|account[-_]?key|private[-_]?key|credential|signature|(?:^|[-_.])(?:auth|sig|jwt|pat)(?:$|[-_.])/i;
/** Names that say so only in the query of a URL. */
const QUERY_NAME = /^(?:key|code)$/i;
/** Arguments of a Tiltfile that hold the name of a Secret, or where a secret comes from. */
const HARMLESS = /^(?:(?:registry|pull)_secret=|secret=(?:…|\[|'id=))/;

/** `name=value`, to the next `,` or `&` with a name behind it. A dash before the name makes it a flag. */
const ASSIGNMENT =
  /(?:([?&])|(?<![\w.-]))([A-Za-z_][\w.-]{0,100})(=|%3D)(?!\*{3})("[^"]*"|'[^']*'|(?:(?![,&;][\w.-]+=)[^\s"'])+)/gi;
const SECRET_FLAG =
  /(--[\w-]*(?:token|passw(?:or)?d|passphrase|api-key)=)(?!(?:TOKEN|PASSWORD)\b)("[^"]*"|'[^']*'|[^\s"']+)/gi;

/** What the tokens of well-known services begin with; `eyJ` begins a JSON Web Token. */
const TOKEN =
  /\b(?:gh[opsru]_\w{16,}|github_pat_\w{16,}|gl(?:pat|dt|rt)-[\w-]{16,}|npm_\w{30,}|xox[abeoprs]-[\w-]{10,}|A(?:KI|SI)A[A-Z0-9]{16}|dckr_[op]at_[\w-]{16,}|sk-[\w-]{20,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|hf_\w{30,}|pypi-[\w-]{40,}|eyJ[\w-]+\.[\w-]+\.[\w-]*)/g;
const HEADER = /\b((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:[a-z]+\s+)?)(?:\*{3}|[\w.~+/=-]+)/gi;
const BEARER = /\b(bearer|basic)\s+(?=[\w.~+/=-]*\d)[\w.~+/=-]{16,}/gi;

/** For every text that is shown. What has been masked stays as it is. */
export function maskText(text: string): string {
  return maskUrls(text)
    .replace(ASSIGNMENT, (all: string, query: string | undefined, name: string, sign: string) => {
      const isSecret = SECRET_NAME.test(name) || (query !== undefined && QUERY_NAME.test(name));
      return isSecret && !HARMLESS.test(all) ? `${query ?? ''}${name}${sign}***` : all;
    })
    .replace(SECRET_FLAG, '$1***')
    .replace(HEADER, '$1***')
    .replace(BEARER, '$1 ***')
    .replace(TOKEN, '***');
}

/** For a text such as a stack trace, which may hold anything: rather too much than too little. */
export function maskTrace(text: string): string {
  return maskText(text)
    .replace(/\b(bearer|basic)\s+[\w.~+/=-]+/gi, '$1 ***')
    .replace(
      /((?:token|secret|passw(?:or)?d|passphrase|api_?key|private_?key|access_?key|client-key-data|credential)s?["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s"',;]+)/gi,
      '$1***',
    )
    .replace(/[A-Za-z0-9+/]{80,}={0,2}/g, '***');
}

/** For the words of a command: also build arguments with a secret name. */
export function maskSecrets(words: readonly string[]): readonly string[] {
  return words.map((word, index) => {
    if (words[index - 1] === '--build-arg') return maskArgument(word);
    const [, start, argument] = /^(--build-arg=)(.*)$/s.exec(word) ?? [];
    return start === undefined ? maskText(word) : `${start}${maskArgument(argument ?? '')}`;
  });
}

function maskArgument(text: string): string {
  const at = text.indexOf('=');
  return at > 0 && SECRET_NAME.test(text.slice(0, at)) ? `${text.slice(0, at)}=***` : maskText(text);
}

/**
 * A word that should be a name. Where a shell has expanded `$TOKEN`, the secret itself stands in its place: words that
 * look like one are hidden.
 */
export function hideSecret(word: string): string {
  return looksSecret(word) ? '***' : word;
}

/** Whether a word is written as variables usually are: in capitals, or as several words in small letters. */
export function looksLikeVariable(word: string): boolean {
  if (/^[a-z]+(?:_[a-z]+)+$/.test(word)) return true;
  const isUsual = (part: string) => /^(?:[A-Z]{0,20}\d{0,3}|[A-Z][A-Z\d]{0,4})$/.test(part);
  return /^[A-Z_]/.test(word) && word.split('_').every(isUsual);
}

function looksSecret(word: string): boolean {
  if (maskText(word) !== word) return true;
  const isRandom = /\d/.test(word) && /[A-Za-z]/.test(word) && !/[\s/\\]/.test(word);
  return isRandom && word.length >= 20 && !/\.[a-z]{1,5}$/.test(word);
}

/** For URL parsers, the last @ before the path ends user and password. */
const AUTHORITY = /((?:\b[a-z][a-z0-9+.-]*)?:(?:\/|\\){2,4})([^\s/?#]{1,2000})@/gi;
/** The same, if what follows can be a host; otherwise the @ may be part of a password. */
const AUTHORITY_OF_HOST = new RegExp(
  String.raw`${AUTHORITY.source}(?=[\w[%\u0080-\uffff][\w.:[\]%\u0080-\uffff-]*(?:[/?#\s"',;)\]}>\\]|$))`,
  'gi',
);
/** A password that should have been percent-encoded; a port is none. */
const UNENCODED =
  /\b([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@"'[]{1,200}):(?!\d{1,5}(?:[/?#\s"',;)\]]|$)|\*{3}@)((?:(?!:\/\/)[^\s"'<>]){1,500})@/gi;
const ENCODED = /\b([a-z][a-z0-9+.-]*%3A%2F%2F)(?:(?!%2F)[^\s&/]){1,500}%40/gi;
/** A proxy may lack the scheme. A digest is no host. */
const BARE = /(?<=^|["'=(])([\w.+%-]{1,100}):([^\s/@:"'\\]{1,500})@(?!sha\d)(?=[a-z[]|\d+\.\d+\.\d+\.\d+)/gi;

/** `https://user:secret@host` becomes `https://user:***@host`; a user name alone may be a token, and is masked too. */
function maskUrls(text: string): string {
  return text
    .replace(AUTHORITY_OF_HOST, maskLogin)
    .replace(UNENCODED, '$1:***@')
    .replace(AUTHORITY, maskLogin)
    .replace(ENCODED, '$1***%40')
    .replace(BARE, '$1:***@');
}

function maskLogin(all: string, scheme: string, login: string): string {
  const at = login.indexOf(':');
  // SSH has keys, and the user of a Git host is always the same.
  if (at < 0) return /ssh:/i.test(scheme) ? all : `${scheme}***@`;
  const user = login.slice(0, at);
  // Some services take the token for a user name, with no password or a fixed one.
  const isToken = /^(?:|x-oauth-basic)$/.test(login.slice(at + 1)) || user.replace(TOKEN, '') !== user;
  return `${scheme}${isToken ? '***' : user}:***@`;
}
