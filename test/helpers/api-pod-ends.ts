/** Owns how a pod of the stand-in cluster looks when it comes to harm: out of memory, evicted, lost. */
import {now} from './api-objects.ts';
import {withContainers} from './api-pods.ts';
import type {ApiObject} from './api-samples.ts';

/** The kernel has killed its container, which the kubelet starts again. */
export function oomKilledPod(pod: ApiObject): ApiObject {
  return withContainers(pod, 'Running', false, (container) => ({
    ...container,
    state: {terminated: {exitCode: 137, reason: 'OOMKilled', startedAt: now(), finishedAt: now()}},
    ready: false,
    started: false,
    restartCount: Number(container.restartCount) + 1,
  }));
}

/** It stays, as failed. */
export function evictedPod(pod: ApiObject, message: string): ApiObject {
  const failed = withContainers(pod, 'Failed', false, (container) => ({
    ...container,
    state: {terminated: {exitCode: 137, reason: 'Error', startedAt: now(), finishedAt: now()}},
    ready: false,
    started: false,
  }));
  return withDisruption(
    {...failed, status: {...(failed.status as object), reason: 'Evicted', message}},
    'TerminationByKubelet',
    message,
  );
}

/** Its kubelet is silent: nobody knows whether it runs. */
export function lostPod(pod: ApiObject): ApiObject {
  const status = pod.status as {conditions: {type: string}[]};
  const conditions = status.conditions.map((condition) =>
    condition.type === 'Ready' ? {...condition, status: 'False', lastTransitionTime: now()} : condition,
  );
  return {...pod, status: {...status, conditions}};
}

export function withDisruption(pod: ApiObject, reason: string, message: string): ApiObject {
  const status = pod.status as {conditions?: object[]};
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: now(),
  };
  return {
    ...pod,
    status: {...status, conditions: [...(status.conditions ?? []), {...condition, reason, message}]},
  };
}
