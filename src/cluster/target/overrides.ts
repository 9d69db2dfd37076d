/** Owns what each flag that overrides a kubeconfig does to the cluster or the user. */
import type {TargetOverrides} from '../connection.ts';
import type {ClusterFields, UserFields} from '../kubeconfig/shape.ts';

/** A flag that was given sets its field, and removes fields of the file that would contradict it. */
interface Rule<Fields> {
  readonly flag: keyof TargetOverrides;
  readonly field: keyof Fields;
  readonly removes?: readonly (keyof Fields)[];
}

const TRUST: readonly (keyof ClusterFields)[] = [
  'certificate-authority',
  'certificate-authority-data',
  'insecure-skip-tls-verify',
];

/** client-go's `getCluster`: a flag for trust replaces all that the file says about trust. */
const CLUSTER_RULES: readonly Rule<ClusterFields>[] = [
  // The server name of the file is that of another server.
  {flag: 'server', field: 'server', removes: ['tls-server-name']},
  {flag: 'tlsServerName', field: 'tls-server-name'},
  {flag: 'certificateAuthority', field: 'certificate-authority', removes: TRUST},
  {flag: 'insecureSkipTlsVerify', field: 'insecure-skip-tls-verify', removes: TRUST},
];

/**
 * client-go's `getAuthInfo`, as kubectl 1.35 has it: a file given by a flag removes the same as data (older versions
 * refuse the two). Everything else is added: a token file in the kubeconfig keeps winning over --token.
 */
const USER_RULES: readonly Rule<UserFields>[] = [
  {flag: 'clientCertificate', field: 'client-certificate', removes: ['client-certificate-data']},
  {flag: 'clientKey', field: 'client-key', removes: ['client-key-data']},
  {flag: 'token', field: 'token'},
  {flag: 'as', field: 'as'},
  {flag: 'asUid', field: 'as-uid'},
  {flag: 'asGroup', field: 'as-groups'},
];

export function overrideCluster(fields: ClusterFields, overrides: TargetOverrides): ClusterFields {
  return override(CLUSTER_RULES, fields, overrides);
}

export function overrideUser(fields: UserFields, overrides: TargetOverrides): UserFields {
  return override(USER_RULES, fields, overrides);
}

function override<Fields extends object>(
  rules: readonly Rule<Fields>[],
  fields: Fields,
  overrides: TargetOverrides,
): Fields {
  const given = rules.filter(({flag}) => overrides[flag] && [overrides[flag]].flat().length > 0);
  const removed = given.flatMap(({removes = []}) => removes);
  const kept = Object.entries(fields).filter(([field]) => !removed.includes(field as keyof Fields));
  const set = given.map(({flag, field}) => [field, overrides[flag]]);
  return Object.fromEntries([...kept, ...set]);
}
