/** Owns what a container of the stand-in cluster has printed: at once, or for as long as its pod is there. */
import {findObject} from './api-objects.ts';
import {isRunning, isTerminating, phaseOf, refuseUnscheduled} from './api-pods.ts';
import {writeStatus} from './api-representations.ts';
import type {ApiState} from './api-state.ts';
import {stuckLogs} from './api-stuck.ts';
import type {Answer, ApiRequest, Target} from './api-targets.ts';

export function answerLogs({query}: ApiRequest, {namespace, name = ''}: Target, state: ApiState): Answer {
  const pod = findObject('pods', state, namespace, name);
  if (pod === undefined) {
    return {
      status: 404,
      body: writeStatus(404, 'NotFound', `pods "${name}" not found`, {name, kind: 'pods'}),
    };
  }
  const unscheduled = refuseUnscheduled(pod);
  if (unscheduled !== undefined) return unscheduled;
  const {containerStatuses = []} = pod.status as {
    containerStatuses?: {name: string; state: {waiting?: {reason: string}}}[];
  };
  const container = query.container ?? containerStatuses[0]?.name ?? 'buildkitd';
  const {waiting} = containerStatuses.find((status) => status.name === container)?.state ?? {};
  if (phaseOf(pod) === 'Pending' && waiting !== undefined) {
    const message = `container "${container}" in pod "${name}" is waiting to start: ${waiting.reason}`;
    return {status: 400, body: writeStatus(400, 'BadRequest', message)};
  }
  const contentType = 'text/plain';
  const printed = isRunning(pod) ? state.logs : (stuckLogs(state.builder.outcome) ?? state.logs);
  const lines = printed.split(/(?<=\n)/);
  const tail = query.tailLines === undefined ? lines : lines.slice(-Number(query.tailLines));
  if (query.follow !== 'true') return {status: 200, body: tail.join(''), contentType};
  return {
    status: 200,
    body: '',
    stream: (response) => {
      response.writeHead(200, {'Content-Type': contentType});
      response.write(tail.join(''));
      let written = state.logs.length;
      const timer = setInterval(() => {
        if (state.logs.length > written) response.write(state.logs.slice(written));
        written = state.logs.length;
        const current = findObject('pods', state, namespace, name);
        if (current === undefined || (isTerminating(current) && phaseOf(current) !== 'Running'))
          response.end();
      }, 20);
      response.on('close', () => clearInterval(timer));
    },
  };
}
