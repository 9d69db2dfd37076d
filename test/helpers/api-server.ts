/** Owns a stand-in of the Kubernetes API server: HTTPS on 127.0.0.1, answers shaped as a real one gave them. */
import type {ServerResponse} from 'node:http';
import {createServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import type {Duplex} from 'node:stream';
import {refuse} from './api-access.ts';
import {answerRequest, failAsTold} from './api-answers.ts';
import {DeploymentController} from './api-controller.ts';
import {refuseExec, runExec} from './api-exec.ts';
import {answerQuietly} from './api-exec-answers.ts';
import {ApiHistory} from './api-history.ts';
import {type Death, killPod} from './api-kill.ts';
import {type KubeconfigOptions, writeKubeconfig} from './api-kubeconfig.ts';
import {authenticate, describeRequest, readBody} from './api-requests.ts';
import type {ApiState} from './api-state.ts';
import {type Answer, type ApiRequest, findTarget} from './api-targets.ts';
import {makeCertificateAuthority} from './certificates.ts';

export {addBuilder, type Builder, type BuilderOptions} from './api-builders.ts';
export {builderDeployment, node, SECRET_MARKER, SECRET_MARKER_BASE64} from './api-samples.ts';
export type {ApiState, BuilderOutcome, ExecAnswer} from './api-state.ts';
export type {ApiRequest} from './api-targets.ts';

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
  /** As a real cluster does: what becomes of the pod, what is told of it, and who comes in its place. */
  killPod(name: string, how: Death): void;
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
    configMaps: [],
    deployments: [],
    replicaSets: [],
    pods: [],
    events: [],
    nodes: [],
    forbidden: new Set(),
    denied: new Set(),
    delayMs: 0,
    failWith: undefined,
    builder: {startMs: 50, terminateMs: 50, outcome: 'ready'},
    exec: answerQuietly,
    logs: 'time="2026-11-24T02:06:31Z" level=info msg="running server on /run/buildkit/buildkitd.sock"\n',
    ...options.state,
  };
  const requests: ApiRequest[] = [];
  const waiting = new Set<NodeJS.Timeout>();
  let closed = false;
  const later = (ms: number, action: () => void) => {
    if (closed) return;
    const timer = setTimeout(() => {
      waiting.delete(timer);
      action();
      history.observe();
    }, ms);
    waiting.add(timer);
  };
  const history = new ApiHistory(state);
  const cluster = {state, history, controller: new DeploymentController(state, later)};

  const upgraded = new Set<Duplex>();
  const server = createServer(
    {
      key: serverPair.key,
      cert: serverPair.certificate,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
    },
    async (request, response) => {
      const logged = describeRequest(request, authenticate(request, known), basePath);
      requests.push(logged);
      logged.body = await readBody(request);
      later(state.delayMs, () => {
        if (state.failWith === 'destroy') request.socket.destroy();
        else send(response, failAsTold(state) ?? answerRequest(logged, cluster));
      });
    },
  );
  server.on('upgrade', (request, socket, head) => {
    const logged = describeRequest(request, authenticate(request, known), basePath);
    requests.push(logged);
    upgraded.add(socket);
    socket.on('error', () => undefined).on('close', () => upgraded.delete(socket));
    later(state.delayMs, () => {
      const target = findTarget(logged);
      if (state.failWith !== undefined || logged.user === undefined || target?.subresource !== 'exec') {
        socket.destroy();
        return;
      }
      const who = logged.impersonate.user ?? logged.user;
      const refusal =
        refuse(state, {...target, who}) ??
        refuse(state, {...target, who, verb: 'create'}) ??
        refuseExec(target, logged, state);
      if (refusal === undefined) runExec({request, socket, head}, target, logged, state);
      else socket.end(writeRefusal(refusal));
    });
  });
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
    killPod: (name, how) => {
      history.observe();
      killPod(cluster, later, name, how);
      history.observe();
    },
    close: () =>
      new Promise((resolve) => {
        for (const timer of waiting) clearTimeout(timer);
        closed = true;
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

function send(response: ServerResponse, answer: Answer): void {
  const {status, body, contentType = 'application/json', stream} = answer;
  if (stream !== undefined) {
    stream(response);
    return;
  }
  response.writeHead(status, {'Content-Type': contentType, 'Cache-Control': 'no-cache, private'});
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** On a connection that asked to be upgraded. */
function writeRefusal({status, body}: Answer): string {
  const text = JSON.stringify(body);
  const length = Buffer.byteLength(text);
  const headers = `Content-Type: application/json\r\nContent-Length: ${length}\r\nConnection: close`;
  return `HTTP/1.1 ${status} Refused\r\n${headers}\r\n\r\n${text}`;
}
