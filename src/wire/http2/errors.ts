/** Owns the error codes of HTTP/2, and what ends a stream or a connection. */

/** RFC 9113, section 7. */
export const ErrorCode = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const;

export class Http2Error extends Error {
  override readonly name = 'Http2Error';
  /** As it goes over the wire; undefined where the connection below has ended. */
  readonly code: number | undefined;
  /** The stream that alone is at fault; undefined: the whole connection. */
  readonly stream: number | undefined;

  constructor(message: string, code?: number, details: {stream?: number; cause?: unknown} = {}) {
    super(message, details.cause === undefined ? undefined : {cause: details.cause});
    this.code = code;
    this.stream = details.stream;
  }
}

/** How a code is called in a message; a peer can send any. */
export function nameCode(code: number): string {
  return Object.entries(ErrorCode).find(([, known]) => known === code)?.[0] ?? `code ${code}`;
}

/** The peer does what the protocol forbids. */
export function violation(what: string): Http2Error {
  return new Http2Error(what, ErrorCode.PROTOCOL_ERROR);
}
