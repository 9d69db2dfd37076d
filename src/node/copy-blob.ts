/** Owns bringing one blob from a node to another, without ever having it whole in memory. */
import {Content} from '../wire/containerd/content.ts';
import {GrpcCode, hasCode} from '../wire/grpc/status.ts';
import {toCopyError, within} from './copy-faults.ts';
import {CopyError, type CopyNode} from './copy-outcome.ts';
import {abortIngest, type Blob, type Destination, type Ingest, openIngest} from './ingest.ts';

/** Gives the pieces of a blob from an offset on. */
export type ReadBlob = (blob: Blob, offset: number) => AsyncIterable<Uint8Array>;

/** What was there may be of a copy that was cut off, or another one may have brought the blob in the meantime. */
const MOST_ATTEMPTS = 3;

/** Gives how many bytes were sent: none if the node has it. Throws `CopyError`. */
export async function copyBlob(
  blob: Blob,
  read: ReadBlob,
  to: Destination,
  onSent: (bytes: number) => void = () => undefined,
): Promise<number> {
  let sent = 0;
  const pass = async (ingest: Ingest) => {
    if (ingest.offset < blob.size) {
      for await (const data of read(blob, ingest.offset)) {
        await atTarget(ingest.write(data));
        sent += data.length;
        onSent(data.length);
      }
    }
    await atTarget(ingest.commit());
  };
  const atTarget = async <T>(step: Promise<T>): Promise<T> => {
    try {
      return await step;
    } catch (error) {
      throw toCopyError(error, to.node, blob.digest);
    }
  };
  for (let attempt = 1; ; attempt++) {
    const ingest = await atTarget(openIngest(blob, to));
    if (ingest === undefined) return sent;
    const {offset} = ingest;
    try {
      await pass(ingest);
      return sent;
    } catch (error) {
      ingest.cancel();
      if (!(error instanceof CopyError)) throw error;
      if (error.fault === 'spoilt' || error.fault === 'full') await abortIngest(blob, to);
      const isThere = hasCode(error.cause, GrpcCode.ALREADY_EXISTS);
      const wasSpoilt = error.fault === 'spoilt' && offset > 0;
      if (attempt === MOST_ATTEMPTS || !(isThere || wasSpoilt)) throw error;
    }
  }
}

/** Content that is read, as the blob says how long it is. Throws `CopyError`. */
export function readFrom(node: CopyNode, {signal, patience}: Omit<Destination, 'node' | 'lease'>): ReadBlob {
  return async function* (blob, offset) {
    const {digest, size} = blob;
    const request = {digest, offset: BigInt(offset)};
    const call = node.images.containerd.stream(Content.read, request, {
      signal,
      patience: Number.POSITIVE_INFINITY,
    });
    const answers = call[Symbol.asyncIterator]();
    let at = offset;
    try {
      while (true) {
        const {value, done} = await within(answers.next(), patience, node);
        if (done) break;
        at += value.data.length;
        // What is not as long as it should be, the target does not take.
        if (value.data.length === 0 || at > size) break;
        yield value.data;
      }
    } catch (error) {
      throw toCopyError(error, node, digest);
    } finally {
      call.cancel();
    }
  };
}
