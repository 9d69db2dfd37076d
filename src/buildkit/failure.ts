/** Owns what BuildKit says about a failed solve besides its message: error details, which it writes as JSON. */
import type {GrpcError} from '../wire/grpc/status.ts';

/** A file and the lines in question, counted from 1. */
export interface SourceLines {
  readonly filename: string;
  readonly text: string;
  readonly ranges: readonly {readonly first: number; readonly last: number}[];
}

export interface SolveFailure {
  /** The lines of the Dockerfile that the error is about; the innermost come first. */
  readonly sources: readonly SourceLines[];
  /** Whether the frontend does not know what it was asked for. */
  readonly isUnsupported: boolean;
}

/** What the Go structs behind these details look like; `omitempty` leaves out whatever is zero. */
export interface SourceDetail {
  readonly info?: {readonly filename?: string; readonly data?: string};
  readonly ranges?: readonly {
    readonly start?: {readonly line?: number};
    readonly end?: {readonly line?: number};
  }[];
}

/** An older daemon sends no details; one that cannot be read counts as absent, since the message stands without it. */
export function readFailure({details}: Pick<GrpcError, 'details'>): SolveFailure {
  const find = <T>(type: string): readonly T[] =>
    details
      .filter(({typeUrl}) => typeUrl.endsWith(`/${type}+json`))
      .flatMap(({value}) => parse(Buffer.from(value).toString()) as T[]);
  return {
    sources: find<SourceDetail>('errdefs.Source').map(readSource),
    isUnsupported: ['errdefs.Subrequest', 'errdefs.FrontendCap'].some((type) => find(type).length > 0),
  };
}

function parse(text: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? [value] : [];
  } catch {
    return [];
  }
}

export function readSource({info, ranges}: SourceDetail): SourceLines {
  return {
    filename: info?.filename ?? '',
    text: Buffer.from(info?.data ?? '', 'base64').toString(),
    ranges: (ranges ?? []).map(({start, end}) => {
      const first = start?.line ?? 0;
      return {first, last: Math.max(end?.line ?? 0, first)};
    }),
  };
}
