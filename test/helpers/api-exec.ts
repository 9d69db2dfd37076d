/** Owns commands run in containers: the WebSocket protocol of Kubernetes, with answers as the state has them. */
import type {IncomingMessage} from 'node:http';
import type {Duplex} from 'node:stream';
import {type WebSocket, WebSocketServer} from 'ws';
import {findObject} from './api-objects.ts';
import {isRunning, refuseUnscheduled} from './api-pods.ts';
import {writeStatus} from './api-representations.ts';
import type {ApiState, ExecAnswer} from './api-state.ts';
import type {Answer, ApiRequest, Target} from './api-targets.ts';

/** The first byte of every message. */
const channels = {stdout: 1, stderr: 2, error: 3};
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** Why it cannot be run, before anything is upgraded. */
export function refuseExec(
  {name = '', namespace}: Target,
  {query}: ApiRequest,
  state: ApiState,
): Answer | undefined {
  const pod = findObject('pods', state, namespace, name);
  if (pod === undefined) {
    return {
      status: 404,
      body: writeStatus(404, 'NotFound', `pods "${name}" not found`, {name, kind: 'pods'}),
    };
  }
  const {containers} = pod.spec as {containers: {name: string}[]};
  const container = query.container ?? containers[0]?.name;
  if (!containers.some((other) => other.name === container)) {
    return {
      status: 400,
      body: writeStatus(400, 'BadRequest', `container ${container} is not valid for pod ${name}`),
    };
  }
  const unscheduled = refuseUnscheduled(pod);
  if (unscheduled !== undefined) return unscheduled;
  if (!isRunning(pod)) {
    const message = `container not found ("${container}")`;
    return {status: 500, body: writeStatus(500, 'InternalError', message)};
  }
  return undefined;
}

const server = () =>
  new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
  });

/** Runs it, once the connection is a WebSocket. */
export function runExec(
  {request, socket, head}: {request: IncomingMessage; socket: Duplex; head: Buffer},
  {namespace, name = ''}: Target,
  {command}: ApiRequest,
  state: ApiState,
): void {
  server().handleUpgrade(request, socket, head, async (client: WebSocket) => {
    client.on('error', () => undefined);
    const pod = findObject('pods', state, namespace, name);
    if (pod === undefined) return client.close();
    const answer = await state.exec(command, pod);
    const send = (channel: number, text: string) =>
      client.send(Buffer.concat([Buffer.from([channel]), Buffer.from(text)]));
    if (answer.stdout) send(channels.stdout, answer.stdout);
    if (answer.stderr) send(channels.stderr, answer.stderr);
    send(channels.error, JSON.stringify(describeEnd(command, answer)));
    client.close(1000);
  });
}

function describeEnd(command: readonly string[], {exitCode = 0, failure}: ExecAnswer): object {
  if (failure !== undefined) {
    const message = `Internal error occurred: error executing command in container: failed to exec in container: ${failure}`;
    const causes = [{message: message.replace('Internal error occurred: ', '')}];
    return {metadata: {}, status: 'Failure', reason: 'InternalError', message, details: {causes}, code: 500};
  }
  if (exitCode === 0) return {metadata: {}, status: 'Success'};
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: error executing command [${command.join(' ')}], exit code ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: {causes: [{reason: 'ExitCode', message: String(exitCode)}]},
  };
}
