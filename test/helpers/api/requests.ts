/** Owns what goes over the wire of the stand-in API server: a request as it was read, an answer to be written. */
import type {IncomingMessage, ServerResponse} from 'node:http';
import type {TLSSocket} from 'node:tls';
import {parse} from 'yaml';

export interface Answer {
  readonly status: number;
  /** Written as JSON unless it is a text. */
  readonly body: unknown;
  readonly contentType?: string;
  /** In seconds. */
  readonly retryAfter?: number;
  /** Writes the answer itself instead, for as long as it takes. */
  readonly stream?: (response: ServerResponse) => void;
}

export function failure(code: number, reason: string, message: string, details?: object): Answer {
  const head = {kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure'};
  return {status: code, body: {...head, message, reason, ...(details && {details}), code}};
}

export const badRequest = (message: string) => failure(400, 'BadRequest', message);

export function send(response: ServerResponse, answer: Answer): void {
  const {status, body, contentType = 'application/json', retryAfter, stream} = answer;
  response.writeHead(status, {
    'Content-Type': contentType,
    'Cache-Control': 'no-cache, private',
    ...(retryAfter !== undefined && {'Retry-After': retryAfter}),
  });
  if (stream !== undefined) stream(response);
  else response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export async function readBody(request: IncomingMessage): Promise<unknown> {
  // A client may go before it has sent all.
  const text = Buffer.concat(await request.toArray().catch(() => [])).toString('utf8');
  try {
    return parse(text) ?? undefined;
  } catch {
    return text;
  }
}

/** A certificate, else a token, else a password; whatever is wrong counts as nobody, as with a real server. */
export function authenticate(
  request: IncomingMessage,
  known: {readonly token: string; readonly username: string; readonly password: string},
): string | undefined {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme === 'Bearer') return value === known.token ? 'token-user' : undefined;
  if (scheme === 'Basic') {
    const given = Buffer.from(value, 'base64').toString('utf8');
    return given === `${known.username}:${known.password}` ? known.username : undefined;
  }
  const socket = request.socket as TLSSocket;
  const name = socket.authorized ? socket.getPeerCertificate().subject.CN : undefined;
  return Array.isArray(name) ? name[0] : name;
}

export type ApiRequest = ReturnType<typeof describeRequest>;

/** All but the body, which comes later. */
export function describeRequest(request: IncomingMessage, user: string | undefined, basePath: string) {
  const {pathname, searchParams} = new URL(request.url ?? '/', 'https://stand-in');
  const {method = '', headers, headersDistinct} = request;
  const isInside = pathname.startsWith(basePath);
  const {accept = '', 'content-type': contentType = '', 'user-agent': userAgent = ''} = headers;
  const extra = Object.entries(headers).filter(([header]) => header.startsWith('impersonate-extra-'));
  return {
    ...{method, accept, contentType, userAgent},
    path: isInside ? pathname.slice(basePath.length) : `(outside ${basePath})${pathname}`,
    /** The last value of each; of an exec's command, see `command`. */
    query: Object.fromEntries(searchParams) as Readonly<Record<string, string>>,
    /** What was sent, parsed; a text where it is neither JSON nor YAML. */
    body: undefined as unknown,
    /** What an exec is to run. */
    command: searchParams.getAll('command') as readonly string[],
    /** Who was authenticated, before any impersonation; undefined for nobody. */
    user,
    impersonate: {
      user: headersDistinct['impersonate-user']?.[0],
      groups: headersDistinct['impersonate-group'] ?? [],
      uid: headersDistinct['impersonate-uid']?.[0],
      extra: Object.fromEntries(extra),
    },
  };
}
