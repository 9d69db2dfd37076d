/** Owns why a builder's pods are refused before they exist. */
import {findCondition} from '../../cluster/api/conditions.ts';
import type {Trouble, TroubleInput} from './trouble.ts';

/** The pod is refused before it exists. The Deployment's condition says so as long as it is true. */
export function findRefusal({deployment, events}: TroubleInput): Trouble | undefined {
  // A ReplicaSet's older events are of an earlier Deployment, which had the same name if it had the same template.
  const {name, namespace, generation, observedGeneration, createdAt: since = 0} = deployment;
  const condition =
    observedGeneration >= generation
      ? findCondition(deployment.conditions, 'ReplicaFailure', 'True')
      : undefined;
  const event = events.findLast(({object, reason, lastSeen = 0}) => {
    // A ReplicaSet is called as its Deployment, a dash and a hash; a Deployment "own-two" is another one than "own".
    const ours = object.kind === 'ReplicaSet' && object.name.replace(/-[a-z0-9]+$/, '') === name;
    return ours && reason === 'FailedCreate' && lastSeen >= since;
  });
  const told = (condition?.message ?? event?.message)
    ?.replace(/^\(combined from similar events\): /, '')
    .replace(/^Error creating: /, '')
    .replace(/^pods "[^"]*" is /, '');
  return told === undefined ? undefined : explainRefusal(told, namespace);
}

function explainRefusal(told: string, namespace: string): Trouble {
  const standard = /violates PodSecurity "(\w+):/.exec(told)?.[1];
  if (standard !== undefined) {
    return {
      kind: 'pod-security',
      message: `Namespace "${namespace}" enforces the Pod Security standard "${standard}", which forbids the builder's pod: ${told}`,
      remedy: [
        'Build in another namespace (--namespace), or allow privileged pods in this one:',
        `  kubectl label namespace ${namespace} pod-security.kubernetes.io/enforce=privileged --overwrite`,
      ],
      final: true,
    };
  }
  if (told.includes('security context constraint')) {
    return {
      kind: 'pod-security',
      message: `The security context constraints forbid the builder's pod: ${told}`,
      remedy: [
        'Let the service account that it runs as use the privileged ones:',
        `  oc adm policy add-scc-to-user privileged -z default --namespace ${namespace}`,
      ],
      final: true,
    };
  }
  if (/exceeded quota|failed quota|(minimum|maximum) .* per (Pod|Container)/i.test(told)) {
    return {
      kind: 'quota',
      message: `A quota or limit of namespace "${namespace}" forbids the builder's pod: ${told}`,
      remedy: [
        'Build in another namespace (--namespace), or raise the limit:',
        `  kubectl describe resourcequota,limitrange --namespace ${namespace}`,
      ],
      // What others use now they may give back; where nothing is in use there is nothing to wait for.
      final: !/used: .*=[^,]*[1-9]/.test(told.replace(/, limited:.*/, '')),
    };
  }
  return {
    kind: 'admission',
    message: `The cluster refuses the builder's pod: ${told}`,
    remedy: ['Build in another namespace (--namespace), or ask those who run the cluster.'],
    // A new namespace lacks its service account for a moment; a webhook may be out of reach for a while.
    final: /denied the request/.test(told),
  };
}
