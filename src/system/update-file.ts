/** Owns changing a file that several processes change at once: one after the other, each on what the one before wrote. */
import {closeSync, openSync, renameSync, rmSync, statSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';

/** A change takes milliseconds: a lock of this age was left by a process that was killed. */
const OLD_MS = 10_000;
const WAIT_MS = 20;

/** `change` runs while no other process changes the file at `path`. Throws the system's error. */
export async function whileLocked<T>(path: string, change: () => Promise<T>): Promise<T> {
  // BuildKit's client/ociindex locks an index with flock, which the runtime cannot, in a file of this name.
  const lock = `${path}.lock`;
  while (!takeLock(lock)) {
    removeOld(lock);
    await sleep(WAIT_MS);
  }
  try {
    return await change();
  } finally {
    rmSync(lock, {force: true});
  }
}

function takeLock(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function removeOld(lock: string): void {
  try {
    if (Date.now() - statSync(lock).mtimeMs < OLD_MS) return;
    // Only one of those that wait for it moves it away.
    const old = `${lock}.${crypto.randomUUID()}`;
    renameSync(lock, old);
    rmSync(old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
