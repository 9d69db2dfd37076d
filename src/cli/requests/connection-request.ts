/** Owns the step from kubectl's connection flags to what they ask for. */
import {resolve} from 'node:path';
import {readRequestTimeout} from '../../cluster/api/durations.ts';
import type {ConnectionRequest} from '../../cluster/connection.ts';
import {connectionFlags} from '../commands/common-flags.ts';
import type {Flags, ValuesOf} from '../commands/definition.ts';

/** Throws `usage` for a --request-timeout that is no duration. */
export function readConnection(flags: ValuesOf<typeof connectionFlags>, cwd: string): ConnectionRequest {
  const timeout = flags['request-timeout'];
  readRequestTimeout(timeout);
  const path = (value: string | undefined) => (value ? resolve(cwd, value) : value);
  const placed = {
    ...flags,
    'certificate-authority': path(flags['certificate-authority']),
    'client-certificate': path(flags['client-certificate']),
    'client-key': path(flags['client-key']),
    'cache-dir': path(flags['cache-dir']),
  };
  return {
    kubeconfig: flags.kubeconfig,
    requestTimeout: timeout,
    overrides: {
      context: flags.context,
      cluster: flags.cluster,
      user: flags.user,
      namespace: flags.namespace,
      server: flags.server,
      tlsServerName: flags['tls-server-name'],
      certificateAuthority: placed['certificate-authority'] || undefined,
      insecureSkipTlsVerify: flags['insecure-skip-tls-verify'],
      clientCertificate: placed['client-certificate'] || undefined,
      clientKey: placed['client-key'] || undefined,
      token: flags.token,
      as: flags.as,
      asUid: flags['as-uid'],
      asGroup: flags['as-group'],
    },
    passed: writeAsGiven(connectionFlags, placed),
  };
}

/** Those flags that are passed on as given, each with all its values. */
export function writeAsGiven<F extends Flags>(
  flags: F,
  values: {readonly [Name in keyof F]: unknown},
): readonly (readonly string[])[] {
  return Object.entries(flags)
    .filter(([, {passed}]) => passed === 'as-given')
    .map(([name]) => writeFlag(name, values[name]))
    .filter((words) => words.length > 0);
}

function writeFlag(name: string, value: unknown): readonly string[] {
  if (value === undefined || value === false) return [];
  if (value === true) return [`--${name}`];
  return [value].flat().flatMap((text) => [`--${name}`, String(text)]);
}
