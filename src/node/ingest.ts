/** Owns writing one blob into a node's content: where an earlier attempt ended, and once for all who write it at a time. */
import {Content, WriteAction} from '../wire/containerd/content.ts';
import type {Call} from '../wire/grpc/client.ts';
import {GrpcCode, GrpcError, hasCode} from '../wire/grpc/status.ts';
import {isLocked, noProgress, within} from './copy-faults.ts';
import type {CopyNode} from './copy-outcome.ts';

/** Where blobs go, and how. */
export interface Destination {
  readonly node: CopyNode;
  /** It keeps what is written. */
  readonly lease: string;
  readonly signal: AbortSignal | undefined;
  /** In milliseconds, without any progress. */
  readonly patience: number;
}

export interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly labels: ReadonlyMap<string, string>;
}

/** How often another's writing is looked at, in milliseconds. */
const INTERVAL = 100;
/** In bytes a second. */
const SLOWEST_DISK = 4 * 1024 * 1024;

/** How long keeping or unpacking a blob may take, of which nothing is heard before its end. */
export function allowForDisk(size: number, patience: number): number {
  return patience + Math.ceil((size / SLOWEST_DISK) * 1000);
}

/** In bytes; containerd takes 16 MiB. */
const LONGEST_PIECE = 1024 * 1024;

type WriteCall = Call<Parameters<typeof Content.write.request.encode>[0], WriteAnswer>;
type WriteAnswer = ReturnType<typeof Content.write.response.decode>;

/** Every method throws `GrpcError`. */
export class Ingest {
  readonly #blob: Blob;
  readonly #call: WriteCall;
  readonly #to: Destination;
  /** Rejects with what the node said. */
  readonly #ended: Promise<void>;
  #failure: {readonly error: unknown} | undefined;
  #offset: number;

  /** The answers are those behind the first one, which tells the offset. */
  constructor(
    blob: Blob,
    call: WriteCall,
    answers: AsyncIterator<WriteAnswer>,
    offset: number,
    to: Destination,
  ) {
    this.#blob = blob;
    this.#call = call;
    this.#to = to;
    this.#offset = offset;
    this.#ended = drain(answers);
    this.#ended.catch((error) => {
      this.#failure = {error};
    });
  }

  /** How much of the blob is there. */
  get offset(): number {
    return this.#offset;
  }

  /** Resolves when the node takes more. */
  async write(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length; at += LONGEST_PIECE) {
      const piece = data.subarray(at, at + LONGEST_PIECE);
      await this.#send({action: WriteAction.WRITE, ...this.#place(), data: piece});
      this.#offset += piece.length;
    }
  }

  /** All of it is there. */
  async commit(): Promise<void> {
    const {digest: expected, size, labels} = this.#blob;
    await this.#send({
      action: WriteAction.COMMIT,
      ...this.#place(),
      total: BigInt(size),
      expected,
      labels,
    });
    this.#call.end();
    await within(this.#ended, allowForDisk(size, this.#to.patience), this.#to.node);
  }

  cancel(): void {
    this.#call.cancel();
  }

  /** containerd cuts off what is there if an offset is missing. */
  #place() {
    return {ref: refOf(this.#blob), offset: BigInt(this.#offset)};
  }

  async #send(request: Parameters<WriteCall['send']>[0]): Promise<void> {
    this.#check();
    try {
      await within(this.#call.send(request), this.#to.patience, this.#to.node);
    } catch (error) {
      this.#check();
      throw error;
    }
  }

  /** A node that does not take more has said why. */
  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Undefined if the node has the blob, which the lease keeps from now on. Throws `GrpcError`. */
export async function openIngest(blob: Blob, to: Destination): Promise<Ingest | undefined> {
  const {node, lease, signal, patience} = to;
  const {digest: expected, size} = blob;
  for (let waited = START; ; ) {
    const call = node.images.containerd.open(Content.write, {lease, signal});
    const answers = call[Symbol.asyncIterator]();
    const first = answers.next();
    // What keeps it from being sent is met where the answer is read.
    call
      .send({action: WriteAction.STAT, ref: refOf(blob), total: BigInt(size), expected})
      .catch(() => undefined);
    try {
      const {value, done} = await within(first, patience, node);
      if (done) throw new GrpcError(GrpcCode.INTERNAL, 'the node ended the call without an answer');
      return new Ingest(blob, call, answers, Number(value.offset), to);
    } catch (error) {
      call.cancel();
      first.catch(() => undefined);
      if (hasCode(error, GrpcCode.ALREADY_EXISTS)) return undefined;
      if (!isLocked(error)) throw error;
    }
    waited = await waitForOther(blob, to, waited);
  }
}

/** What is known of another's writing: how far it was, and since when. */
interface Waited {
  readonly offset: bigint;
  readonly since: number;
}

const START: Waited = {offset: -1n, since: 0};

/** Throws if the other one does not go on. */
async function waitForOther(
  blob: Blob,
  {node, signal, patience}: Destination,
  before: Waited,
): Promise<Waited> {
  const {containerd} = node.images;
  await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  const ref = refOf(blob);
  const {status} = await containerd.call(Content.status, {ref}, {signal, patience}).catch((error) => {
    // It has just ended.
    if (hasCode(error, GrpcCode.NOT_FOUND)) return {status: undefined};
    throw error;
  });
  const now = performance.now();
  if (status?.offset !== before.offset) return {offset: status?.offset ?? -1n, since: now};
  // It may have written all, and wait for the disk.
  const limit = allowForDisk(blob.size, patience);
  if (now - before.since >= limit) throw noProgress(limit);
  return before;
}

/** Forgets what is there of a blob that is not whole. A node that cannot be asked forgets it in time. */
export async function abortIngest(blob: Blob, {node, patience}: Destination): Promise<void> {
  await node.images.containerd.call(Content.abort, {ref: refOf(blob)}, {patience}).catch(() => undefined);
}

/** The same for every copy, so that one goes on where another ended. */
function refOf({digest}: Blob): string {
  return `kubectl-tiltbuild-${digest}`;
}

async function drain(answers: AsyncIterator<unknown>): Promise<void> {
  while (true) {
    const {done} = await answers.next();
    if (done) return;
  }
}
