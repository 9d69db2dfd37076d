/**
 * Owns one HTTPS request with the credentials of a kubeconfig. The compiled binary uses `fetch`, which costs a build
 * 6 ms less there than `node:https`; Node uses `node:https`, since its `fetch` takes no client certificate.
 */
import type {RequestOptions} from 'node:https';

export interface Response {
  readonly status: number;
  readonly body: string;
  /** As the header has it: a number of seconds, mostly. */
  readonly retryAfter?: string;
}

export interface TlsMaterial {
  readonly ca?: Buffer | string;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** The name to expect in the server's certificate, if it differs from the server's host. */
  readonly servername?: string;
  /** Never left to the runtime: by default NODE_TLS_REJECT_UNAUTHORIZED=0 turns the check off. */
  readonly rejectUnauthorized: boolean;
}

export interface Credentials {
  /** What the path of a request is appended to; see `readApiBase`. */
  readonly base: string;
  readonly tls: TlsMaterial;
  /** A character for each byte. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

export class RequestTimeout extends Error {
  constructor(timeout: number) {
    super(`no answer within ${timeout / 1000} s`);
  }
}

/** In bytes. The lists that we read have some kilobytes for each object, and come page by page. */
const LONGEST_BODY = 64 * 1024 * 1024;

export class AnswerTooLarge extends Error {
  constructor() {
    super('the answer is larger than 64 MB');
  }
}

/** A POST if there is a body. Rejects with `AnswerTooLarge`, `RequestTimeout`, or the runtime's own error if there is no answer. */
export type SendWithin = (
  path: string,
  accept: string,
  body: string | undefined,
  timeout: number,
) => Promise<Response>;

/**
 * What the system trusts, or SSL_CERT_FILE and SSL_CERT_DIR, as for kubectl. Throws where that is not known, as in Node
 * before 22.15.
 */
export async function readSystemRoots(): Promise<string> {
  const {getCACertificates} = await import('node:tls');
  const roots = getCACertificates?.('system') ?? [];
  // Without any, the runtime would trust its own.
  if (roots.length === 0) throw new Error('only kubectl knows which authorities the system trusts');
  return roots.join('\n');
}

export async function openTransport(options: Credentials): Promise<SendWithin> {
  // `fetch` joins the values of a repeated header with commas, which the API server reads as one group.
  const repeats = Object.values(options.headers).some((values) => values.length > 1);
  return 'Bun' in globalThis && !repeats ? sendWithFetch(options) : await sendWithNode(options);
}

function sendWithFetch({base, tls, headers}: Credentials): SendWithin {
  const {servername, ...material} = tls;
  return async (path, accept, body, timeout) => {
    const limit = AbortSignal.timeout(timeout);
    const init = {
      method: body === undefined ? 'GET' : 'POST',
      headers: Object.entries({...headers, ...ownHeaders(accept, body)}).map(([name, value]) => [
        name,
        String(value),
      ]) as [string, string][],
      body,
      // A redirect would take the credentials elsewhere.
      redirect: 'manual' as const,
      signal: limit,
      tls: {...material, ...(servername !== undefined && {serverName: servername})},
    };
    try {
      const response = await fetch(base + path, init);
      const retryAfter = response.headers.get('retry-after') ?? undefined;
      return {status: response.status, body: await readBody(response.body ?? []), retryAfter};
    } catch (error) {
      throw limit.aborted ? new RequestTimeout(timeout) : error;
    }
  };
}

async function sendWithNode({base, tls, headers}: Credentials): Promise<SendWithin> {
  const {request} = base.startsWith('http:') ? await import('node:http') : await import('node:https');
  return (path, accept, body, timeout) =>
    new Promise((resolve, reject) => {
      // The option `timeout` is only for a connection on which nothing comes.
      const limit = AbortSignal.timeout(timeout);
      const fail = (error: Error) => reject(limit.aborted ? new RequestTimeout(timeout) : error);
      const options: RequestOptions = {
        ...tls,
        signal: limit,
        method: body === undefined ? 'GET' : 'POST',
        headers: {...(headers as Record<string, string | string[]>), ...ownHeaders(accept, body)},
      };
      const sent = request(base + path, options, (response) => {
        const {statusCode: status = 0, headers: answered} = response;
        readBody(response).then(
          (text) => resolve({status, body: text, retryAfter: answered['retry-after']}),
          fail,
        );
      });
      sent.on('error', fail);
      sent.end(body);
    });
}

async function readBody(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const read: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > LONGEST_BODY) throw new AnswerTooLarge();
    read.push(chunk);
  }
  return Buffer.concat(read).toString('utf8');
}

function ownHeaders(accept: string, body: string | undefined): Record<string, string> {
  return {
    'User-Agent': 'kubectl-tiltbuild',
    Accept: accept,
    ...(body !== undefined && {'Content-Type': 'application/json'}),
  };
}
