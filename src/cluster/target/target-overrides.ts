/** Owns the flags that override a kubeconfig, and what each does to the cluster or the user. */
import type {ClusterFields, UserFields} from '../kubeconfig/shape.ts';

/** kubectl's flags of the same names. Paths are absolute already; an empty string is no value. */
export interface TargetOverrides {
  readonly context?: string | undefined;
  readonly cluster?: string | undefined;
  readonly user?: string | undefined;
  readonly namespace?: string | undefined;
  readonly server?: string | undefined;
  readonly tlsServerName?: string | undefined;
  readonly certificateAuthority?: string | undefined;
  readonly insecureSkipTlsVerify?: boolean | undefined;
  readonly clientCertificate?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly token?: string | undefined;
  readonly as?: string | undefined;
  readonly asUid?: string | undefined;
  readonly asGroup?: readonly string[] | undefined;
}

/** client-go's `getCluster`: a flag for trust replaces all that the file says of trust. */
export function overrideCluster(fields: ClusterFields, overrides: TargetOverrides): ClusterFields {
  const {server, tlsServerName, certificateAuthority, insecureSkipTlsVerify} = overrides;
  const {
    'tls-server-name': fileServerName,
    'certificate-authority': fileAuthority,
    'certificate-authority-data': fileAuthorityData,
    'insecure-skip-tls-verify': fileInsecure,
    ...rest
  } = fields;
  const ownTrust = Boolean(certificateAuthority || insecureSkipTlsVerify);
  // Another server makes the file's server name wrong.
  const serverName = tlsServerName || (server ? undefined : fileServerName);
  const insecure = ownTrust ? insecureSkipTlsVerify : fileInsecure;
  const authority = ownTrust ? certificateAuthority : fileAuthority;
  return {
    ...rest,
    ...(server && {server}),
    ...(serverName && {'tls-server-name': serverName}),
    ...(insecure && {'insecure-skip-tls-verify': insecure}),
    ...(authority && {'certificate-authority': authority}),
    ...(!ownTrust && fileAuthorityData && {'certificate-authority-data': fileAuthorityData}),
  };
}

/**
 * client-go's `getAuthInfo`, as kubectl 1.35 has it: a file given by a flag drops the same as data (older ones
 * refuse the two).
 * All else is added: a token file in the kubeconfig keeps winning over --token.
 */
export function overrideUser(fields: UserFields, overrides: TargetOverrides): UserFields {
  const {token, clientCertificate, clientKey, as, asUid, asGroup} = overrides;
  const {'client-certificate-data': certificateData, 'client-key-data': keyData, ...rest} = fields;
  return {
    ...rest,
    ...(clientCertificate
      ? {'client-certificate': clientCertificate}
      : certificateData && {'client-certificate-data': certificateData}),
    ...(clientKey ? {'client-key': clientKey} : keyData && {'client-key-data': keyData}),
    ...(token && {token}),
    ...(as && {as}),
    ...(asUid && {'as-uid': asUid}),
    ...(asGroup?.length && {'as-groups': asGroup}),
  };
}
