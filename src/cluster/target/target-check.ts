/** Owns what kubectl refuses in a cluster or a user before it uses them: fields that contradict each other. */
import {TiltbuildError} from '../../errors.ts';
import type {ClusterFields, UserFields} from '../kubeconfig/shape.ts';

/** client-go's `validateClusterInfo`, without its look at files; gives the server back. */
export function checkClusterFields(name: string, file: string | undefined, fields: ClusterFields): string {
  const {server, 'certificate-authority': authority, 'certificate-authority-data': authorityData} = fields;
  // kubectl would go to localhost:8080, which is never meant.
  if (!server) throw contradiction('cluster', name, file, 'has no server');
  if (authority && authorityData) {
    throw contradiction(
      'cluster',
      name,
      file,
      'has both certificate-authority and certificate-authority-data',
    );
  }
  if (fields['insecure-skip-tls-verify'] && (authority || authorityData)) {
    throw contradiction(
      'cluster',
      name,
      file,
      'has both a certificate authority and insecure-skip-tls-verify',
    );
  }
  return server;
}

/** client-go's `validateAuthInfo`, without its look at files. */
export function checkUserFields(name: string, file: string | undefined, fields: UserFields): void {
  const certificate = fields['client-certificate'];
  const certificateData = fields['client-certificate-data'];
  const key = fields['client-key'];
  const keyData = fields['client-key-data'];
  const hasCertificate = Boolean(certificate || certificateData);
  const hasPassword = Boolean(fields.username || fields.password);
  const groups = fields['as-groups'] ?? [];
  const extra = Object.keys(fields['as-user-extra'] ?? {});
  const {exec} = fields;

  const rules: readonly (readonly [boolean, string])[] = [
    [Boolean(certificate && certificateData), 'has both client-certificate and client-certificate-data'],
    [hasCertificate && Boolean(key && keyData), 'has both client-key and client-key-data'],
    [hasCertificate && !key && !keyData, 'has a client certificate and no client-key for it'],
    [Boolean(fields.token) && hasPassword, 'has both a token and a username or password'],
    [exec !== undefined && fields['auth-provider'] !== undefined, 'has both exec and auth-provider'],
    [exec !== undefined && !exec.command, 'has an exec without a command'],
    [exec !== undefined && !exec.apiVersion, 'has an exec without an apiVersion'],
    [Boolean(exec?.env?.some((variable) => !variable?.name)), 'has an exec with a nameless variable in env'],
    [(groups.length > 0 || extra.length > 0) && !fields.as, 'acts as a group or with extras, but as no user'],
  ];
  const broken = rules.find(([applies]) => applies);
  if (broken !== undefined) throw contradiction('user', name, file, broken[1]);
}

function contradiction(kind: string, name: string, file: string | undefined, fault: string): TiltbuildError {
  const subject = name === '' ? `The ${kind} that the flags describe` : `The ${kind} "${name}"`;
  const place = file === undefined ? '' : ` in ${file}`;
  return new TiltbuildError('kubeconfig-malformed', `${subject}${place} ${fault}.`, {
    remedy: [`Correct the ${kind} in the kubeconfig, or the flags that override it.`],
  });
}
