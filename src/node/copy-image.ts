/** Owns bringing an image from one node to others, for which it is read there once. */
import {toCopyError} from './copy-faults.ts';
import {CopyError, type OpenCopy} from './copy-outcome.ts';
import {CopySource} from './copy-source.ts';
import {NodeCopy} from './node-copy.ts';

/** In milliseconds. */
const PATIENCE = 30_000;
/** containerd's own default. */
const SNAPSHOTTER = 'overlayfs';

export const openCopy: OpenCopy = (from, image, options = {}) => {
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
  return {
    to: async (node) => {
      const told = {
        onPlanned: (bytes: number) => onPlanned(node.name, bytes),
        onSent: (bytes: number) => onSent(node.name, bytes),
      };
      const copy = new NodeCopy({node, signal, patience}, source, image, {snapshotter, wallClock, ...told});
      copies.push(copy);
      try {
        return await copy.run();
      } catch (error) {
        signal?.throwIfAborted();
        const failure = toCopyError(error, node);
        if (failure instanceof CopyError) return {kind: 'failed', error: failure};
        throw failure;
      }
    },
    close: async () => void (await Promise.all([source, ...copies].map((one) => one.release()))),
  };
};
