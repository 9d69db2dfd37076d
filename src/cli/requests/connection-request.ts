/** Owns the step from kubectl's connection flags to what they ask for. */
import {resolve} from 'node:path';
import type {Interfaces} from '@oclif/core';
import {readRequestTimeout} from '../../cluster/api/durations.ts';
import type {ConnectionRequest} from '../../cluster/connection.ts';
import {type connectionFlags, PASSED_KUBECTL_FLAGS} from '../argv/flags.ts';

export type ConnectionFlags = Interfaces.InferredFlags<typeof connectionFlags>;

/** Throws `usage` for a --request-timeout that is none. */
export function readConnection(flags: ConnectionFlags, cwd: string): ConnectionRequest {
  const timeout = flags['request-timeout'];
  readRequestTimeout(timeout);
  const path = (value: string | undefined) => (value ? resolve(cwd, value) : undefined);
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
      certificateAuthority: path(flags['certificate-authority']),
      insecureSkipTlsVerify: flags['insecure-skip-tls-verify'],
      clientCertificate: path(flags['client-certificate']),
      clientKey: path(flags['client-key']),
      token: flags.token,
      as: flags.as,
      asUid: flags['as-uid'],
      asGroup: flags['as-group'],
    },
    passed: writeFlags(PASSED_KUBECTL_FLAGS, flags),
  };
}

type FlagValue = string | readonly string[] | boolean | undefined;

/** The flags as arguments again, each with all its values; those that were not given are left out. */
export function writeFlags<Name extends string>(
  names: readonly Name[],
  flags: Readonly<Record<Name, FlagValue>>,
): readonly (readonly string[])[] {
  return names.map((name) => writeFlag(name, flags[name])).filter((words) => words.length > 0);
}

function writeFlag(name: string, value: FlagValue): readonly string[] {
  if (value === undefined || value === false) return [];
  if (value === true) return [`--${name}`];
  return [value].flat().flatMap((text) => [`--${name}`, text]);
}
