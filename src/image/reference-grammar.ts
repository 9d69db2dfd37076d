/**
 * Owns the grammar of github.com/distribution/reference v0.6: it parses a text, or says where it stops being valid.
 *
 * The kubelet and containerd resolve names with that package, so any difference here would name an image that no pod
 * finds: https://github.com/distribution/reference/blob/v0.6.0/reference.go
 */

export interface ImageReference {
  /** The registry host, `docker.io` where none was written; empty for a host that has a `_`, see `parseReference`. */
  readonly domain: string;
  readonly path: string;
  readonly tag?: string;
  readonly digest?: string;
  /** Whether a registry host was written. */
  readonly explicitDomain: boolean;
}

export type Part = 'registry host' | 'port' | 'repository name' | 'tag' | 'digest';

/** Where, and in what part, the text stops being a valid reference. */
export interface Stop {
  readonly at: number;
  readonly part: Part;
  readonly tooLong?: boolean;
}

type Parts = Omit<ImageReference, 'explicitDomain'>;

export const DEFAULT_DOMAIN = 'docker.io';
const LEGACY_DOMAIN = 'index.docker.io';
export const IMAGE_ID = /^[a-f0-9]{64}$/;
export const OFFICIAL = 'library/';
export const PATH_LIMIT = 255;
export const TAG_LIMIT = 128;
/** The algorithms of go-digest, which refuses all others, and upper-case digits. */
const DIGEST_SIZES = [['sha256:', 64] as const, ['sha384:', 96] as const, ['sha512:', 128] as const];

// The package's expressions, rewritten to match every text in one way only: they take linear time.
const HOST = /[a-zA-Z0-9]+(?:(?:\.|-+)[a-zA-Z0-9]+)*/;
const HOST_SEPARATOR = /\.|-+/;
const PATH = /[a-z0-9]+(?:(?:__|[._/]|-+)[a-z0-9]+)*/;
const PATH_SEPARATOR = /__|[._/]|-+/;

/** Reads the text with a host and without one, where both are possible. Of two failures the one that gets further counts. */
export function attempt(text: string): ImageReference | Stop {
  if (IMAGE_ID.test(text)) return {at: 0, part: 'repository name'};
  const explicitDomain = writesHost(text);
  const hosted = explicitDomain || text.startsWith('[') ? read(text, true) : undefined;
  if (hosted && 'path' in hosted && explicitDomain) return {...hosted, explicitDomain};
  const slash = text.indexOf('/');
  // `[abc]/app` has neither the dot nor the colon that makes the first component a host.
  const isNoHost = hosted && !explicitDomain && slash >= 0 && ('path' in hosted || hosted.at > slash);
  if (isNoHost) return {at: slash, part: 'registry host'};
  const bare = read(text, false, explicitDomain ? '' : DEFAULT_DOMAIN);
  if ('path' in bare) return {...bare, explicitDomain};
  return hosted && 'at' in hosted && hosted.at >= bare.at ? hosted : bare;
}

/** As splitDockerDomain: the first component is a host if it cannot be part of a Docker Hub path. */
function writesHost(text: string): boolean {
  const slash = text.indexOf('/');
  const first = text.slice(0, Math.max(slash, 0));
  return first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
}

function read(text: string, hosted: boolean, otherwise = ''): Parts | Stop {
  const host = hosted ? readHost(text) : 0;
  if (typeof host !== 'number') return host;
  const written = text.slice(0, host);
  const domain = hosted ? (written === LEGACY_DOMAIN ? DEFAULT_DOMAIN : written) : otherwise;
  const start = hosted ? host + 1 : 0;

  const end = reach(PATH, text, start);
  if (end === start) return {at: start, part: 'repository name'};
  if (!endsAt(text, end, ':@')) return {at: reach(PATH_SEPARATOR, text, end), part: 'repository name'};
  const name = text.slice(start, end);
  const path = domain === DEFAULT_DOMAIN && !name.includes('/') ? OFFICIAL + name : name;
  if (path.length > PATH_LIMIT)
    return {at: end - path.length + PATH_LIMIT, part: 'repository name', tooLong: true};

  const tagStart = end + 1;
  const tagEnd = text[end] === ':' ? reach(/\w[\w.-]{0,127}/, text, tagStart) : end;
  if (tagEnd === tagStart || !endsAt(text, tagEnd, '@')) {
    const tooLong = tagEnd - tagStart === TAG_LIMIT && /[\w.-]/.test(text.charAt(tagEnd));
    return {at: tagEnd, part: 'tag', tooLong};
  }
  const stop = text[tagEnd] === '@' ? checkDigest(text, tagEnd + 1) : undefined;
  if (stop) return stop;
  return {
    domain,
    path,
    ...(tagEnd > end && {tag: text.slice(tagStart, tagEnd)}),
    ...(tagEnd < text.length && {digest: text.slice(tagEnd + 1)}),
  };
}

/** The index of the slash after the host. */
function readHost(text: string): number | Stop {
  let end = reach(HOST, text, 0);
  if (text.startsWith('[')) {
    end = reach(/[a-fA-F0-9:]+/, text, 1);
    if (end === 1 || text[end] !== ']') return {at: end, part: 'registry host'};
    end += 1;
  }
  if (text[end] === '/' && end > 0) return end;
  if (text[end] !== ':' || end === 0) {
    // Nothing goes on behind a bracket.
    const goesOn = end > 0 && !text.startsWith('[');
    return {at: goesOn ? reach(HOST_SEPARATOR, text, end) : end, part: 'registry host'};
  }
  const port = reach(/[0-9]+/, text, end + 1);
  return text[port] === '/' && port > end + 1 ? port : {at: port, part: 'port'};
}

function checkDigest(text: string, start: number): Stop | undefined {
  const known = DIGEST_SIZES.find(([algorithm]) => text.startsWith(algorithm, start));
  if (!known) {
    const shared = DIGEST_SIZES.map(([algorithm]) =>
      [...algorithm].findIndex((c, i) => c !== text[start + i]),
    );
    return {at: start + Math.max(...shared), part: 'digest'};
  }
  const limit = start + known[0].length + known[1];
  const end = reach(/[a-f0-9]+/, text, start + known[0].length);
  return end === limit && end === text.length
    ? undefined
    : {at: Math.min(end, limit), part: 'digest', tooLong: end > limit};
}

/** Where a match that starts at an index ends; the index itself where nothing matches. */
export function reach(pattern: RegExp, text: string, from: number): number {
  const sticky = new RegExp(pattern, 'y');
  sticky.lastIndex = from;
  return sticky.test(text) ? sticky.lastIndex : from;
}

function endsAt(text: string, at: number, marks: string): boolean {
  return at === text.length || marks.includes(text.charAt(at));
}
