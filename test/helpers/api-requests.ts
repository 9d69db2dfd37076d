/** Owns reading a request to the stand-in API server: who sends it, what it asks for, what it brings. */
import type {IncomingMessage} from 'node:http';
import type {TLSSocket} from 'node:tls';
import {parse} from 'yaml';
import {isProtobuf, readProtobuf} from './api-protobuf.ts';
import type {ApiRequest} from './api-targets.ts';

/** JSON and YAML parsed; undefined where there is none. */
export async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined; // The client has gone.
  }
  const bytes = Buffer.concat(chunks);
  if (isProtobuf(request.headers['content-type'] ?? '')) return readProtobuf(bytes);
  const text = bytes.toString('utf8');
  if (text === '') return undefined;
  try {
    return parse(text);
  } catch {
    return text;
  }
}

/** A certificate, else a token, else a password; whatever is wrong counts as nobody, as with a real server. */
export function authenticate(
  request: IncomingMessage,
  known: {token: string; username: string; password: string},
): string | undefined {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ');
  if (scheme === 'Bearer') return value === known.token ? 'token-user' : undefined;
  if (scheme === 'Basic') {
    const given = Buffer.from(value, 'base64').toString('utf8');
    return given === `${known.username}:${known.password}` ? known.username : undefined;
  }
  const socket = request.socket as TLSSocket;
  if (!socket.authorized) return undefined;
  const name = socket.getPeerCertificate().subject.CN;
  return Array.isArray(name) ? name[0] : name;
}

/** All but the body, which comes later. */
export function describeRequest(
  request: IncomingMessage,
  user: string | undefined,
  basePath: string,
): ApiRequest & {body: unknown} {
  const {pathname, searchParams} = new URL(request.url ?? '/', 'https://stand-in');
  const headers = request.headersDistinct;
  return {
    method: request.method ?? '',
    path: pathname.startsWith(basePath)
      ? pathname.slice(basePath.length)
      : `(outside ${basePath})${pathname}`,
    query: Object.fromEntries(searchParams),
    accept: request.headers.accept ?? '',
    contentType: request.headers['content-type'] ?? '',
    body: undefined,
    command: searchParams.getAll('command'),
    userAgent: request.headers['user-agent'] ?? '',
    user,
    impersonate: {
      user: headers['impersonate-user']?.[0],
      groups: headers['impersonate-group'] ?? [],
      uid: headers['impersonate-uid']?.[0],
      extra: Object.fromEntries(
        Object.entries(headers)
          .filter(([header]) => header.startsWith('impersonate-extra-'))
          .map(([header, values]) => [header.slice('impersonate-extra-'.length), (values ?? []).join()]),
      ),
    },
  };
}
