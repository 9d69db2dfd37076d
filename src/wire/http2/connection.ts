/** Owns an HTTP/2 connection (RFC 9113) over any Duplex, in either role: its streams, and what the peer's frames mean. */
import type {Duplex} from 'node:stream';
import {NO_BYTES} from '../byte-queue.ts';
import {ErrorCode, Http2Error, nameCode, violation} from './errors.ts';
import {Allowance, DEFAULT_WINDOW, ReceiveWindow} from './flow-control.ts';
import {
  Flag,
  type Frame,
  FrameReader,
  FrameType,
  frameHeader,
  LAST_ID,
  makeFrame,
  makeGoaway,
  makeHeaderFrames,
  makeNumberFrame,
  makeSettings,
  PREFACE,
  Setting,
} from './frames.ts';
import {type HeaderBlock, HeaderBlocks} from './header-blocks.ts';
import {encodeHeaders} from './hpack-encoder.ts';
import type {Header} from './hpack-tables.ts';
import {type PeerFrame, readFrame} from './peer-frames.ts';
import {Sender} from './sender.ts';
import type {PeerSettings} from './settings.ts';
import {Http2Stream, type StreamPort} from './stream.ts';

export interface Http2Options {
  /** Called in a server with each request, whose headers are in `stream.headers`. */
  readonly onStream?: (stream: Http2Stream) => void;
  /** The most that the headers of one message may come to. */
  readonly longestHeaders?: number;
  /** How many requests a peer may have open at once. */
  readonly mostStreams?: number;
  /** What the peer may send before it is read: of one stream, and of all together. */
  readonly windows?: {readonly stream: number; readonly connection: number};
}

const WINDOWS = {stream: 4 * 1024 * 1024, connection: 16 * 1024 * 1024};
const LONGEST_HEADERS = 4 * 1024 * 1024;
const MOST_STREAMS = 256;
/** Streams that a peer opens and resets, or ruins: so many at once, so many a second. */
const RUINED_STREAMS = [1_000, 50] as const;
/** What is shown of an answer that is not HTTP/2. */
const LONGEST_GREETING = 80;
/** How long a peer may take to close its side, in milliseconds. */
const PATIENCE = 1_000;

export class Http2Connection {
  /** When it is over: with what ended it, or with nothing where both sides were done. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  readonly #transport: Duplex;
  readonly #isServer: boolean;
  readonly #onStream: (stream: Http2Stream) => void;
  readonly #mostStreams: number;
  readonly #reader: FrameReader;
  readonly #blocks: HeaderBlocks;
  readonly #sender: Sender;
  readonly #streams = new Map<number, Http2Stream>();
  readonly #receiveWindow: ReceiveWindow;
  readonly #streamWindow: number;
  readonly #ruined = new Allowance(...RUINED_STREAMS);
  readonly #pings: (() => void)[] = [];
  readonly #port: StreamPort;
  readonly #resolveClosed: (error: Error | undefined) => void;
  #over = false;
  /** The peer's settings have come, which are its first frame. */
  #settled = false;
  /** The first bytes until then. */
  #greeting = NO_BYTES;
  #initialWindow = DEFAULT_WINDOW;
  #peersMostStreams = Number.POSITIVE_INFINITY;
  #nextId: number;
  #lastPeerId = 0;
  /** Why nothing new is begun. */
  #closing: Http2Error | undefined;
  /** What the peer closes it for, where that is a fault. */
  #fault: Http2Error | undefined;
  #received = 0;

  /** A client makes the requests; a server answers those of the peer. */
  constructor(transport: Duplex, role: 'client' | 'server', options: Http2Options = {}) {
    const {
      onStream,
      longestHeaders = LONGEST_HEADERS,
      mostStreams = MOST_STREAMS,
      windows = WINDOWS,
    } = options;
    this.#receiveWindow = new ReceiveWindow(windows.connection);
    this.#streamWindow = windows.stream;
    this.#transport = transport;
    this.#isServer = role === 'server';
    this.#onStream = onStream ?? ((stream) => stream.close(ErrorCode.REFUSED_STREAM));
    this.#mostStreams = mostStreams;
    this.#reader = new FrameReader(this.#isServer);
    this.#blocks = new HeaderBlocks(longestHeaders);
    this.#sender = new Sender(transport, (error) => this.destroy(error));
    this.#nextId = this.#isServer ? 2 : 1;
    this.#port = this.#makePort();
    ({promise: this.closed, resolve: this.#resolveClosed} = Promise.withResolvers<Error | undefined>());
    if (!this.#isServer) this.#sender.write(PREFACE);
    this.#sender.write(
      makeSettings([
        this.#isServer ? [Setting.MAX_CONCURRENT_STREAMS, mostStreams] : [Setting.ENABLE_PUSH, 0],
        [Setting.INITIAL_WINDOW_SIZE, windows.stream],
        [Setting.MAX_HEADER_LIST_SIZE, longestHeaders],
      ]),
    );
    this.#sender.write(makeNumberFrame(FrameType.WINDOW_UPDATE, 0, windows.connection - DEFAULT_WINDOW));
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    transport.on('error', (cause) => {
      // It is ending, which the stream says in words for programmers.
      const isEnding = 'code' in cause && cause.code === 'ERR_STREAM_WRITE_AFTER_END';
      this.#finish(isEnding ? this.#lost() : new Http2Error(cause.message, undefined, {cause}));
    });
    transport.on('end', () => this.#finish(this.#lost()));
    transport.on('close', () => this.#finish(this.#lost()));
  }

  /** How many bytes have come: as long as there are more, the peer is alive. */
  get received(): number {
    return this.#received;
  }

  /** How many requests are under way. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Throws where the connection takes no more. */
  request(headers: readonly Header[]): Http2Stream {
    if (this.#closing) throw this.#closing;
    if (this.#streams.size >= this.#peersMostStreams) {
      const message = `the peer takes no more than ${this.#peersMostStreams} requests at once`;
      throw new Http2Error(message, ErrorCode.REFUSED_STREAM);
    }
    if (this.#nextId > LAST_ID) throw new Http2Error('the connection is used up', ErrorCode.REFUSED_STREAM);
    const stream = this.#open(this.#nextId);
    this.#nextId += 2;
    this.#port.sendHeaders(stream, headers, false);
    return stream;
  }

  /** `onAnswer` is called when the peer has answered. */
  ping(onAnswer: () => void): void {
    this.#pings.push(onAnswer);
    this.#sender.write(makeFrame(FrameType.PING, 0, 0, Buffer.alloc(8)));
  }

  /** Begins nothing new, and ends when what is under way has. */
  close(): void {
    if (this.#closing) return;
    this.#closing = new Http2Error('the connection was closed', ErrorCode.REFUSED_STREAM);
    this.#sender.write(makeGoaway(this.#lastPeerId, ErrorCode.NO_ERROR));
    this.#endIfDone();
  }

  /** Ends it at once, with an error in all that is under way. */
  destroy(error: Error = new Http2Error('the connection was closed')): void {
    if (this.#over) return;
    // What the peer did wrong, it is told.
    const {code = ErrorCode.NO_ERROR, message = ''} = error instanceof Http2Error ? error : {};
    this.#sender.write(makeGoaway(this.#lastPeerId, code, message));
    this.#finish(error);
  }

  #makePort(): StreamPort {
    return {
      sendHeaders: ({id}, headers, end) =>
        this.#sender.write(makeHeaderFrames(id, encodeHeaders(headers), end)),
      ready: (stream) => {
        this.#sender.queue(stream);
        this.#sender.pump();
      },
      endStream: ({id}) => this.#sender.write(frameHeader(FrameType.DATA, Flag.END_STREAM, id, 0)),
      reset: ({id}, code) => this.#sender.answer(makeNumberFrame(FrameType.RST_STREAM, id, code)),
      giveBack: (stream, length, inStream) => this.#giveBack(length, inStream ? stream : undefined),
      forget: (stream) => {
        this.#sender.forget(stream);
        this.#streams.delete(stream.id);
        this.#endIfDone();
      },
    };
  }

  #lost(): Error | undefined {
    const foreigner = this.#findForeigner();
    if (foreigner) return foreigner;
    const done = this.#closing !== undefined && this.#streams.size === 0;
    return done ? this.#fault : new Http2Error(this.#closing?.message ?? 'the connection ended');
  }

  /** A server that speaks something else: the first frame of HTTP/2 begins as no text does. */
  #findForeigner(): Http2Error | undefined {
    const [first] = this.#greeting;
    if (this.#isServer || this.#settled || first === undefined || first === 0) return undefined;
    const answer = JSON.stringify(this.#greeting.toString('latin1').trim());
    return violation(`the peer does not speak HTTP/2, its answer begins with ${answer}`);
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#sender.stop();
    const reason = error ?? new Http2Error('the connection was closed');
    this.#closing ??= new Http2Error(reason.message, undefined, {cause: error});
    for (const stream of [...this.#streams.values()]) stream.receiveLoss(reason);
    this.#streams.clear();
    this.#transport.end();
    // What is written already may still go out; a peer that does not read, or never ends, cannot keep us.
    if (error) setImmediate(() => this.#transport.destroy());
    else setTimeout(() => this.#transport.destroy(), PATIENCE).unref();
    this.#resolveClosed(error);
  }

  #endIfDone(): void {
    if (this.#closing && this.#streams.size === 0) this.#finish(this.#fault);
  }

  #open(id: number): Http2Stream {
    const stream = new Http2Stream(this.#port, id, this.#initialWindow, this.#streamWindow);
    this.#streams.set(id, stream);
    return stream;
  }

  #giveBack(length: number, stream: Http2Stream | undefined): void {
    const all = this.#receiveWindow.giveBack(length);
    if (all > 0) this.#sender.answer(makeNumberFrame(FrameType.WINDOW_UPDATE, 0, all));
    const own = stream?.receiveWindow.giveBack(length) ?? 0;
    if (stream && own > 0) this.#sender.answer(makeNumberFrame(FrameType.WINDOW_UPDATE, stream.id, own));
  }

  #receive(chunk: Buffer): void {
    if (this.#over) return;
    this.#received += chunk.length;
    if (!this.#settled) this.#greeting = Buffer.concat([this.#greeting, chunk]).subarray(0, LONGEST_GREETING);
    this.#reader.push(chunk);
    this.#transport.cork();
    try {
      for (let frame = this.#reader.next(); frame && !this.#over; frame = this.#reader.next())
        this.#take(frame);
    } catch (error) {
      if (!(error instanceof Http2Error)) throw error;
      this.destroy(this.#findForeigner() ?? error);
    } finally {
      this.#transport.uncork();
    }
    this.#sender.pump();
  }

  /** An error that is a stream's alone ends no more than that. */
  #take(frame: Frame): void {
    try {
      this.#handle(readFrame(frame));
    } catch (error) {
      if (!(error instanceof Http2Error) || error.stream === undefined) throw error;
      const stream = this.#find(error.stream);
      const code = error.code ?? ErrorCode.INTERNAL_ERROR;
      if (stream) stream.fail(error, code);
      else this.#sender.answer(makeNumberFrame(FrameType.RST_STREAM, error.stream, code));
      this.#countRuined();
    }
  }

  #countRuined(): void {
    if (this.#ruined.spend()) return;
    throw new Http2Error('the peer ruins too many streams', ErrorCode.ENHANCE_YOUR_CALM);
  }

  #handle(frame: PeerFrame): void {
    const block = this.#blocks.add(frame);
    if (block) this.#handleHeaders(block);
    if (!this.#settled && frame.kind !== 'settings')
      throw violation('the peer does not begin with its settings');
    switch (frame.kind) {
      case 'data':
        this.#handleData(frame);
        break;
      case 'reset':
        this.#find(frame.stream)?.receiveReset(frame.code);
        if (this.#isServer) this.#countRuined();
        break;
      case 'settings':
        this.#handleSettings(frame.settings);
        break;
      case 'ping':
        if (frame.isAnswer) this.#pings.shift()?.();
        else this.#sender.answer(makeFrame(FrameType.PING, Flag.ACK, 0, frame.payload));
        break;
      case 'goaway':
        this.#handleGoaway(frame);
        break;
      case 'window':
        if (frame.stream === 0) this.#sender.raise(frame.increment);
        else this.#changeWindow(this.#find(frame.stream), frame.increment, frame.stream);
        break;
      case 'headers':
      case 'continuation':
      case 'other':
        break;
      default:
        frame satisfies never;
    }
  }

  /** The stream of a frame, where it is still open. */
  #find(id: number): Http2Stream | undefined {
    const isOurs = id % 2 === this.#nextId % 2;
    if (id === 0 || (isOurs ? id >= this.#nextId : id > this.#lastPeerId)) {
      throw violation(`a frame of stream ${id}, which was never opened`);
    }
    return this.#streams.get(id);
  }

  #handleData({stream: id, data, length, end}: Extract<PeerFrame, {kind: 'data'}>): void {
    const stream = this.#find(id);
    this.#receiveWindow.receive(length);
    stream?.receiveWindow.receive(length);
    if (stream === undefined || stream.peerEnded || stream.headers === undefined) {
      this.#giveBack(length, undefined);
      if (stream === undefined) return;
      const code = stream.peerEnded ? ErrorCode.STREAM_CLOSED : ErrorCode.PROTOCOL_ERROR;
      throw new Http2Error('data where none may come', code, {stream: id});
    }
    // The padding counts, and is used at once.
    this.#giveBack(length - data.length, stream);
    stream.receiveData(data, end);
  }

  #handleHeaders({stream: id, end, headers}: HeaderBlock): void {
    const isNew = this.#isServer && id % 2 === 1 && id > this.#lastPeerId;
    if (isNew) {
      this.#lastPeerId = id;
      if (this.#closing) return;
      if (this.#streams.size >= this.#mostStreams) {
        throw new Http2Error('too many streams', ErrorCode.REFUSED_STREAM, {stream: id});
      }
    }
    const stream = isNew ? this.#open(id) : this.#find(id);
    // A response can be announced by others before it (RFC 9110, section 15.2).
    const [name, value] = headers[0] ?? [];
    const isEarly = !this.#isServer && !end && name === ':status' && value?.startsWith('1');
    if (stream && !isEarly) stream.receiveHeaders(headers, end);
    if (stream && isNew) this.#onStream(stream);
  }

  #handleSettings({initialWindow = this.#initialWindow, mostStreams}: PeerSettings): void {
    this.#settled = true;
    this.#peersMostStreams = mostStreams ?? this.#peersMostStreams;
    const difference = initialWindow - this.#initialWindow;
    this.#initialWindow = initialWindow;
    for (const stream of this.#streams.values()) this.#changeWindow(stream, difference);
    this.#sender.answer(makeFrame(FrameType.SETTINGS, Flag.ACK, 0));
  }

  /** `whose`: the stream that is at fault alone where it is too much. */
  #changeWindow(stream: Http2Stream | undefined, difference: number, whose?: number): void {
    if (stream === undefined) return;
    stream.sendWindow.change(difference, whose);
    this.#sender.queue(stream);
  }

  #handleGoaway({last, code, reason}: Extract<PeerFrame, {kind: 'goaway'}>): void {
    const message = `the peer closes the connection: ${nameCode(code)}${reason && ` (${reason})`}`;
    this.#closing ??= new Http2Error(message, ErrorCode.REFUSED_STREAM);
    if (code !== ErrorCode.NO_ERROR) this.#fault = new Http2Error(message, code);
    for (const [id, stream] of [...this.#streams]) {
      if (!this.#isServer && id > last) stream.destroy(this.#closing);
    }
    this.#endIfDone();
  }
}
