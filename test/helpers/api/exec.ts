/** Owns commands run in containers: the WebSocket protocol of Kubernetes, with answers as the state has them. */
import type {IncomingMessage} from 'node:http';
import type {Duplex} from 'node:stream';
import {type WebSocket, WebSocketServer} from 'ws';
import type {ApiObject} from '../api-samples.ts';
import {refuse} from './access.ts';
import type {ExecAnswer} from './exec-answers.ts';
import {type Answer, type ApiRequest, badRequest, failure} from './requests.ts';
import {notFound, type Target} from './resources.ts';
import {type ApiState, findObject} from './state.ts';

/** The first byte of every message. */
const channels = {stdout: 1, stderr: 2, error: 3};

/** A connection that is to become another one. */
export interface Connection {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** The answer for a container that is not the pod's, or for a pod that no node has taken yet. */
export function refuseContainer({metadata: {name}, spec}: ApiObject, container?: string): Answer | undefined {
  if (container !== undefined && container !== spec.containers[0].name)
    return badRequest(`container ${container} is not valid for pod ${name}`);
  return spec.nodeName === undefined ? badRequest(`pod ${name} does not have a host assigned`) : undefined;
}

/** Runs the command, once the connection is a WebSocket; else gives why not. */
export function answerExec(
  state: ApiState,
  request: ApiRequest,
  target: Target,
  {request: message, socket, head}: Connection,
): Answer | undefined {
  const {namespace, name = ''} = target;
  const refusal = refuse(state, request, target) ?? refuse(state, request, {...target, verb: 'create'});
  if (refusal !== undefined) return refusal;
  const pod = findObject(state, 'pods', {namespace, name});
  if (pod === undefined) return notFound(target, name);
  const unfit = refuseContainer(pod, request.query.container);
  if (unfit !== undefined) return unfit;
  const [{name: container, state: status}] = pod.status.containerStatuses;
  if (!status.running) return failure(500, 'InternalError', `container not found ("${container}")`);
  const handleProtocols = (offered: ReadonlySet<string>) =>
    state.execProtocols.find((protocol) => offered.has(protocol)) ?? false;
  const server = new WebSocketServer({noServer: true, handleProtocols});
  server.handleUpgrade(message, socket, head, async (client) => {
    client.on('error', () => undefined);
    // Nothing is lost that comes before the program is there.
    client.pause();
    const answer = await state.exec(request.command, pod);
    if ('pipe' in answer) return pipe(client, answer.pipe);
    client.resume();
    const send = (channel: keyof typeof channels, text = '') => {
      if (text !== '') client.send(Buffer.concat([Buffer.of(channels[channel]), Buffer.from(text)]));
    };
    send('stdout', answer.stdout);
    send('stderr', answer.stderr);
    send('error', JSON.stringify(describeEnd(request.command, answer)));
    client.close(1000);
  });
  return undefined;
}

/** Joins a program's standard streams to a stream of ours, for as long as both are open. */
function pipe(client: WebSocket, program: Duplex): void {
  client.resume();
  client.on('message', (message: Buffer) => {
    if (message[0] === 255) program.end();
    else program.write(message.subarray(1));
  });
  client.on('close', () => program.destroy());
  program.on('data', (chunk: Buffer) => client.send(Buffer.concat([Buffer.of(channels.stdout), chunk])));
  program.on('error', () => undefined);
  program.on('close', () => {
    client.send(Buffer.concat([Buffer.of(channels.error), Buffer.from(JSON.stringify(describeEnd([], {})))]));
    client.close(1000);
  });
}

function describeEnd(command: readonly string[], {exitCode = 0, failure: why}: ExecAnswer): unknown {
  if (why !== undefined) {
    const message = `error executing command in container: failed to exec in container: ${why}`;
    return failure(500, 'InternalError', `Internal error occurred: ${message}`, {causes: [{message}]}).body;
  }
  if (exitCode === 0) return {metadata: {}, status: 'Success'};
  const how = `error executing command [${command.join(' ')}], exit code ${exitCode}`;
  return {
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${how}`,
    reason: 'NonZeroExitCode',
    details: {causes: [{reason: 'ExitCode', message: String(exitCode)}]},
  };
}
