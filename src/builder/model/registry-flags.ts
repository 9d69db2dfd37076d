/** Owns how the registries of a builder are written on a command line. */
import {TiltbuildError} from '../../errors.ts';
import {splitKeyValue} from '../../text/key-value.ts';

/** The values of the flags, as typed. */
export interface RegistryFlags {
  readonly http: readonly string[];
  readonly insecure: readonly string[];
  readonly ca: readonly string[];
  readonly mirror: readonly string[];
}

/** One registry, with the paths of its certificates on this machine. */
export interface GivenRegistry {
  readonly http?: true;
  readonly insecure?: true;
  readonly caFiles?: readonly string[];
  readonly mirrors?: readonly string[];
}

const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/;
/** A registry that has the images of others has them under a path. */
const MIRROR_PATH = /^(?:\/[A-Za-z0-9._-]+)*$/;

/** By host. Throws `usage`. */
export function parseRegistries(flags: RegistryFlags): Readonly<Record<string, GivenRegistry>> {
  const given = new Map<string, GivenRegistry>();
  const add = (host: string, change: (before: GivenRegistry) => GivenRegistry) =>
    given.set(host, change(given.get(host) ?? {}));
  for (const text of flags.http) add(readHost('--registry-http', text), (one) => ({...one, http: true}));
  for (const text of flags.insecure)
    add(readHost('--registry-insecure', text), (one) => ({...one, insecure: true}));
  for (const text of flags.ca) {
    const {key, value} = splitKeyValue(text);
    if (!value) throw new TiltbuildError('usage', '--registry-ca needs HOST=FILE.');
    const host = readHost('--registry-ca', key);
    add(host, (one) => ({...one, caFiles: [...(one.caFiles ?? []), value]}));
  }
  for (const text of flags.mirror) {
    const {key, value} = splitKeyValue(text);
    if (!value) {
      throw new TiltbuildError('usage', '--registry-mirror needs HOST=MIRROR.', {
        remedy: ['For Docker Hub, HOST is docker.io: docker.io=mirror.example:5000'],
      });
    }
    const at = value.indexOf('/');
    const [host, path] = at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at)];
    if (!HOST.test(host) || !MIRROR_PATH.test(path)) throw hostFault('--registry-mirror', value);
    add(readHost('--registry-mirror', key), (one) => ({...one, mirrors: [...(one.mirrors ?? []), value]}));
  }
  return Object.fromEntries(given);
}

function readHost(flag: string, text: string): string {
  if (HOST.test(text)) return text;
  throw hostFault(flag, text);
}

function hostFault(flag: string, text: string): TiltbuildError {
  return new TiltbuildError('usage', `${flag}: ${JSON.stringify(text)} is not the host of a registry.`, {
    remedy: [
      'Write it as in an image reference, with its port and without http:// or https://: registry.example:5000',
      ...(/^http:/.test(text) && flag !== '--registry-http'
        ? ['A registry that has no TLS also needs --registry-http HOST.']
        : []),
    ],
  });
}
