/** Owns what the `server` of a kubeconfig means: the address that kubectl asks, by the rules of client-go. */
import {posix} from 'node:path';

/**
 * client-go reads no credentials for another server (`rest.IsConfigTransportTLS`), not even from a plugin. Without a
 * scheme the server is one of HTTP.
 */
export function usesTls(server: string): boolean {
  return /^https:\/\/[^/?#]/i.test(server);
}

/** A scheme, a host, a port, and a path up to the query, which client-go drops. No control characters. */
const ADDRESS =
  /^(?:(https?):\/\/)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]+)?(\/[^?\p{Cc}]*)?(?:\?\P{Cc}*)?$/iu;

/**
 * What the path of a request is appended to: `https://host:6443/prefix`. Undefined for a server that Go and URL do not
 * read alike, such as one with a user, or with a backslash, which ends the host for URL.
 */
export function readApiBase(server: string): string | undefined {
  const [, scheme, host = '', port = '', path = '/'] = ADDRESS.exec(server) ?? [];
  if (scheme === undefined && path !== '/') return undefined;
  const origin = `${scheme?.toLowerCase() ?? 'http'}://${host}${port}`;
  // URL takes a host such as 0x7f.1 for a number.
  if (!URL.canParse(origin) || (!host.startsWith('[') && new URL(origin).hostname !== host.toLowerCase()))
    return undefined;
  const prefix = joinPath(path);
  return prefix === undefined ? undefined : origin + prefix;
}

/** As `path.Join` and `URL.EscapedPath` of Go leave it, without a slash at its end. */
function joinPath(path: string): string | undefined {
  try {
    const clean = posix.normalize(`/${decodeURIComponent(path)}`).replace(/\/$/, '');
    return encodeURI(clean).replace(
      /[!'()*?#[\]]/g,
      (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
    );
  } catch {
    return undefined;
  }
}
