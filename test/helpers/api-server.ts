/** Owns a stand-in of the Kubernetes API server: HTTPS on 127.0.0.1, answers shaped as a real one gave them. */
import type {IncomingMessage} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {Duplex} from 'node:stream';
import {refuse, review} from './api/access.ts';
import {answerExec, type Connection} from './api/exec.ts';
import {answerRead} from './api/reads.ts';
import {
  type Answer,
  type ApiRequest,
  authenticate,
  describeRequest,
  failure,
  readBody,
  send,
} from './api/requests.ts';
import {discover, findTarget} from './api/resources.ts';
import {type Death, killPod, removeNode} from './api/rollout.ts';
import {type ApiState, type Cluster, makeState} from './api/state.ts';
import {answerWrite} from './api/writes.ts';
import {type KubeconfigOptions, writeKubeconfig} from './api-kubeconfig.ts';
import {readApiRecording} from './api-samples.ts';
import {makeCertificateAuthority} from './certificates.ts';

export {addBuilder} from './api/builders.ts';
export {runningPod} from './api/pods.ts';
export {builderDeployment, node, SECRET_MARKER, SECRET_MARKER_BASE64} from './api-samples.ts';

export type ApiServer = Awaited<ReturnType<typeof startApiServer>>;

export interface ApiServerOptions {
  readonly state?: Partial<ApiState>;
  /** The API is served below this path, as behind a gateway: `/clusters/a`. */
  readonly basePath?: string;
}

/** One authority for all servers of a test run, since a key costs more than a server. */
const trust = (async () => {
  const authority = await makeCertificateAuthority();
  const [identity, client] = await Promise.all([
    authority.signServer(['127.0.0.1', 'localhost']),
    authority.signClient('certificate-user', ['testers']),
  ]);
  return {authority: authority.certificate, identity, client};
})();

export async function startApiServer(options: ApiServerOptions = {}) {
  const {basePath = ''} = options;
  const {authority, identity, client} = await trust;
  const known = {token: 'known-token', username: 'basic-user', password: 'known-password'};
  const state = {...makeState(), ...options.state};
  const requests: ApiRequest[] = [];
  let closed = false;
  const later = (ms: number, action: () => void) => {
    setTimeout(() => closed || action(), ms).unref();
  };
  const cluster: Cluster = {state, later};
  const note = (request: IncomingMessage) => {
    const noted = describeRequest(request, authenticate(request, known), basePath);
    requests.push(noted);
    return noted;
  };

  const upgraded = new Set<Duplex>();
  const {key, certificate: cert} = identity;
  const clients = {ca: authority, requestCert: true, rejectUnauthorized: false};
  const server = createServer({key, cert, ...clients}, async (request, response) => {
    const noted = note(request);
    noted.body = await readBody(request);
    later(state.delayMs, () => {
      const failWith = state.failures > 0 ? state.failWith : undefined;
      if (failWith !== undefined) state.failures -= 1;
      if (failWith === 'destroy') request.socket.destroy();
      else send(response, failAsTold(failWith) ?? answerRequest(cluster, noted));
    });
  });
  server.on('upgrade', (request, socket, head) => {
    const noted = note(request);
    upgraded.add(socket);
    socket.on('error', () => undefined).on('close', () => upgraded.delete(socket));
    later(state.delayMs, () => answerUpgrade(state, noted, {request, socket, head}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`;

  return {
    url,
    /** PEM of the authority that signed the server and its clients. */
    authority,
    token: known.token,
    state,
    /** All so far, oldest first. */
    requests: requests as readonly ApiRequest[],
    kubeconfig: (how: KubeconfigOptions) => writeKubeconfig({url, authority, client, ...known}, how),
    /** As a real cluster does: what becomes of the pod, what is told of it, and who comes in its place. */
    killPod: (name: string, how: Death) => killPod(cluster, name, how),
    removeNode: (name: string) => removeNode(cluster, name),
    close: () =>
      new Promise<void>((resolve) => {
        closed = true;
        // One that is in its handshake is not known yet.
        const closing = setInterval(() => server.closeAllConnections(), 20);
        server.close(() => {
          clearInterval(closing);
          resolve();
        });
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

function failAsTold(failWith: ApiState['failWith']): Answer | undefined {
  if (typeof failWith === 'object') return failWith;
  if (typeof failWith !== 'number') return undefined;
  const reason = failWith === 503 ? 'ServiceUnavailable' : 'InternalError';
  return failure(failWith, reason, 'the stand-in was told to fail');
}

function answerRequest(cluster: Cluster, request: ApiRequest): Answer {
  const {state} = cluster;
  const {method, path, user} = request;
  if (user === undefined) return readApiRecording('unauthorized');
  const discovery = discover(path);
  if (discovery !== undefined && method === 'GET') return discovery;
  const reviewed = method === 'POST' ? review(state, request) : undefined;
  if (reviewed !== undefined) return reviewed;
  const target = findTarget(request);
  if (target === undefined || target.subresource === 'exec') {
    return failure(404, 'NotFound', 'the server could not find the requested resource', {});
  }
  const refusal = refuse(state, request, target);
  if (refusal !== undefined) return refusal;
  return method === 'GET' ? answerRead(state, request, target) : answerWrite(cluster, request, target);
}

/** Nothing but an exec asks for one. */
function answerUpgrade(state: ApiState, request: ApiRequest, connection: Connection): void {
  const {socket} = connection;
  const target = findTarget(request);
  if (state.failWith !== undefined || request.user === undefined || target?.subresource !== 'exec') {
    socket.destroy();
    return;
  }
  const refusal = answerExec(state, request, target, connection);
  if (refusal === undefined) return;
  const text = JSON.stringify(refusal.body);
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
  socket.end(`HTTP/1.1 ${refusal.status} Refused\r\n${headers}\r\n\r\n${text}`);
}
