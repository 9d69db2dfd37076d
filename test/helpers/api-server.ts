/** Owns a stand-in of the Kubernetes API server: HTTPS on 127.0.0.1, answers shaped as a real one gave them. */
import type {IncomingMessage, ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {type Answer, type ApiRequest, type ApiState, answerRequest, failAsTold} from './api-answers.ts';
import {type KubeconfigOptions, writeKubeconfig} from './api-kubeconfig.ts';
import {makeCertificateAuthority} from './certificates.ts';

export type {ApiRequest, ApiState} from './api-answers.ts';
export {builderDeployment, node, SECRET_MARKER, SECRET_MARKER_BASE64} from './api-samples.ts';

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  /** PEM of the authority that signed the server and its clients. */
  readonly authority: string;
  readonly token: string;
  readonly state: ApiState;
  /** All requests so far, oldest first. */
  readonly requests: readonly ApiRequest[];
  kubeconfig(options: KubeconfigOptions): string;
  close(): Promise<void>;
}

export interface ApiServerOptions {
  readonly state?: Partial<ApiState>;
  /** What the server's certificate is good for. */
  readonly certificateNames?: readonly string[];
  /** The API is served below this path, as behind a gateway: `/clusters/a`. */
  readonly basePath?: string;
}

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const {certificateNames = ['127.0.0.1', 'localhost'], basePath = ''} = options;
  const authority = await makeCertificateAuthority();
  const [serverPair, client] = await Promise.all([
    authority.signServer(certificateNames),
    authority.signClient('certificate-user', ['testers']),
  ]);
  const known = {token: 'known-token', username: 'basic-user', password: 'known-password'};
  const state: ApiState = {
    namespaces: new Set(['default']),
    secrets: [],
    deployments: [],
    nodes: [],
    forbidden: new Set(),
    delayMs: 0,
    failWith: undefined,
    ...options.state,
  };
  const requests: ApiRequest[] = [];
  const waiting = new Set<NodeJS.Timeout>();

  const server = createServer(
    {
      key: serverPair.key,
      cert: serverPair.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    (request, response) => {
      const logged = describe(request, authenticate(request, known), basePath);
      requests.push(logged);
      const timer = setTimeout(() => {
        waiting.delete(timer);
        if (state.failWith === 'destroy') request.socket.destroy();
        else send(response, failAsTold(state) ?? answerRequest(logged, state));
      }, state.delayMs);
      waiting.add(timer);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as AddressInfo;
  const url = `https://127.0.0.1:${port}${basePath}`;

  return {
    url,
    port,
    authority: authority.certificate,
    token: known.token,
    state,
    requests,
    kubeconfig: (kubeconfigOptions) =>
      writeKubeconfig({url, authority: authority.certificate, client, ...known}, kubeconfigOptions),
    close: () =>
      new Promise((resolve) => {
        for (const timer of waiting) clearTimeout(timer);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, {status, body, contentType = 'application/json'}: Answer): void {
  response.writeHead(status, {'Content-Type': contentType, 'Cache-Control': 'no-cache, private'});
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A certificate, else a token, else a password; whatever is wrong counts as nobody, as with a real server. */
function authenticate(
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

function describe(request: IncomingMessage, user: string | undefined, basePath: string): ApiRequest {
  const {pathname, searchParams} = new URL(request.url ?? '/', 'https://stand-in');
  const headers = request.headersDistinct;
  return {
    method: request.method ?? '',
    path: pathname.startsWith(basePath)
      ? pathname.slice(basePath.length)
      : `(outside ${basePath})${pathname}`,
    query: Object.fromEntries(searchParams),
    accept: request.headers.accept ?? '',
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
