/** Owns why the nodes cannot pull a builder's image, by the messages of the kubelet and the registry. */
import {createCommand} from '../model/builder.ts';
import {type BuilderPod, eventsOf} from '../model/pods.ts';
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

/** What the next attempt may not meet. */
const PASSING_PULL =
  /time(d )?out|deadline exceeded|connection (refused|reset)|toomanyrequests|rate limit|\b(429|50[0-4])\b|\bEOF\b|temporary failure|unreachable|try again/i;
const DENIED_PULL = /unauthori[sz]ed|denied|forbidden|no basic auth|insufficient_scope|\b40[13]\b/i;

const OTHER_IMAGE =
  'Recreate the builder with an image that the nodes can pull, such as a copy in your own registry:';
const LOG_IN = 'If the registry requires a login, name the secret that has it:';

export function findImageTrouble(pod: BuilderPod, {events, deployment}: TroubleInput): Trouble | undefined {
  const container = pod.containers.find(({waitingReason}) => IMAGE_REASONS.has(waitingReason));
  if (container === undefined) return undefined;
  const {image, waitingMessage, waitingReason} = container;
  // Before Kubernetes 1.32 the message of a back-off has no cause, and the event of the attempt has it.
  const attempt = eventsOf(pod, events).findLast(({message}) => message.startsWith('Failed to pull image'));
  const cause = cleanPullMessage(waitingMessage) || cleanPullMessage(attempt?.message ?? '') || waitingReason;
  const place = pod.node ? ` on node "${pod.node}"` : '';
  return {
    message: `The builder's image ${image} cannot be pulled${place}: ${cause}`,
    remedy: [
      OTHER_IMAGE,
      createCommand(deployment, '--replace', '--image', 'IMAGE'),
      ...(DENIED_PULL.test(cause)
        ? [LOG_IN, createCommand(deployment, '--replace', '--image-pull-secret', 'NAME')]
        : []),
    ],
    final: !PASSING_PULL.test(cause),
    isImage: true,
  };
}

/** The message without the frame that repeats the image's name; empty if there was only the frame. */
function cleanPullMessage(message: string): string {
  return message
    .replace(/^Back-off pulling image "[^"]*"(: )?/, '')
    .replace(/^(ErrImagePull|Failed to pull image "[^"]*"): /, '')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .replace(/^(initializing source \S+|failed to pull and unpack image "[^"]*"): /, '')
    .trim();
}
