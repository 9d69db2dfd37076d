/** Owns the blobs of an OCI layout on the disk: each in a file called by its digest, under that name once it is whole. */
import {createReadStream} from 'node:fs';
import {mkdir, open, rename, rm, stat} from 'node:fs/promises';
import {join} from 'node:path';
import type {ContentStore} from '../buildkit/session/content.ts';

const CHUNK = 256 * 1024;

/** Directories are created once something is written. */
export function openBlobs(root: string): ContentStore {
  const blobs = join(root, 'blobs', 'sha256');
  // As containerd has it, beside the blobs, so that a file can be renamed.
  const ingest = join(root, 'ingest');
  const pathOf = (digest: string) => join(blobs, digest.slice('sha256:'.length));
  return {
    sizeOf: async (digest) => {
      const found = await stat(pathOf(digest)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
        throw error;
      });
      return found?.isFile() ? found.size : undefined;
    },
    read: (digest, start, length) =>
      createReadStream(pathOf(digest), {start, end: start + length - 1, highWaterMark: CHUNK}),
    create: async () => {
      await mkdir(ingest, {recursive: true});
      const partial = join(ingest, crypto.randomUUID());
      const file = await open(partial, 'wx', 0o644);
      return {
        append: async (data) => {
          for (let at = 0; at < data.length; ) at += (await file.write(data, at)).bytesWritten;
        },
        commit: async (digest) => {
          await file.close();
          await mkdir(blobs, {recursive: true});
          await rename(partial, pathOf(digest));
        },
        discard: async () => {
          await file.close();
          await rm(partial, {force: true});
        },
      };
    },
  };
}
