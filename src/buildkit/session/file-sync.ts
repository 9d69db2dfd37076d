/** Owns sending directories to BuildKit: our side of fsutil's protocol (tonistiigi/fsutil, send.go and receive.go). */

import type {SyncedDirectory} from '../../context/directory.ts';
import {excluding, type Filter, including} from '../../context/filters.ts';
import {followLinks} from '../../context/follow-links.ts';
import {Patterns} from '../../context/patterns.ts';
import type {ContextEntry} from '../../context/walk.ts';
import type {Route, ServerCall} from '../../wire/grpc/server.ts';
import {GrpcCode, GrpcError} from '../../wire/grpc/status.ts';
import type {Http2Stream} from '../../wire/http2/stream.ts';
import {PacketOutbox, RequestInbox} from './packet-stream.ts';
import {PacketType, toStat} from './packets.ts';
import {SentFiles} from './sent-files.ts';

/** Called with each number of bytes that were sent. */
export type CountBytes = (bytes: number) => void;

export function syncFiles(directories: ReadonlyMap<string, SyncedDirectory>, count: CountBytes): Route {
  return {
    path: '/moby.filesync.v1.FileSync/DiffCopy',
    run: (stream, {metadata}) => {
      const asked = readQuestion(metadata);
      const given = directories.get(asked.directory);
      if (given === undefined) {
        throw new GrpcError(GrpcCode.NOT_FOUND, `no access allowed to dir "${asked.directory}"`);
      }
      const directory = (isIgnoreFileAlone(asked) && given.whole) || given;
      return new Sending(stream, directory, count).run(filtersOf(asked, directory));
    },
  };
}

/** How many entries go before the next look at what BuildKit asks for. */
const ENTRIES = 64;

/** One directory on its way: files go while the walk goes on. */
class Sending {
  readonly #out: PacketOutbox;
  readonly #in: RequestInbox;
  readonly #directory: SyncedDirectory;
  readonly #count: CountBytes;
  readonly #files = new SentFiles();

  constructor(stream: Http2Stream, directory: SyncedDirectory, count: CountBytes) {
    this.#out = new PacketOutbox(stream);
    this.#in = new RequestInbox(stream);
    this.#directory = directory;
    this.#count = count;
  }

  async run(filters: readonly Filter[]): Promise<void> {
    const walk = this.#directory.walk(filters)[Symbol.iterator]();
    for (let isListed = false; ; ) {
      const wanted = this.#in.take();
      if (wanted !== undefined) await this.#sendFile(wanted);
      else if (this.#in.isOver) break;
      if (!isListed) isListed = await this.#sendEntries(walk);
      else if (wanted === undefined) {
        await this.#out.flush();
        await this.#in.more();
      }
    }
    if (this.#in.isFinished) await this.#out.put({type: PacketType.FINISH});
    await this.#out.flush();
  }

  /** Whether there are no more. */
  async #sendEntries(walk: Iterator<ContextEntry>): Promise<boolean> {
    for (let sent = 0; sent < ENTRIES; sent++) {
      const {value: entry, done} = walk.next();
      if (done) {
        await this.#out.put({type: PacketType.STAT});
        return true;
      }
      const {path, kind, link, size} = entry;
      const isFile = kind === 'file' && link === undefined;
      this.#files.add(path, kind === 'socket' ? 0 : isFile ? size : undefined);
      await this.#out.put({type: PacketType.STAT, stat: toStat(entry)});
    }
    return false;
  }

  async #sendFile(id: number): Promise<void> {
    const file = this.#files.take(id);
    if (file === undefined) throw new GrpcError(GrpcCode.INTERNAL, `invalid file id ${id}`);
    for await (const data of this.#directory.read(file)) {
      this.#count(data.length);
      await this.#out.putData(id, data);
    }
    await this.#out.put({type: PacketType.DATA, id});
  }
}

interface Question {
  readonly directory: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly follow: readonly string[];
}

/**
 * A value that is not ASCII comes escaped as in a query, and then all of its key do. docker 20.10 sends it as
 * plain UTF-8.
 */
function readQuestion(metadata: ServerCall['metadata']): Question {
  const values = (key: string) => {
    const isEncoded = metadata.some(
      ([name, value]) => name === `${key}-encoded` && /^(1|t|true)$/i.test(value),
    );
    const given = metadata
      .filter(([name]) => name === key)
      .map(([, value]) => Buffer.from(value, 'latin1').toString());
    return isEncoded ? given.map((value) => decodeURIComponent(value.replaceAll('+', ' '))) : given;
  };
  return {
    directory: values('dir-name')[0] ?? '',
    include: values('include-patterns'),
    exclude: values('exclude-patterns'),
    follow: values('followpaths'),
  };
}

/** BuildKit asks for the ignore file before it asks for the context; its rules hold whatever else is filtered. */
function isIgnoreFileAlone({include, follow}: Question): boolean {
  const paths = [...include, ...follow];
  return paths.length > 0 && paths.every((path) => path.endsWith('.dockerignore'));
}

function filtersOf({include, exclude, follow}: Question, directory: SyncedDirectory): readonly Filter[] {
  const followed = follow.length === 0 ? [] : followLinks(follow, directory);
  const included = followed === undefined ? include : [...include, ...followed];
  return [
    ...(included.length > 0 ? [including(new Patterns(included, 'BuildKit'))] : []),
    ...(exclude.length > 0 ? [excluding(new Patterns(exclude, '.dockerignore'))] : []),
  ];
}
