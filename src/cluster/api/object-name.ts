/** Owns what Kubernetes takes for the name of a Secret or a Deployment. */
import {TiltbuildError} from '../../errors.ts';

/** RFC 1123 subdomain, as the API server checks it. */
const NAME = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** Throws `usage` for a name that no object can have; `source` is the flag or variable that gave it. */
export function demandObjectName(name: string, source: string): void {
  if (name.length <= 253 && NAME.test(name)) return;
  throw new TiltbuildError('usage', `"${name}" (from ${source}) is not a name that Kubernetes allows.`, {
    remedy: [
      'Such a name has lower-case letters, digits, "-" and ".", and begins and ends with a letter or digit.',
    ],
  });
}
