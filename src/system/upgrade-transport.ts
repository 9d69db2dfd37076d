/** Owns a connection to the API server that turns from HTTP into something else, with the certificates of a kubeconfig. */
import type {ClientRequest, IncomingMessage, RequestOptions} from 'node:http';
import type {Socket} from 'node:net';
import type {SecureContextOptions} from 'node:tls';
import type {OpenUpgrade, Upgraded} from '../wire/exec/open-exec.ts';

export interface UpgradeOptions {
  /** What the path is appended to. */
  readonly base: string;
  readonly tls: Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> & {
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The longest that it may take until there is an answer, in milliseconds. */
  readonly timeout: number;
  /** Makes the error for a request that took longer. */
  readonly onTimeout: () => Error;
}

/** The server answered, and did not upgrade. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  readonly body: string;

  constructor(status: number, body: string) {
    super(`the server answered with ${status}`);
    this.status = status;
    this.body = body;
  }
}

const LONGEST_BODY = 65_536;

export function makeOpenUpgrade(options: UpgradeOptions): OpenUpgrade {
  const {base} = options;
  return async (path, headers) => {
    const {request} = base.startsWith('http:') ? await import('node:http') : await import('node:https');
    const sent = request(base + path, {
      ...options.tls,
      // One that is kept alive by others is no place for it.
      agent: false,
      headers: {
        ...(options.headers as Record<string, string[]>),
        'User-Agent': 'kubectl-tiltbuild',
        ...headers,
      },
    } satisfies RequestOptions);
    return await upgraded(sent, options);
  };
}

function upgraded(sent: ClientRequest, {timeout, onTimeout}: UpgradeOptions): ReturnType<OpenUpgrade> {
  return new Promise<Upgraded>((resolve, reject) => {
    const timer = setTimeout(() => sent.destroy(onTimeout()), timeout);
    sent.on('upgrade', ({headers}: IncomingMessage, socket: Socket, head: Buffer) => {
      clearTimeout(timer);
      // Small frames wait for answers to others, else.
      socket.setNoDelay(true);
      resolve({
        socket,
        head,
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      });
    });
    sent.on('response', async (response) => {
      const {statusCode = 0} = response;
      response.setEncoding('utf8');
      let body = '';
      try {
        for await (const text of response) if (body.length < LONGEST_BODY) body += text;
        reject(new UpgradeRefused(statusCode, body));
      } catch (error) {
        reject(error);
      }
    });
    sent.on('close', () => clearTimeout(timer));
    sent.on('error', reject);
    sent.end();
  });
}
