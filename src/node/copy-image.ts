/** Owns bringing an image from one node to others, each of which may fail on its own. */
import {toCopyError} from './copy-faults.ts';
import {CopyError, type CopyImage, type CopyNode, type CopyOutcome} from './copy-outcome.ts';
import {CopySource} from './copy-source.ts';
import {NodeCopy} from './node-copy.ts';

/** In milliseconds. */
const PATIENCE = 30_000;
/** containerd's own default. */
const SNAPSHOTTER = 'overlayfs';
export const copyImage: CopyImage = async (from, to, image, options = {}) => {
  const {
    signal,
    patience = PATIENCE,
    snapshotter = SNAPSHOTTER,
    onPlanned = () => undefined,
    onSent = () => undefined,
    wallClock = Date.now,
  } = options;
  const source = new CopySource(from, image.target.digest, {signal, patience});
  const copies: NodeCopy[] = [];
  const copyTo = async (node: CopyNode): Promise<CopyOutcome> => {
    const told = {
      onPlanned: (bytes: number) => onPlanned(node.name, bytes),
      onSent: (bytes: number) => onSent(node.name, bytes),
    };
    const copy = new NodeCopy({node, signal, patience}, source, image, {snapshotter, wallClock, ...told});
    copies.push(copy);
    try {
      return await copy.run();
    } catch (error) {
      const failure = toCopyError(error, node);
      if (failure instanceof CopyError) return {kind: 'failed', error: failure};
      throw failure;
    }
  };
  try {
    const outcomes = await Promise.allSettled(to.map(copyTo));
    signal?.throwIfAborted();
    return outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
  } finally {
    await Promise.all([source, ...copies].map((one) => one.release()));
  }
};
