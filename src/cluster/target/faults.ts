/** Owns what kubectl refuses in a cluster or a user before it uses them: fields that contradict each other. */
import type {ClusterFields, ContextFields, UserFields} from '../kubeconfig/shape.ts';

type Rules = readonly (readonly [applies: boolean, fault: string])[];

/** client-go's `validateClusterInfo`, without its look at files; undefined where nothing is wrong. */
export function findClusterFault(fields: ClusterFields): string | undefined {
  const {server, 'certificate-authority': authority, 'certificate-authority-data': authorityData} = fields;
  const insecure = fields['insecure-skip-tls-verify'] ?? false;
  return firstThatApplies([
    // kubectl would go to localhost:8080, which is never meant.
    [!server, 'has no server'],
    [Boolean(authority && authorityData), 'has both certificate-authority and certificate-authority-data'],
    [
      insecure && Boolean(authority || authorityData),
      'has both a certificate authority and insecure-skip-tls-verify',
    ],
  ]);
}

/** client-go's `validateAuthInfo`, without its look at files; undefined where nothing is wrong. */
export function findUserFault(fields: UserFields): string | undefined {
  const {'client-certificate': certificate, 'client-certificate-data': certificateData} = fields;
  const {'client-key': key, 'client-key-data': keyData, exec} = fields;
  const hasCertificate = Boolean(certificate || certificateData);
  const hasPassword = Boolean(fields.username || fields.password);
  const actsAsMore =
    Boolean(fields['as-uid'] || fields['as-groups']?.length) ||
    Object.keys(fields['as-user-extra'] ?? {}).length > 0;
  return firstThatApplies([
    [Boolean(certificate && certificateData), 'has both client-certificate and client-certificate-data'],
    [hasCertificate && Boolean(key && keyData), 'has both client-key and client-key-data'],
    [hasCertificate && !key && !keyData, 'has a client certificate but no client-key'],
    [Boolean(fields.token) && hasPassword, 'has both a token and a username or password'],
    // Accepted by `validateAuthInfo`, and refused when the first request is sent.
    [Boolean(fields.tokenFile && fields.username), 'has both a tokenFile and a username'],
    [exec !== undefined && fields['auth-provider'] !== undefined, 'has both exec and auth-provider'],
    [exec !== undefined && !exec.command, 'has an exec without a command'],
    [exec !== undefined && !exec.apiVersion, 'has an exec without an apiVersion'],
    [Boolean(exec?.env?.some((variable) => !variable?.name)), 'has an exec with a nameless variable in env'],
    [actsAsMore && !fields.as, 'has as-uid, as-groups or as-user-extra without as'],
  ]);
}

/** No program can be given such a namespace as an argument. */
export function findContextFault({namespace}: ContextFields): string | undefined {
  return firstThatApplies([[namespace?.includes('\0') ?? false, 'has a NUL in its namespace']]);
}

function firstThatApplies(rules: Rules): string | undefined {
  return rules.find(([applies]) => applies)?.[1];
}
