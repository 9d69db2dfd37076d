/** Owns serving stores of blobs to BuildKit: containerd's content service, as far as BuildKit calls it in a session. */
import {createHash, type Hash} from 'node:crypto';
import {Content, WriteAction} from '../../wire/containerd/content.ts';
import {type Route, type ServerCall, streaming, unary} from '../../wire/grpc/server.ts';
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';
import {toOutputError} from './outputs.ts';

/** Where blobs are. A digest has the form `sha256:HEX`. */
export interface ContentStore {
  /** In bytes; undefined where there is no such blob. */
  sizeOf(digest: string): Promise<number | undefined>;
  /** `length` bytes from `start`, which the blob has. */
  read(digest: string, start: number, length: number): AsyncIterable<Uint8Array>;
  /** Begins a blob whose digest is not known yet. */
  create(): Promise<PartialBlob>;
}

export interface PartialBlob {
  append(data: Uint8Array): Promise<void>;
  /** It is all there: from now on the store has it. */
  commit(digest: string): Promise<void>;
  discard(): Promise<void>;
}

/** Names the store of a call. */
export const STORE_ID = 'buildkit-attachable-store-id';

/** What is being written, which a later call may go on with. */
interface Ingest {
  readonly ref: string;
  blob: PartialBlob;
  hash: Hash;
  offset: number;
  total: number;
  expected: string;
  /** One call at a time writes. */
  isHeld: boolean;
}

export interface ContentService {
  readonly routes: readonly Route[];
  /** Discards what was not committed. */
  close(): Promise<void>;
}

export function serveContent(stores: ReadonlyMap<string, ContentStore>): ContentService {
  const ingests = new Map<ContentStore, Map<string, Ingest>>();
  const choose = ({metadata}: ServerCall) => {
    const id = metadata.find(([name]) => name === STORE_ID)?.[1] ?? '';
    const store = stores.get(id);
    if (store === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `unknown store ${id}`);
    const refs = ingests.get(store) ?? new Map<string, Ingest>();
    ingests.set(store, refs);
    return {store, refs};
  };
  const find = ({refs}: {readonly refs: ReadonlyMap<string, Ingest>}, ref: string) => {
    const ingest = refs.get(ref);
    if (ingest === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `no write of ${ref}`);
    return ingest;
  };
  return {
    routes: [
      unary(Content.info, async ({digest}, call) => {
        const size = await demand(choose(call).store, digest);
        return {info: {digest, size: BigInt(size), created: NEVER, updated: NEVER}};
      }),
      streaming(Content.read, async function* (requests, call) {
        const {store} = choose(call);
        for await (const request of requests) yield* read(store, request);
      }),
      unary(Content.status, ({ref}, call) => {
        const {offset, total, expected} = find(choose(call), ref);
        const counts = {offset: BigInt(offset), total: BigInt(total)};
        return {status: {ref, expected, ...counts, started: NEVER, updated: NEVER}};
      }),
      streaming(Content.write, (requests, call) => {
        const {store, refs} = choose(call);
        return write(requests, store, refs);
      }),
      unary(Content.abort, async ({ref}, call) => {
        const {refs} = choose(call);
        const ingest = find({refs}, ref);
        if (ingest.isHeld) throw beingWritten(ref);
        await forget(ingest, refs);
        return {};
      }),
    ],
    close: async () => {
      const all = [...ingests.values()].flatMap((refs) => [...refs.values()]);
      for (const refs of ingests.values()) refs.clear();
      await Promise.all(all.map(({blob}) => blob.discard()));
    },
  };
}

/** Clients take no notice of times, and some demand them. */
const NEVER = {seconds: 0n, nanos: 0};

type ReadRequest = {readonly digest: string; readonly offset: bigint; readonly size: bigint};

async function* read(store: ContentStore, {digest, offset, size}: ReadRequest) {
  const whole = await demand(store, digest);
  const start = Math.max(0, Number(offset));
  if (start > whole)
    throw new GrpcError(GrpcCode.OUT_OF_RANGE, `${digest} has ${whole} bytes, and not ${start}`);
  const length = size > 0n ? Math.min(Number(size), whole - start) : whole - start;
  let at = start;
  if (length === 0) return;
  for await (const data of store.read(digest, start, length)) {
    yield {offset: BigInt(at), data};
    at += data.length;
  }
}

interface WriteRequest {
  readonly action: number;
  readonly ref: string;
  readonly total: bigint;
  readonly expected: string;
  readonly offset: bigint;
  readonly data: Uint8Array;
}

async function* write(requests: AsyncIterable<WriteRequest>, store: ContentStore, refs: Map<string, Ingest>) {
  let held: Ingest | undefined;
  try {
    for await (const request of requests) {
      const {action, total, expected, data} = request;
      held ??= await hold(request.ref, store, refs);
      if (total > 0n) held.total = Number(total);
      if (expected !== '') {
        checkDigest(expected);
        held.expected = expected;
      }
      if (held.expected !== '' && (await store.sizeOf(held.expected)) !== undefined) {
        await forget(held, refs);
        throw new GrpcError(GrpcCode.ALREADY_EXISTS, `${held.expected} is there already`);
      }
      if (action !== WriteAction.STAT) {
        await place(held, Number(request.offset), store);
        if (data.length > 0) {
          await held.blob.append(data);
          held.hash.update(data);
          held.offset += data.length;
        }
      }
      const digest = digestOf(held);
      if (action === WriteAction.COMMIT) await commit(held, digest, store, refs);
      const counts = {offset: BigInt(held.offset), total: BigInt(held.total)};
      yield {action, digest, ...counts, started: NEVER, updated: NEVER};
      if (action === WriteAction.COMMIT) return;
    }
  } catch (error) {
    throw toOutputError(error);
  } finally {
    if (held !== undefined) held.isHeld = false;
  }
}

async function hold(ref: string, store: ContentStore, refs: Map<string, Ingest>): Promise<Ingest> {
  if (ref === '') throw new GrpcError(GrpcCode.INVALID_ARGUMENT, 'a write needs a reference');
  const known = refs.get(ref);
  if (known?.isHeld) throw beingWritten(ref);
  if (known !== undefined) {
    known.isHeld = true;
    return known;
  }
  const fresh = {ref, hash: createHash('sha256'), offset: 0, total: 0, expected: '', isHeld: true};
  // Another call of the same reference comes too late from now on, even while the file is created.
  const ingest: Ingest = {...fresh, blob: NOTHING};
  refs.set(ref, ingest);
  try {
    ingest.blob = await store.create();
  } catch (error) {
    refs.delete(ref);
    throw error;
  }
  if (refs.get(ref) === ingest) return ingest;
  await ingest.blob.discard();
  throw new GrpcError(GrpcCode.UNAVAILABLE, 'the session has ended');
}

function beingWritten(ref: string): GrpcError {
  return new GrpcError(GrpcCode.UNAVAILABLE, `${ref} is being written`);
}

const NOTHING: PartialBlob = {
  append: async () => undefined,
  commit: async () => undefined,
  discard: async () => undefined,
};

/** What is written goes on where it is, or begins again. */
async function place(ingest: Ingest, offset: number, store: ContentStore): Promise<void> {
  if (offset === ingest.offset) return;
  if (offset !== 0) {
    throw new GrpcError(GrpcCode.OUT_OF_RANGE, `${ingest.ref} goes on at ${ingest.offset}, not at ${offset}`);
  }
  await ingest.blob.discard();
  ingest.blob = await store.create();
  ingest.hash = createHash('sha256');
  ingest.offset = 0;
}

async function commit(
  ingest: Ingest,
  digest: string,
  store: ContentStore,
  refs: Map<string, Ingest>,
): Promise<void> {
  const {offset, total, expected, blob} = ingest;
  if ((total > 0 && offset !== total) || (expected !== '' && digest !== expected)) {
    await forget(ingest, refs);
    throw new GrpcError(
      GrpcCode.FAILED_PRECONDITION,
      `${offset} bytes of ${digest} came, not ${total} of ${expected}`,
    );
  }
  if ((await store.sizeOf(digest)) !== undefined) {
    await forget(ingest, refs);
    throw new GrpcError(GrpcCode.ALREADY_EXISTS, `${digest} is there already`);
  }
  refs.delete(ingest.ref);
  await blob.commit(digest);
}

async function forget({ref, blob}: Ingest, refs: Map<string, Ingest>): Promise<void> {
  refs.delete(ref);
  await blob.discard();
}

function digestOf({hash}: Ingest): string {
  return `sha256:${hash.copy().digest('hex')}`;
}

/** Part of a path, so nothing else passes. */
function checkDigest(digest: string): void {
  if (!/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new GrpcError(GrpcCode.INVALID_ARGUMENT, `no digest: ${JSON.stringify(digest)}`);
}

async function demand(store: ContentStore, digest: string): Promise<number> {
  checkDigest(digest);
  const size = await store.sizeOf(digest);
  if (size === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `no blob ${digest}`);
  return size;
}
