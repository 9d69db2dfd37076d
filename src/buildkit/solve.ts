/** Owns one solve: a build that BuildKit is asked for, its progress, and what came of it. */
import {callUnary, callWithOne} from '../wire/grpc/client.ts';
import type {Http2Connection} from '../wire/http2/connection.ts';
import {Control, type StatusResponse} from './control.ts';

export interface CacheEntry {
  readonly type: string;
  readonly attributes: ReadonlyMap<string, string>;
}

export interface Solve {
  /** 25 characters of base 36. */
  readonly ref: string;
  /** Id of the session that serves it. */
  readonly session: string;
  /** The image of a frontend; undefined for BuildKit's own, `dockerfile.v0`. */
  readonly frontend?: string;
  /** Whether the frontend is asked over the gateway meanwhile, and what that returns is the result. */
  readonly isForwarded?: true;
  readonly attributes: ReadonlyMap<string, string>;
  readonly exporters: readonly {readonly type: string; readonly attributes: ReadonlyMap<string, string>}[];
  readonly cacheExports: readonly CacheEntry[];
  readonly cacheImports: readonly CacheEntry[];
  readonly entitlements: readonly string[];
}

export interface SolveWatch {
  readonly onStatus: (status: StatusResponse) => void;
  /** Aborted, it cancels the build in the cluster. */
  readonly signal: AbortSignal;
}

/** How long the rest of the progress may take once there is an answer, in milliseconds, as buildctl has it. */
const PATIENCE = 3000;

/**
 * Gives what the exporter answered, e.g. `containerimage.digest`. All of the progress has been seen by then, after a
 * failure too, unless it takes too long. Throws `GrpcError`.
 */
export async function solve(
  connection: Http2Connection,
  build: Solve,
  {onStatus, signal}: SolveWatch,
): Promise<ReadonlyMap<string, string>> {
  const {ref, session, exporters, cacheExports, entitlements} = build;
  const patience = new AbortController();
  const watching = watch(connection, ref, {
    onStatus,
    signal: AbortSignal.any([signal, patience.signal]),
  });
  const {frontend, attributes} = writeFrontend(build);
  const request = {
    ref,
    session,
    frontend: build.isForwarded ? '' : frontend,
    frontendAttributes: attributes,
    exporterType: exporters[0]?.type ?? '',
    exporterAttributes: exporters[0]?.attributes ?? new Map(),
    exporters,
    cache: {exports: cacheExports},
    entitlements,
  };
  try {
    const {exporterResponse} = await callUnary(connection, Control.solve, request, {signal});
    return exporterResponse;
  } finally {
    // BuildKit 0.32 keeps the progress of a build open that it refused before it began, e.g. for an entitlement.
    const timer = setTimeout(() => patience.abort(), PATIENCE);
    await watching;
    clearTimeout(timer);
  }
}

/** The frontend as BuildKit names it, and its attributes with the caches among them. */
export function writeFrontend({frontend, attributes, cacheImports}: Solve): {
  readonly frontend: string;
  readonly attributes: ReadonlyMap<string, string>;
} {
  const imports = cacheImports.map(({type, attributes}) => ({
    Type: type,
    Attrs: Object.fromEntries(attributes),
  }));
  return {
    frontend: frontend === undefined ? 'dockerfile.v0' : 'gateway.v0',
    attributes: new Map([
      ...(frontend === undefined ? [] : [['source', frontend] as const]),
      ...attributes,
      ...(imports.length > 0 ? [['cache-imports', JSON.stringify(imports)] as const] : []),
    ]),
  };
}

/** It ends by itself after the solve. That it fails says nothing about the build. */
async function watch(
  connection: Http2Connection,
  ref: string,
  {onStatus, signal}: SolveWatch,
): Promise<void> {
  try {
    for await (const status of callWithOne(connection, Control.status, {ref}, {signal})) onStatus(status);
  } catch {
    return;
  }
}
