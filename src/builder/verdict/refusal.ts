/** Owns why the API server rejects a builder's pods, so that they never exist. */
import {findCondition} from '../../cluster/api/conditions.ts';
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import {createCommand} from '../model/builder.ts';
import {findResourceFlags} from '../model/quotas.ts';
import type {Trouble, TroubleInput} from './trouble.ts';

/** By the Deployment's condition, which stays as long as it is true, or by the events of its ReplicaSet. */
export function findRefusal({deployment, events, quotas}: TroubleInput): Trouble | undefined {
  // What was said before the last change was said of other pods: the condition stays until there is a new ReplicaSet.
  const {name, changedAt: since = 0} = deployment;
  const failure = findCondition(deployment.conditions, 'ReplicaFailure', 'True');
  const condition = failure && (failure.updatedAt ?? since) >= since ? failure : undefined;
  const event = events.findLast(({object, reason, lastSeen = 0}) => {
    // A ReplicaSet's name is its Deployment's, a dash and a hash. "own-two" is another Deployment than "own".
    const ours = object.kind === 'ReplicaSet' && object.name.replace(/-[a-z0-9]+$/, '') === name;
    return ours && reason === 'FailedCreate' && lastSeen >= since;
  });
  const message = (condition?.message ?? event?.message)
    ?.replace(/^\(combined from similar events\): /, '')
    .replace(/^Error creating: /, '')
    .replace(/^pods "[^"]*" is /, '');
  return message === undefined ? undefined : explainRefusal(message, deployment, quotas);
}

function explainRefusal(
  message: string,
  deployment: TroubleInput['deployment'],
  quotas: TroubleInput['quotas'],
): Trouble {
  const {namespace, serviceAccount} = deployment;
  const missing = explainMissing(message, deployment);
  if (missing !== undefined) return missing;
  const standard = /violates PodSecurity "(\w+):/.exec(message)?.[1];
  if (standard !== undefined) {
    const allow = 'pod-security.kubernetes.io/enforce=privileged';
    return {
      message: `Namespace "${namespace}" enforces the Pod Security standard "${standard}", which forbids the builder's pod: ${message}`,
      remedy: [
        elsewhere('allow privileged pods in this one:'),
        command('kubectl', 'label', 'namespace', namespace, allow, '--overwrite'),
      ],
      final: true,
    };
  }
  if (message.includes('security context constraint')) {
    const words = ['add-scc-to-user', 'privileged', '-z', serviceAccount, '--namespace', namespace];
    return {
      message: `The security context constraints forbid the builder's pod: ${message}`,
      remedy: [
        'Allow its service account to use the privileged constraints:',
        command('oc', 'adm', 'policy', ...words),
      ],
      final: true,
    };
  }
  if (/exceeded quota|failed quota|(minimum|maximum) .* per (Pod|Container)/i.test(message)) {
    const flags = findResourceFlags(message, quotas);
    const isUnset = /must specify/.test(message);
    return {
      ...(isUnset && {byQuota: true}),
      message: `A quota or limit of namespace "${namespace}" forbids the builder's pod: ${message}`,
      remedy: [
        ...(flags.length > 0
          ? ['Keep the builder within it:', createCommand(deployment, '--replace', ...flags)]
          : []),
        elsewhere('raise the limit:'),
        command('kubectl', 'describe', 'resourcequota,limitrange', '--namespace', namespace),
      ],
      // Others may free what they use now; if nothing is in use, there is nothing to wait for.
      final: !/used: .*=[^,]*[1-9]/.test(message.replace(/, limited:.*/, '')),
    };
  }
  return {
    message: `The cluster rejects the builder's pod: ${message}`,
    remedy: [elsewhere('ask the administrators of the cluster.')],
    // A new namespace has no service account for a moment, and a webhook may be out of reach for a while.
    final: /denied the request/.test(message),
  };
}

/** What `builder create` was given by name, and the API server does not find. */
function explainMissing(message: string, deployment: TroubleInput['deployment']): Trouble | undefined {
  const {namespace} = deployment;
  const account = /error looking up service account \S+: serviceaccounts? "([^"]*)" not found/.exec(
    message,
  )?.[1];
  // A new namespace has no service account "default" for a moment.
  if (account !== undefined && account !== 'default') {
    return {
      message: `There is no service account "${account}" in namespace "${namespace}", as which the builder's pod is to run.`,
      remedy: [
        'Create it:',
        command('kubectl', 'create', 'serviceaccount', account, '--namespace', namespace),
        'Or recreate the builder with another one:',
        createCommand(deployment, '--replace', '--service-account', 'NAME'),
      ],
      final: true,
    };
  }
  const priority = /no PriorityClass with name (\S+) was found/.exec(message)?.[1];
  if (priority === undefined) return undefined;
  return {
    message: `The cluster has no priority class "${priority}", which the builder's pod is to have.`,
    remedy: [
      'Recreate the builder with one of those that it has:',
      command('kubectl', 'get', 'priorityclasses'),
      createCommand(deployment, '--replace', '--priority-class', 'NAME'),
    ],
    final: true,
  };
}

function elsewhere(or: string): Advice {
  return advise`Build in another namespace with ${flag('namespace', 'NAME')}, or ${or}`;
}
