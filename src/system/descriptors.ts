/**
 * Owns the numbered descriptors of this process: what they are, and a result's way to one. The streams above them
 * take 8 ms to make, which a build that says nothing but its digest need not spend.
 */
import {fstatSync, writeSync} from 'node:fs';

const STDOUT = 1;
export const STDERR = 2;

/** Whether it is a terminal. A descriptor that is closed is none. */
export async function isTerminal(descriptor: number): Promise<boolean> {
  // `node:tty` takes 3 ms to load. What these are shows without it; Windows may not know what a console is.
  if (isPipeOrFile(descriptor)) return false;
  const {isatty} = await import('node:tty');
  return isatty(descriptor);
}

/** Writes as much as is taken at once, and gives the rest. Throws the system's error. */
export type WriteNow = (bytes: Uint8Array) => Uint8Array;

/** To standard output, without its stream. A Windows console takes no UTF-8, for which the stream knows a way. */
export function writeToStdout(platform: NodeJS.Platform): WriteNow {
  return platform === 'win32' ? (bytes) => bytes : (bytes) => writeNow(STDOUT, bytes);
}

function writeNow(descriptor: number, bytes: Uint8Array): Uint8Array {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      // The reader is slow, and the descriptor does not wait for it.
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return rest;
      throw error;
    }
  }
  return rest;
}

function isPipeOrFile(descriptor: number): boolean {
  try {
    const stats = fstatSync(descriptor);
    return stats.isFIFO() || stats.isFile() || stats.isSocket();
  } catch {
    return false;
  }
}
