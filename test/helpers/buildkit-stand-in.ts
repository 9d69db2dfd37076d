/** Owns a stand-in of buildkitd behind `buildctl dial-stdio`, on Node's own HTTP/2: strict, with faults at will. */
import {randomBytes} from 'node:crypto';
import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Stream,
} from 'node:http2';
import {type Duplex, duplexPair} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {Control} from '../../src/buildkit/control.ts';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {exportBlobs, importBlobs} from './buildkit-stand-in-blobs.ts';
import {
  bytesOver,
  end,
  frame,
  readDockerfile,
  readOne,
  respond,
  SYNC,
  sendArchive,
} from './buildkit-stand-in-calls.ts';
import {type FrontendAnswer, isOfGateway, StandInGateway} from './buildkit-stand-in-gateway.ts';
import {StatusFeed, type StepEnd} from './buildkit-stand-in-status.ts';

/** Bytes that are not valid text, as the stand-in of the plugin sends them. */
export const ARCHIVE = Buffer.concat([Buffer.from([0xff, 0xfe, 0x00, 0x80]), Buffer.alloc(1020, 0xaa)]);

export type BuildkitBehaviour =
  | 'builds'
  | 'run-fails' // a RUN step exits 7
  | 'slow' // a tick every 100 ms until the build is cancelled
  | 'loses-connection' // as often as `losses` says, and then builds
  | 'floods' // 50 MB of a step's output, and then builds
  | 'changes' // makes another image each time
  | 'no-digest'; // succeeds and tells no digest

export interface SeenSolve {
  readonly attributes: ReadonlyMap<string, string>;
  readonly exporter: {readonly type: string; readonly attributes: ReadonlyMap<string, string>};
  readonly sharedKey: string;
  /** What it read from OCI layouts of the client. */
  readonly imported: readonly string[];
  /** Undefined where the context is no local directory. */
  readonly dockerfile: string | undefined;
  /** Of the connection that it came over, from 0. */
  readonly connection: number;
  readonly node: string;
}

interface SolvePlace {
  readonly feedOf: (ref: string) => StatusFeed;
  readonly lose: () => void;
  readonly number: number;
  readonly node: string;
}

export interface NamedStep extends StepEnd {
  readonly name: string;
}

interface Session {
  readonly client: ClientHttp2Session;
  readonly sharedKey: string;
}

export class BuildkitStandIn {
  behaviour: BuildkitBehaviour = 'builds';
  /** What it shows instead of steps of its own. */
  steps: readonly NamedStep[] | undefined;
  losses = 1;
  /** What its configuration lets a build ask for. */
  entitlements: readonly string[] = [];
  /** BuildKit before 0.14 knows one exporter, in fields of its own. */
  knowsExporters = true;
  /** To whatever is asked over the gateway. */
  answer: FrontendAnswer = {};
  readonly gateway = new StandInGateway();
  /** BuildKit before 0.11 has no history. */
  hasHistory = true;
  /** Builds of others that are running. */
  otherBuilds = 0;
  readonly digest: string;
  /** Makes what is built, and gives its digest. */
  make: (solve: SeenSolve) => string;
  readonly solves: SeenSolve[] = [];
  /** How many builds were cancelled, by whoever asked for them or by the end of the connection. */
  cancelled = 0;
  /** What a client did that no client may do. */
  readonly complaints: string[] = [];
  #connections = 0;

  constructor(digest: string) {
    this.digest = digest;
    this.make = () => digest;
  }

  /** A new connection, as the streams of the program in the pod. */
  connect(node = ''): Duplex {
    const [client, server] = duplexPair();
    const http2 = performServerHandshake(server);
    const number = this.#connections++;
    const sessions = new Map<string, Session>();
    const statuses = new Map<string, StatusFeed>();
    const feedOf = (ref: string) => {
      const feed = statuses.get(ref) ?? new StatusFeed();
      statuses.set(ref, feed);
      return feed;
    };
    const lose = () => http2.destroy();
    http2.on('error', () => undefined);
    http2.on('close', () => client.destroy());
    client.on('error', () => undefined).on('close', lose);
    http2.on('stream', async (stream, headers) => {
      stream.on('error', () => undefined);
      try {
        this.#check(headers[':method'] === 'POST' && headers.te === 'trailers', 'no gRPC call', headers);
        this.#check(headers['content-type']?.startsWith('application/grpc') === true, 'no gRPC', headers);
        switch (headers[':path']) {
          case Control.session.path:
            return this.#openSession(stream, headers, sessions);
          case Control.status.path:
            return feedOf((await readOne(stream, Control.status.request)).ref).serve(stream);
          case Control.solve.path:
            return await this.#solve(stream, sessions, {feedOf, lose, number, node});
          case this.hasHistory && Control.history.path: {
            const asked = await readOne(stream, Control.history.request);
            this.#check(asked.activeOnly && asked.earlyExit, 'a history without an end', asked);
            respond(stream);
            const event = frame(Control.history.response.encode({type: 0}));
            for (let count = 0; count < this.otherBuilds; count++) stream.write(event);
            return end(stream);
          }
          default:
            if (isOfGateway(headers[':path'])) return await this.gateway.serve(stream, headers, this.answer);
            throw new GrpcError(GrpcCode.UNIMPLEMENTED, `unknown method ${headers[':path']}`);
        }
      } catch (error) {
        if (!(error instanceof GrpcError)) this.complaints.push(String(error));
        end(stream, error instanceof GrpcError ? error : new GrpcError(GrpcCode.UNKNOWN, String(error)));
      }
    });
    return client;
  }

  #check(holds: boolean, what: string, of: unknown): void {
    if (holds) return;
    this.complaints.push(`${what}: ${JSON.stringify(of)}`);
    throw new GrpcError(GrpcCode.UNKNOWN, `stand-in: ${what}`);
  }

  #openSession(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    sessions: Map<string, Session>,
  ): void {
    const header = (name: string) => String(headers[`x-docker-expose-session-${name}`] ?? '');
    const id = header('uuid');
    this.#check(/^[0-9a-z]{25}$/.test(id), 'no id of a session', headers);
    this.#check(/^[\x21-\x7e]+$/.test(header('sharedkey')), 'no shared key', headers);
    this.#check(header('grpc-method').includes(SYNC), 'serves no files', headers);
    const client = connect('http://session', {createConnection: () => bytesOver(stream)});
    client.on('error', () => undefined);
    stream.on('close', () => client.destroy());
    sessions.set(id, {client, sharedKey: header('sharedkey')});
  }

  async #solve(
    stream: ServerHttp2Stream,
    sessions: ReadonlyMap<string, Session>,
    {feedOf, lose, number, node}: SolvePlace,
  ): Promise<void> {
    const request = await readOne(stream, Control.solve.request);
    const {ref, exporters, frontendAttributes: attributes} = request;
    this.#check(/^[0-9a-z]{25}$/.test(ref), 'no reference of a build', ref);
    // Before there is a build: whoever asks for its progress waits on.
    const refused = request.entitlements.find((name) => !this.entitlements.includes(name));
    if (refused !== undefined) {
      const why = `granting entitlement ${refused} is not allowed by build daemon configuration`;
      throw new GrpcError(GrpcCode.UNKNOWN, why);
    }
    if (request.frontend === '') {
      this.#check(exporters.length === 0 && request.exporterType === '', 'an exporter', exporters);
      await this.gateway.wait(ref, closing(stream));
      feedOf(ref).end();
      respond(stream);
      stream.write(frame(Control.solve.response.encode({exporterResponse: new Map()})));
      return end(stream);
    }
    this.#check(exporters.length === 1, 'not one exporter', exporters);
    const exporter =
      this.knowsExporters && exporters[0] !== undefined
        ? exporters[0]
        : {type: request.exporterType, attributes: request.exporterAttributes};
    this.#check(exporter.type !== '', 'no exporter', exporter);
    // The session is asked for at the same time, and BuildKit waits for it as well.
    for (let wait = 0; !sessions.has(request.session) && wait < 100; wait++) await sleep(10);
    const session = sessions.get(request.session);
    this.#check(session !== undefined, 'no session', request.session);
    const {client, sharedKey} = session as Session;
    const isLocal = !attributes.has('context');
    const filename = attributes.get('filename') ?? 'Dockerfile';
    const dockerfile = isLocal ? await readDockerfile(client, filename) : undefined;
    const imported = await importBlobs(client, {attributes});
    const solve = {imported, attributes, exporter, sharedKey, dockerfile, connection: number, node};
    this.solves.push(solve);
    const feed = feedOf(ref);
    feed.step(`[internal] load build definition from ${filename}`);
    stream.once('close', () => feed.end());
    const answer = await this.#build({stream, feed, solve, filename, lose});
    if (answer === undefined) return;
    if (/^(?:tar|oci|docker)$/.test(exporter.type)) await sendArchive(client, ARCHIVE);
    const names = exporter.attributes.get('name')?.split(',') ?? [];
    const steps = this.steps ?? names.map((name): NamedStep => ({name: `naming to ${name}`}));
    for (const {name, ...end} of steps) feed.step(name, end);
    feed.end();
    respond(stream);
    const cacheExports = request.cache?.exports ?? [];
    const exported = await exportBlobs(client, {attributes, exporter, cacheExports});
    const exporterResponse = new Map([...answer, ...exported]);
    stream.write(frame(Control.solve.response.encode({exporterResponse})));
    end(stream);
  }

  /** Undefined where there is nobody to answer any more. */
  async #build({
    stream,
    feed,
    solve,
    filename,
    lose,
  }: {
    readonly stream: ServerHttp2Stream;
    readonly feed: StatusFeed;
    readonly solve: SeenSolve;
    readonly filename: string;
    readonly lose: () => void;
  }): Promise<ReadonlyMap<string, string> | undefined> {
    const digest = (value: string) => new Map([['containerimage.digest', value]]);
    switch (this.behaviour) {
      case 'builds':
        return digest(this.make(solve));
      case 'changes':
        return digest(`sha256:${randomBytes(32).toString('hex')}`);
      case 'no-digest':
        return new Map();
      case 'run-fails': {
        const message = 'process "/bin/sh -c exit 7" did not complete successfully: exit code: 7';
        feed.step('[2/2] RUN exit 7', {log: 'words of the step\n', error: message});
        feed.end();
        throw new GrpcError(GrpcCode.UNKNOWN, message, {
          details: [sourceDetail(filename, solve.dockerfile ?? '', 2)],
        });
      }
      case 'slow': {
        const log = feed.run('[2/2] RUN tick');
        for (let tick = 0; !stream.closed && !stream.destroyed; tick++) {
          log(`tick ${tick}\n`);
          await sleep(100);
        }
        this.cancelled += 1;
        return undefined;
      }
      case 'loses-connection':
        if (this.losses === 0) return digest(this.digest);
        this.losses -= 1;
        lose();
        return undefined;
      case 'floods': {
        const log = feed.run('[2/2] RUN flood');
        const lines = `${'x'.repeat(99)}\n`.repeat(1_000);
        for (let sent = 0; sent < 50e6; sent += lines.length) {
          log(lines);
          await feed.drained();
        }
        return digest(this.digest);
      }
    }
  }
}

function closing(stream: ServerHttp2Stream): AbortSignal {
  const closed = new AbortController();
  stream.once('close', () => closed.abort());
  return closed.signal;
}

function sourceDetail(filename: string, text: string, line: number) {
  const data = Buffer.from(text).toString('base64');
  const detail = {info: {filename, data}, ranges: [{start: {line}, end: {line}}]};
  return {
    typeUrl: 'github.com/moby/buildkit/errdefs.Source+json',
    value: Buffer.from(JSON.stringify(detail)),
  };
}
