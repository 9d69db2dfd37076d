/** Owns what is wrong if the connection to a BuildKit does not come about, or is lost: by its error and the tunnel's end. */
import type {Tunnel} from '../cluster/ports.ts';
import {GrpcCode, type GrpcError} from '../wire/grpc/status.ts';
import {ErrorCode, Http2Error} from '../wire/http2/errors.ts';

export interface ConnectionFault {
  readonly kind: /** The user has no permission to run programs in pods. */
    | 'forbidden'
    /** The container has no program buildctl. */
    | 'no-buildctl'
    /** Something answers, and it is not BuildKit. */
    | 'foreign'
    | 'lost';
  /** What was said of it, without a full stop. */
  readonly words: string;
}

/** How long the end of a tunnel may take after the connection on it broke, in milliseconds. */
const PATIENCE = 3000;

/** As runc, crun and CRI-O say it, each in words of its own around these. */
const NO_BUILDCTL =
  /"?\bbuildctl"?[`']?: (?:executable file )?not found|\bbuildctl"?[`']?: (?:\w+: )?no such file|exec(?:utable)? file [`']?"?buildctl\b.* not found/i;

/** Undefined if BuildKit answered, and the error is its own. */
export async function findConnectionFault(
  error: GrpcError,
  {ended}: Pick<Tunnel, 'ended'>,
): Promise<ConnectionFault | undefined> {
  const {cause} = error;
  const isForeign =
    cause instanceof Http2Error && cause.code === ErrorCode.PROTOCOL_ERROR && cause.stream === undefined;
  if (error.code !== GrpcCode.UNAVAILABLE && !isForeign) return undefined;
  const end = await Promise.race([
    ended,
    new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE, undefined)),
  ]);
  // kubectl's last line says no more than that the program before it failed.
  const said = end?.stderr
    .split('\n')
    .findLast((line) => line.trim() !== '' && !/^command terminated with exit code/.test(line));
  const words = (said ?? end?.failure ?? error.message).trim().replace(/\.$/, '');
  if (words.startsWith('Error from server (Forbidden)')) return {kind: 'forbidden', words};
  if (NO_BUILDCTL.test(words)) return {kind: 'no-buildctl', words};
  if (isForeign) return {kind: 'foreign', words: error.message};
  return {kind: 'lost', words};
}
