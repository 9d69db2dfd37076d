/** Owns what a failed read from a cluster means to the user. */
import type {Target, TargetUser} from '../cluster/target/target.ts';
import {TiltbuildError} from '../errors.ts';
import {type Advice, advise, command, flag} from '../text/advice.ts';
import {AnswerTooLarge, RequestTimeout} from './https-transport.ts';
import {ApiFailure, isImpersonationRefused} from './kube-api.ts';
import {KubectlFailure} from './kubectl-reader.ts';

/** What to do when the cluster does not accept the user. */
export const LOG_IN_AGAIN: Advice = advise`Log in again, or check with: ${command('kubectl', 'auth', 'whoami')}`;

/** Errors of the network, which kubectl would meet as well. Any other may come from how we ask. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  // Bun's names for the same. FailedToOpenSocket is none of them: a certificate or key that cannot be used has it too.
  'ConnectionRefused',
  'ConnectionClosed',
  'Timeout',
]);

/** Whether kubectl might succeed where the direct request failed: with an unusual certificate, for example. */
export function isWorthAskingKubectl(error: unknown): boolean {
  if (!(error instanceof ApiFailure)) return true;
  const {cause} = error;
  if (error.status !== undefined || cause instanceof RequestTimeout || cause instanceof AnswerTooLarge)
    return false;
  return !(cause instanceof Error && 'code' in cause && NETWORK_ERRORS.has(String(cause.code)));
}

/** The error to throw for a failed read of either kind; any other error is returned unchanged. */
export function describeFailure({cluster, context, user}: Target, error: unknown): unknown {
  if (!(error instanceof ApiFailure || error instanceof KubectlFailure)) return error;
  const where = `${cluster.server} (cluster "${cluster.name}", context "${context}")`;
  const details = {detail: [error.message], cause: error};
  const [, ofPlugin] = /getting credentials: (?:exec: )?(.*)/.exec(error.message) ?? [];
  if (ofPlugin !== undefined && user.exec) {
    return describePluginFailure(user, `cannot be used: ${ofPlugin}`);
  }
  if (isImpersonationRefused(error.message)) {
    return new TiltbuildError(
      'cluster-denied',
      'You do not have permission to impersonate others, which --as and its like do.',
      {
        ...details,
        remedy: [
          advise`Ask for permission to impersonate, or leave out ${flag('as')}, or "as" in the kubeconfig.`,
        ],
      },
    );
  }
  if (isUnauthorized(error)) {
    return new TiltbuildError(
      'cluster-denied',
      `The API server at ${where} rejected the credentials of user "${user.name}".`,
      {...details, remedy: [LOG_IN_AGAIN]},
    );
  }
  return new TiltbuildError('cluster-unreachable', `Could not reach the API server at ${where}.`, {
    ...details,
    remedy: [advise`Check that the cluster is running and reachable: ${command('kubectl', 'version')}`],
  });
}

/** `clause` has the plugin as its subject. */
export function describePluginFailure({name, exec}: TargetUser, clause: string): TiltbuildError {
  const isMissing = /\bexecutable .* not found$/.test(clause);
  const remedy = isMissing ? 'Install it, or correct the user in the kubeconfig.' : LOG_IN_AGAIN;
  return new TiltbuildError(
    'cluster-denied',
    `The login plugin "${exec?.command}" of user "${name}" ${clause}.`,
    {remedy: [exec?.installHint || remedy]},
  );
}

function isUnauthorized(error: ApiFailure | KubectlFailure): boolean {
  if (error instanceof ApiFailure) return error.status === 401;
  // Without any credentials kubectl asks for a user name, and finds its standard input empty.
  return /must be logged in to the server|\(Unauthorized\)|getting credentials|^(?:error: )?EOF$/.test(
    error.message,
  );
}
