/** Owns why a builder's image cannot be pulled, by the words of the kubelet and the registry. */
import {type BuilderPod, sortEventsOf} from '../model/pods.ts';
import type {Trouble, TroubleInput} from './trouble.ts';

const IMAGE_REASONS = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
]);

/** What may be better at the next attempt. */
const PASSING_PULL =
  /time(d )?out|deadline exceeded|connection (refused|reset)|toomanyrequests|rate limit|\b(429|50[0-4])\b|\bEOF\b|temporary failure|unreachable|try again/i;

export function findImageTrouble(pod: BuilderPod, {events}: TroubleInput): Trouble | undefined {
  const container = pod.containers.find(({waitingReason = ''}) => IMAGE_REASONS.has(waitingReason));
  if (container === undefined) return undefined;
  const {image, waitingMessage = '', waitingReason = ''} = container;
  // Before Kubernetes 1.32 the back-off's message tells no cause, and the event of the attempt does.
  const attempt = sortEventsOf(pod, events).findLast(({message}) =>
    message.startsWith('Failed to pull image'),
  );
  const told = cleanPullMessage(waitingMessage) || cleanPullMessage(attempt?.message ?? '') || waitingReason;
  const denied = /unauthori[sz]ed|denied|forbidden|no basic auth|insufficient_scope|\b40[13]\b/i.test(told);
  return {
    kind: 'image',
    message: `The builder's image ${image} cannot be pulled${pod.node ? ` on node "${pod.node}"` : ''}: ${told}`,
    remedy: [
      'Name an image that the nodes can pull with --builder-image: a copy in a registry of yours, say.',
      ...(denied
        ? ["If that registry wants a login, name its secret in the namespace's default service account."]
        : []),
    ],
    final: !PASSING_PULL.test(told),
    pod: pod.name,
  };
}

/** What is left of the message without the frame that repeats the image's name; nothing where there was only the frame. */
function cleanPullMessage(message: string): string {
  return message
    .replace(/^Back-off pulling image "[^"]*"(: )?/, '')
    .replace(/^(ErrImagePull|Failed to pull image "[^"]*"): /, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .replace(/^(initializing source \S+|failed to pull and unpack image "[^"]*"): /, '')
    .trim();
}
