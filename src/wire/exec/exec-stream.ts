/** Owns a program's standard streams over a WebSocket: the first byte of each message says which one it is of. */
import {Duplex} from 'node:stream';
import type {TunnelEnd} from '../../cluster/ports.ts';
import {Tail} from '../tail.ts';
import {readExecStatus} from './exec-status.ts';
import {
  LONGEST_MESSAGE,
  makeMessage,
  Opcode,
  WebSocketError,
  type WebSocketFrame,
  WebSocketReader,
} from './websocket-frames.ts';

const Channel = {STDIN: 0, STDOUT: 1, STDERR: 2, STATUS: 3, CLOSE: 255} as const;
const STDIN = Buffer.from([Channel.STDIN]);
const CLOSE_STDIN = Buffer.from([Channel.CLOSE, Channel.STDIN]);
const DONE = Buffer.from([1_000 >> 8, 1_000 & 0xff]);
const LONGEST_STATUS = 65_536;

export class ExecStream extends Duplex {
  readonly ended: Promise<TunnelEnd>;
  readonly #resolveEnded: (end: TunnelEnd) => void;
  readonly #socket: Duplex;
  readonly #canCloseStdin: boolean;
  readonly #reader = new WebSocketReader();
  readonly #stderr = new Tail();
  #status = '';
  /** That of the message that goes on in the next frame. */
  #channel: number | undefined;

  constructor(socket: Duplex, head: Buffer, canCloseStdin: boolean) {
    super();
    this.#socket = socket;
    this.#canCloseStdin = canCloseStdin;
    ({promise: this.ended, resolve: this.#resolveEnded} = Promise.withResolvers<TunnelEnd>());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.destroy(error));
    socket.on('end', () => this.#lose());
    socket.on('close', () => this.#lose());
    this.on('error', () => undefined);
    if (head.length > 0) this.#receive(head);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _writev(chunks: {chunk: Buffer}[], done: (error?: Error | null) => void): void {
    let parts: Buffer[] = [STDIN];
    let room = LONGEST_MESSAGE - STDIN.length;
    for (const {chunk} of chunks) {
      for (let rest = chunk; rest.length > 0; ) {
        if (room === 0) {
          this.#send(Opcode.BINARY, parts);
          parts = [STDIN];
          room = LONGEST_MESSAGE - STDIN.length;
        }
        const part = rest.subarray(0, room);
        parts.push(part);
        room -= part.length;
        rest = rest.subarray(part.length);
      }
    }
    this.#send(Opcode.BINARY, parts, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    // The older protocol has no other way to say that nothing more comes.
    if (this.#canCloseStdin) this.#send(Opcode.BINARY, [CLOSE_STDIN], done);
    else this.#send(Opcode.CLOSE, [DONE], done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#resolveEnded({
      exitCode: undefined,
      // Closed by us, it has no failure of its own.
      failure: error?.message,
      stderr: this.#stderr.text,
    });
    this.#socket.destroy();
    done(error);
  }

  #send(opcode: number, parts: readonly Buffer[], done?: (error?: Error | null) => void): void {
    this.#socket.write(makeMessage(opcode, parts), done);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    try {
      for (const frame of this.#reader.read(chunk)) this.#handle(frame);
    } catch (error) {
      if (!(error instanceof WebSocketError)) throw error;
      this.destroy(error);
    }
  }

  #handle({opcode, isLast, payload}: WebSocketFrame): void {
    switch (opcode) {
      case Opcode.PING:
        // One answer is enough for many, where the server does not read them.
        if (!this.#socket.writableNeedDrain) this.#send(Opcode.PONG, [payload]);
        break;
      case Opcode.PONG:
        break;
      case Opcode.CLOSE:
        if (!this.#socket.writableEnded) this.#socket.end(makeMessage(Opcode.CLOSE, [payload]));
        this.#lose();
        break;
      case Opcode.TEXT:
      case Opcode.BINARY: {
        if (this.#channel !== undefined) throw new WebSocketError('the server interrupted a message');
        const channel = payload[0];
        if (!isLast) this.#channel = channel ?? Channel.CLOSE;
        if (channel !== undefined) this.#take(channel, payload.subarray(1), isLast);
        break;
      }
      case Opcode.CONTINUATION: {
        const channel = this.#channel;
        if (channel === undefined) throw new WebSocketError('the server went on with no message');
        if (isLast) this.#channel = undefined;
        this.#take(channel, payload, isLast);
        break;
      }
      default:
        throw new WebSocketError(`the server sent a message of kind ${opcode}`);
    }
  }

  #take(channel: number, data: Buffer, isLast: boolean): void {
    switch (channel) {
      case Channel.STDOUT:
        if (data.length > 0 && !this.push(data)) this.#socket.pause();
        break;
      case Channel.STDERR:
        this.#stderr.add(data);
        break;
      case Channel.STATUS:
        this.#status += data.toString('utf8');
        if (this.#status.length > LONGEST_STATUS)
          throw new WebSocketError('the server sent too long a status');
        if (isLast) this.#finish();
        break;
      default:
      // What later protocols may add.
    }
  }

  /** All that the program wrote has come before its status. */
  #finish(): void {
    this.#resolveEnded({...readExecStatus(this.#status), stderr: this.#stderr.text});
    this.push(null);
  }

  /** The connection ended; where there was no status before it, that is an error. */
  #lose(): void {
    if (!this.readableEnded && !this.#status) this.destroy(new Error('the connection to the pod was cut'));
  }
}
