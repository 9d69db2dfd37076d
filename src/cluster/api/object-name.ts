/** Owns which names Kubernetes accepts for a Secret or a Deployment. */
import {TiltbuildError} from '../../errors.ts';
import {hideSecret} from '../../text/mask-secrets.ts';

/** RFC 1123 subdomain, as the API server checks it. */
const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Throws `usage` for an invalid name; `source` is the flag or variable that it came from. */
export function demandObjectName(name: string, source: string): void {
  if (name.length <= 253 && NAME.test(name)) return;
  throw new TiltbuildError(
    'usage',
    `"${hideSecret(name)}" (from ${source}) is not a valid Kubernetes name.`,
    {
      remedy: [
        'A name has lower-case letters, digits, "-" and ".", and starts and ends with a letter or digit.',
      ],
    },
  );
}
