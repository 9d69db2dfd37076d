/** Owns how a gRPC call ends: its status, where it stands in the trailers, and the error that comes of it. */
import {ErrorCode, Http2Error, violation} from '../http2/errors.ts';
import type {Header} from '../http2/hpack-tables.ts';
import {bytes, field, int32, type MessageOf, message, repeated, string} from '../protobuf/message.ts';

/** The codes of gRPC, as far as anything here makes or looks at them. */
export const GrpcCode = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

const Any = message({typeUrl: field(1, string), value: field(2, bytes)});
export type Any = MessageOf<typeof Any>;
const Status = message({code: field(1, int32), message: field(2, string), details: repeated(3, Any)});

export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  readonly details: readonly Any[];

  constructor(code: number, message: string, more: {details?: readonly Any[]; cause?: unknown} = {}) {
    super(message, more.cause === undefined ? undefined : {cause: more.cause});
    this.code = code;
    this.details = more.details ?? [];
  }
}

/** The error that trailers tell of, or undefined for a call that went well. */
export function readStatus(trailers: readonly Header[]): GrpcError | undefined {
  const status = headerValue(trailers, 'grpc-status');
  if (status === undefined || !/^\d{1,9}$/.test(status)) {
    return new GrpcError(GrpcCode.UNKNOWN, 'the server ended the call without a status');
  }
  const code = Number(status);
  if (code === GrpcCode.OK) return undefined;
  const text = decodeMessage(headerValue(trailers, 'grpc-message') ?? '');
  return new GrpcError(code, text, {details: readDetails(headerValue(trailers, 'grpc-status-details-bin'))});
}

/** What is wrong with a response that is not one of gRPC: a proxy's, perhaps. */
export function checkResponse(headers: readonly Header[]): void {
  const status = headerValue(headers, ':status');
  const type = headerValue(headers, 'content-type') ?? '';
  if (status === '200' && type.startsWith('application/grpc')) return;
  const message = `the server answered with HTTP ${status ?? 'and no status'}, ${type || 'no content type'}`;
  const code = CODE_OF_STATUS.get(status ?? '') ?? GrpcCode.UNKNOWN;
  throw new GrpcError(code, message, {cause: violation(message)});
}

const CODE_OF_STATUS = new Map<string, number>([
  ['400', GrpcCode.INTERNAL],
  ['401', GrpcCode.UNAUTHENTICATED],
  ['403', GrpcCode.PERMISSION_DENIED],
  ['404', GrpcCode.UNIMPLEMENTED],
  ...['429', '502', '503', '504'].map((status): [string, number] => [status, GrpcCode.UNAVAILABLE]),
]);

const CODE_OF_RESET = new Map<number | undefined, number>([
  // What was below has ended.
  [undefined, GrpcCode.UNAVAILABLE],
  [ErrorCode.REFUSED_STREAM, GrpcCode.UNAVAILABLE],
  [ErrorCode.CANCEL, GrpcCode.CANCELLED],
  [ErrorCode.ENHANCE_YOUR_CALM, GrpcCode.RESOURCE_EXHAUSTED],
]);

/** Whatever ended a call, as an error of gRPC. */
export function toGrpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Http2Error ? CODE_OF_RESET.get(error.code) : GrpcCode.UNKNOWN;
  return new GrpcError(code ?? GrpcCode.INTERNAL, message, {cause: error});
}

/** Whether a call ended with this code. */
export function hasCode(error: unknown, code: number): boolean {
  return error instanceof GrpcError && error.code === code;
}

/** The trailers of a call that ended so. */
export function writeStatus(error: GrpcError | undefined): readonly Header[] {
  if (error === undefined) return [['grpc-status', '0']];
  const {code, message, details} = error;
  const status: Header[] = [
    ['grpc-status', String(code)],
    ['grpc-message', encodeMessage(message)],
  ];
  if (details.length === 0) return status;
  const encoded = Buffer.from(Status.encode({code, message, details})).toString('base64');
  return [...status, ['grpc-status-details-bin', encoded.replace(/=+$/, '')]];
}

export function headerValue(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([other]) => other === name)?.[1];
}

/** Percent-encoded UTF-8; what is not is left as it is. */
function decodeMessage(text: string): string {
  const raw = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(raw, 'latin1').toString('utf8');
}

function encodeMessage(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^\x20-\x24\x26-\x7e]/g, (letter) => {
      return `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
    });
}

/** Details that cannot be read are none: the error is there without them. */
function readDetails(encoded: string | undefined): readonly Any[] {
  if (encoded === undefined) return [];
  try {
    return Status.decode(Buffer.from(encoded, 'base64')).details;
  } catch {
    return [];
  }
}
