/** Owns what a stand-in of containerd stores but for images: content, leases and snapshots, with garbage collection. */
import {createHash} from 'node:crypto';
import type {ServerHttp2Stream} from 'node:http2';
import {Diff, Leases, Snapshots} from '../../src/node/containerd.ts';
import {Content, WriteAction} from '../../src/wire/containerd/content.ts';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {end, frame, readFrames, readOne, respond} from './buildkit-stand-in-calls.ts';

interface StoredBlob {
  readonly data: Buffer;
  readonly labels: ReadonlyMap<string, string>;
}

interface StoredIngest {
  data: Buffer;
  isHeld: boolean;
}

interface StoredLease {
  readonly labels: ReadonlyMap<string, string>;
  readonly resources: Set<string>;
}

export class ContainerdStore {
  readonly blobs = new Map<string, StoredBlob>();
  /** What was written of blobs that are not whole. */
  readonly ingests = new Map<string, StoredIngest>();
  readonly leases = new Map<string, StoredLease>();
  /** The parents of those that are committed. */
  readonly snapshots = new Map<string, string>();
  readonly #active = new Map<string, string>();
  /** How long a piece of what is read is. */
  piece = 1_000;
  /** Called before a piece is read or written, which fails if this throws and stops while it waits. */
  onRead: (digest: string, offset: number) => unknown = () => undefined;
  onWrite: (ref: string, offset: number) => unknown = () => undefined;
  /** The bytes that were written, by digest. */
  readonly written = new Map<string, number>();

  add(data: string | Uint8Array, labels: Readonly<Record<string, string>> = {}): string {
    const digest = digestOf(data);
    this.blobs.set(digest, {data: Buffer.from(data), labels: new Map(Object.entries(labels))});
    return digest;
  }

  /** Removes what neither these targets of images nor a lease lead to. */
  collect(targets: readonly string[]): void {
    const kept = new Set<string>();
    const keep = (digest: string) => {
      if (kept.has(digest)) return;
      kept.add(digest);
      for (const [label, value] of this.blobs.get(digest)?.labels ?? [])
        if (label.startsWith('containerd.io/gc.ref.content.')) keep(value);
    };
    for (const digest of [...targets, ...[...this.leases.values()].flatMap(({resources}) => [...resources])])
      keep(digest);
    for (const digest of this.blobs.keys()) if (!kept.has(digest)) this.blobs.delete(digest);
  }

  /** False if the method is of another service. */
  async answer(stream: ServerHttp2Stream, path: string, lease: string): Promise<boolean> {
    const send = (bytes: Uint8Array) => {
      respond(stream);
      stream.write(frame(bytes));
    };
    const once = (bytes: Uint8Array) => {
      send(bytes);
      end(stream);
      return true;
    };
    switch (path) {
      case Content.info.path: {
        const {digest} = await readOne(stream, Content.info.request);
        const {data, labels} = this.#find(digest);
        return once(Content.info.response.encode({info: {digest, size: BigInt(data.length), labels}}));
      }
      case Content.update.path: {
        const {info, mask} = await readOne(stream, Content.update.request);
        const {data, labels} = this.#find(info?.digest ?? '');
        const named = [...(info?.labels ?? [])].filter(([label]) => mask?.paths.includes(`labels.${label}`));
        this.blobs.set(info?.digest ?? '', {data, labels: new Map([...labels, ...named])});
        return once(Content.update.response.encode({info}));
      }
      case Content.read.path: {
        const {digest, offset} = await readOne(stream, Content.read.request);
        for (let at = Number(offset); at < this.#find(digest).data.length; at += this.piece) {
          await this.onRead(digest, at);
          const {data} = this.#find(digest);
          send(Content.read.response.encode({data: data.subarray(at, at + this.piece)}));
        }
        end(stream);
        return true;
      }
      case Content.write.path:
        for await (const answer of this.#write(stream, lease)) send(Content.write.response.encode(answer));
        end(stream);
        return true;
      case Content.status.path: {
        const {ref} = await readOne(stream, Content.status.request);
        const ingest = this.ingests.get(ref);
        if (ingest === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `reference ${ref}: not found`);
        const status = {ref, offset: BigInt(ingest.data.length)};
        return once(Content.status.response.encode({status}));
      }
      case Content.abort.path: {
        const {ref} = await readOne(stream, Content.abort.request);
        this.ingests.delete(ref);
        return once(Content.abort.response.encode({}));
      }
      case Leases.create.path: {
        const {id, labels} = await readOne(stream, Leases.create.request);
        this.leases.set(id, {labels, resources: new Set()});
        return once(Leases.create.response.encode({lease: {id}}));
      }
      case Leases.addResource.path: {
        const {id, resource} = await readOne(stream, Leases.addResource.request);
        this.#lease(id)?.resources.add(resource?.id ?? '');
        return once(Leases.addResource.response.encode({}));
      }
      case Leases.delete.path: {
        const {id} = await readOne(stream, Leases.delete.request);
        this.leases.delete(id);
        return once(Leases.delete.response.encode({}));
      }
      case Snapshots.stat.path: {
        const {key} = await readOne(stream, Snapshots.stat.request);
        if (!this.snapshots.has(key)) throw new GrpcError(GrpcCode.NOT_FOUND, `snapshot ${key}: not found`);
        return once(Snapshots.stat.response.encode({info: {name: key}}));
      }
      case Snapshots.prepare.path: {
        const {key, parent} = await readOne(stream, Snapshots.prepare.request);
        if (parent !== '' && !this.snapshots.has(parent))
          throw new GrpcError(GrpcCode.NOT_FOUND, `parent snapshot ${parent}: not found`);
        this.#active.set(key, parent);
        return once(Snapshots.prepare.response.encode({mounts: [{type: 'bind', source: key}]}));
      }
      case Snapshots.commit.path: {
        const {key, name} = await readOne(stream, Snapshots.commit.request);
        if (this.snapshots.has(name))
          throw new GrpcError(GrpcCode.ALREADY_EXISTS, `snapshot ${name}: already exists`);
        this.snapshots.set(name, this.#active.get(key) ?? '');
        this.#active.delete(key);
        return once(Snapshots.commit.response.encode({}));
      }
      case Snapshots.remove.path: {
        const {key} = await readOne(stream, Snapshots.remove.request);
        this.#active.delete(key);
        return once(Snapshots.remove.response.encode({}));
      }
      case Diff.apply.path: {
        const {layer} = await readOne(stream, Diff.apply.request);
        const {data} = this.#find(layer?.digest ?? '');
        // What it is without compression.
        const applied = {digest: digestOf(data), size: BigInt(data.length)};
        return once(Diff.apply.response.encode({applied}));
      }
      default:
        return false;
    }
  }

  async *#write(stream: ServerHttp2Stream, lease: string) {
    let ingest: StoredIngest | undefined;
    try {
      for await (const bytes of readFrames(stream)) {
        const {action, ref, total, expected, offset, data, labels} = Content.write.request.decode(bytes);
        if (expected !== '' && this.blobs.has(expected)) {
          this.#lease(lease)?.resources.add(expected);
          this.ingests.delete(ref);
          throw new GrpcError(GrpcCode.ALREADY_EXISTS, `content ${expected}: already exists`);
        }
        ingest ??= this.#hold(ref);
        if (action !== WriteAction.STAT) {
          await this.onWrite(ref, Number(offset));
          if (stream.destroyed) return;
          if (offset === 0n) ingest.data = Buffer.alloc(0);
          if (Number(offset) !== ingest.data.length)
            throw new GrpcError(
              GrpcCode.OUT_OF_RANGE,
              `${ref} is at ${ingest.data.length}, not at ${offset}`,
            );
          ingest.data = Buffer.concat([ingest.data, data]);
          const digest = ref.slice(ref.indexOf('sha256:'));
          this.written.set(digest, (this.written.get(digest) ?? 0) + data.length);
        }
        if (action === WriteAction.COMMIT) this.#commit(ref, ingest.data, {total, expected, labels, lease});
        yield {action, offset: BigInt(ingest.data.length), total};
        if (action === WriteAction.COMMIT) return;
      }
    } finally {
      if (ingest !== undefined) ingest.isHeld = false;
    }
  }

  #hold(ref: string): StoredIngest {
    const ingest = this.ingests.get(ref) ?? {data: Buffer.alloc(0), isHeld: false};
    if (ingest.isHeld) {
      throw new GrpcError(GrpcCode.UNAVAILABLE, `ref ${ref} locked for 1s (since 1970-01-01): unavailable`);
    }
    ingest.isHeld = true;
    this.ingests.set(ref, ingest);
    return ingest;
  }

  #commit(
    ref: string,
    data: Buffer,
    {
      total,
      expected,
      labels,
      lease,
    }: {total: bigint; expected: string; labels: StoredBlob['labels']; lease: string},
  ): void {
    const digest = digestOf(data);
    if (Number(total) !== data.length || digest !== expected)
      throw new GrpcError(
        GrpcCode.FAILED_PRECONDITION,
        `unexpected commit digest ${digest}, expected ${expected}`,
      );
    this.ingests.delete(ref);
    this.blobs.set(digest, {data, labels});
    this.#lease(lease)?.resources.add(digest);
  }

  #find(digest: string): StoredBlob {
    const blob = this.blobs.get(digest);
    if (blob === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `content ${digest}: not found`);
    return blob;
  }

  #lease(id: string): StoredLease | undefined {
    if (id === '') return undefined;
    const lease = this.leases.get(id);
    if (lease === undefined) throw new GrpcError(GrpcCode.NOT_FOUND, `lease "${id}": not found`);
    return lease;
  }
}

export function digestOf(data: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}
