/** Owns that a node's mounts are private, where the builder needs them shared, and the command that shares them. */
import {type Advice, advise, type Command, command} from '../../text/advice.ts';
import {type BuilderPod, eventsOf} from '../model/pods.ts';
import type {PodRule, TroubleInput} from './trouble.ts';

/** As containerd, CRI-O and Docker say it; nothing but a command on the node changes it. */
const NOT_SHARED = /path "?([^"\s]+)"? is mounted on "?[^"\s]+"? but it is not a shared(?: or slave)? mount/;

export const findPrivateMount: PodRule = (pod, {events, product}) => {
  const words = [
    ...pod.containers.flatMap(({waitingMessage, terminated, lastTerminated}) => [
      waitingMessage,
      terminated?.message ?? '',
      lastTerminated?.message ?? '',
    ]),
    ...eventsOf(pod, events).map(({message}) => message),
  ];
  const path = words.map((text) => NOT_SHARED.exec(text)?.[1]).find(Boolean);
  if (path === undefined) return undefined;
  return {
    message: `Node "${pod.node ?? '?'}" does not share its mount of ${path} with containers, so the builder's pod "${pod.name}" cannot start.`,
    remedy: [...shareMounts(pod, product), 'Then try again. The mounts stay shared until the node restarts.'],
    final: true,
  };
};

const SHARE = ['mount', '--make-rshared', '/'] as const;

function shareMounts({node = 'NODE'}: BuilderPod, product: TroubleInput['product']): readonly Advice[] {
  const alone = (shown: Command): readonly Advice[] => ['Share the mounts of the node:', shown];
  const inContainer = command('docker', 'exec', node, ...SHARE);
  switch (product) {
    case 'colima': {
      const profile = /^colima-(.+)$/.exec(node)?.[1];
      return alone(
        command(
          'colima',
          'ssh',
          ...(profile === undefined ? [] : ['--profile', profile]),
          '--',
          'sudo',
          ...SHARE,
        ),
      );
    }
    case 'rancher-desktop':
      return alone(command('rdctl', 'shell', 'sudo', ...SHARE));
    case 'minikube': {
      // The first node is called as its profile, the others PROFILE-m02 and so on.
      const [, profile = node, other] = /^(.+?)(-m\d{2,})?$/.exec(node) ?? [];
      const place = [
        ...(profile === 'minikube' ? [] : ['--profile', profile]),
        ...(other === undefined ? [] : ['--node', node]),
      ];
      return alone(command('minikube', 'ssh', ...place, '--', 'sudo', ...SHARE));
    }
    case 'kind':
    case 'k3d':
    case 'docker-desktop':
      return alone(inContainer);
    case 'microk8s':
      return alone(command('sudo', ...SHARE));
    default:
      return [
        'Share the mounts of the node. If it is a container, as k3s and k0s in Docker are:',
        inContainer,
        advise`Otherwise run on the node: ${command('sudo', ...SHARE)}`,
      ];
  }
}
