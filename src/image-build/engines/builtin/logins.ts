/** Owns finding the login for a registry in a pull secret, as docker finds it in its configuration. */
import type {Login} from '../../../buildkit/session/services.ts';

/** Docker Hub's key in a docker configuration, and the host that BuildKit asks for. */
const HUB_KEY = 'index.docker.io';
const HUB_HOSTS: ReadonlySet<string> = new Set(['registry-1.docker.io', 'docker.io', HUB_KEY]);

/**
 * `config` is the text of `.dockerconfigjson`. A key may have a scheme and a path, as `https://index.docker.io/v1/`;
 * the one that is the host itself goes first. Undefined where none is for the host. Throws SyntaxError for no JSON.
 */
export function findLogin(config: string, host: string): Login | undefined {
  const {auths} = asRecord(JSON.parse(config));
  const wanted = HUB_HOSTS.has(host) ? HUB_KEY : host;
  const entries = Object.entries(asRecord(auths));
  const exact = entries.find(([key]) => key === host || key === wanted);
  const found = exact ?? entries.find(([key]) => hostOf(key) === wanted);
  return found && readLogin(asRecord(found[1]));
}

function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//i, '').replace(/\/.*$/s, '');
  return HUB_HOSTS.has(host) ? HUB_KEY : host;
}

function readLogin(entry: Readonly<Record<string, unknown>>): Login | undefined {
  const {auth, username, password, identitytoken} = entry;
  // What docker does with a token that stands for a login: BuildKit knows it by the missing name.
  if (typeof identitytoken === 'string' && identitytoken !== '') return {username: '', secret: identitytoken};
  if (typeof auth === 'string' && auth !== '') {
    const [, name = '', secret = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? [];
    if (name !== '' || secret !== '') return {username: name, secret: secret.replace(/\0+$/, '')};
  }
  if (typeof username !== 'string' || typeof password !== 'string') return undefined;
  return {username, secret: password};
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
