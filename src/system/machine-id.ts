/** Owns an id of this machine and user. A random one is kept in the user's cache directory. */
import {join} from 'node:path';
import type {Files} from '../ports.ts';

/** `cache` is the user's directory for caches; empty if unknown. Without a place to keep it, the id is the host's name. */
export async function readMachineId(
  cache: string,
  host: string,
  files: Pick<Files, 'readText' | 'makeDirectory' | 'replace' | 'findSquatter'>,
): Promise<string> {
  const directory = join(cache, 'kubectl-tiltbuild');
  const path = join(directory, 'machine-id');
  if (cache === '' || files.findSquatter(directory) !== undefined) return host;
  const kept = (await files.readText(path).catch(() => undefined))?.trim();
  if (kept) return kept;
  const id = crypto.randomUUID();
  try {
    await files.makeDirectory(directory);
    await files.replace(path, `${id}\n`);
    return id;
  } catch {
    return host;
  }
}
