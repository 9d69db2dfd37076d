/** Owns what stopped a copy, by the errors of containerd and of the connections to it. */
import {GrpcCode, GrpcError, hasCode} from '../wire/grpc/status.ts';
import {CopyError, type CopyFault, type CopyNode} from './copy-outcome.ts';

/**
 * Rejects with a `GrpcError` if nothing at all comes from the node for so long, in milliseconds. On a slow link one step
 * may take longer, and a node shows that it takes what it is sent.
 */
export async function within<T>(step: Promise<T>, patience: number, {images}: CopyNode): Promise<T> {
  const {promise, reject} = Promise.withResolvers<never>();
  const endWatch = images.containerd.watchSilence(patience, () => reject(noProgress(patience)));
  try {
    return await Promise.race([step, promise]);
  } finally {
    endWatch();
  }
}

export function noProgress(patience: number): GrpcError {
  const words = `no progress within ${Math.ceil(patience / 1000)} s`;
  return new GrpcError(GrpcCode.UNAVAILABLE, words, {cause: new DOMException(words, 'TimeoutError')});
}

/** What a node failed at; `blob` is a digest. */
export function toCopyError(error: unknown, {name}: CopyNode, blob?: string): unknown {
  if (!(error instanceof GrpcError)) return error;
  const fault = findFault(error);
  const what = blob === undefined ? 'the image' : `blob ${blob}`;
  return new CopyError(fault, name, `${describe(fault, name, what)}: ${error.message}`, error);
}

function findFault(error: GrpcError): CopyFault {
  if (hasTimedOut(error)) return 'stalled';
  if (/no space left on device|disk quota exceeded/.test(error.message)) return 'full';
  switch (error.code) {
    case GrpcCode.UNAVAILABLE:
    case GrpcCode.CANCELLED:
      return 'lost';
    case GrpcCode.NOT_FOUND:
      return 'missing';
    case GrpcCode.FAILED_PRECONDITION:
      return 'spoilt';
    default:
      return 'refused';
  }
}

function describe(fault: CopyFault, node: string, what: string): string {
  switch (fault) {
    case 'lost':
      return `node "${node}" could not be reached for ${what}`;
    case 'stalled':
      return `node "${node}" does not go on with ${what}`;
    case 'missing':
      return `node "${node}" does not have ${what} any more`;
    case 'full':
      return `node "${node}" has no space for ${what}`;
    case 'spoilt':
      return `${what} arrived at node "${node}" with other content`;
    case 'refused':
    case 'malformed':
      return `node "${node}" did not take ${what}`;
    default:
      return fault satisfies never;
  }
}

function hasTimedOut(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'TimeoutError' || hasTimedOut(error.cause);
}

/** Another call writes the same blob at the moment (containerd, content/local/locks.go). */
export function isLocked(error: unknown): boolean {
  return hasCode(error, GrpcCode.UNAVAILABLE) && /\blocked\b/.test((error as Error).message);
}
