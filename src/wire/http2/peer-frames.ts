/** Owns what a peer's frames say, each looked at for itself: lengths, ranges, padding, and whose they may be. */
import {ErrorCode, Http2Error, violation} from './errors.ts';
import {Flag, type Frame, FrameType, LAST_ID} from './frames.ts';
import {type PeerSettings, readSettings} from './settings.ts';

/** How much of what a peer says on closing is repeated. */
const LONGEST_REASON = 200;

export type PeerFrame =
  | {
      readonly kind: 'data';
      readonly stream: number;
      readonly data: Buffer;
      readonly length: number;
      readonly end: boolean;
    }
  /** The headers begin, or go on; `last`: they are whole. */
  | {
      readonly kind: 'headers';
      readonly stream: number;
      readonly part: Buffer;
      readonly end: boolean;
      readonly last: boolean;
    }
  | {readonly kind: 'continuation'; readonly stream: number; readonly part: Buffer; readonly last: boolean}
  | {readonly kind: 'reset'; readonly stream: number; readonly code: number}
  | {readonly kind: 'settings'; readonly settings: PeerSettings}
  | {readonly kind: 'ping'; readonly isAnswer: boolean; readonly payload: Buffer}
  /** `last`: the last of our streams that it has looked at. */
  | {readonly kind: 'goaway'; readonly last: number; readonly code: number; readonly reason: string}
  /** Of a stream, or of the connection, which is 0. */
  | {readonly kind: 'window'; readonly stream: number; readonly increment: number}
  /** Acknowledgements, priorities, and what later standards have added. */
  | {readonly kind: 'other'};

export function readFrame(frame: Frame): PeerFrame {
  const {type, flags, stream, payload} = frame;
  const end = (flags & Flag.END_STREAM) !== 0;
  const last = (flags & Flag.END_HEADERS) !== 0;
  switch (type) {
    case FrameType.DATA:
      return {kind: 'data', stream, data: contentOf(frame), length: payload.length, end};
    case FrameType.HEADERS:
      return {kind: 'headers', stream, part: contentOf(frame), end, last};
    case FrameType.CONTINUATION:
      return {kind: 'continuation', stream, part: payload, last};
    case FrameType.RST_STREAM:
      check(payload.length === 4);
      return {kind: 'reset', stream, code: payload.readUInt32BE(0)};
    case FrameType.SETTINGS:
      checkIsConnections(stream);
      if (!(flags & Flag.ACK)) return {kind: 'settings', settings: readSettings(payload)};
      check(payload.length === 0);
      return {kind: 'other'};
    case FrameType.PUSH_PROMISE:
      throw violation('a push, which was not allowed');
    case FrameType.PING:
      checkIsConnections(stream);
      check(payload.length === 8);
      return {kind: 'ping', isAnswer: (flags & Flag.ACK) !== 0, payload};
    case FrameType.GOAWAY:
      checkIsConnections(stream);
      check(payload.length >= 8);
      return {kind: 'goaway', ...readGoaway(payload)};
    case FrameType.WINDOW_UPDATE: {
      check(payload.length === 4);
      const increment = payload.readUInt32BE(0) & LAST_ID;
      if (increment > 0) return {kind: 'window', stream, increment};
      throw new Http2Error('a window is raised by nothing', ErrorCode.PROTOCOL_ERROR, {
        stream: stream || undefined,
      });
    }
    default:
      return {kind: 'other'};
  }
}

/** What is in DATA and HEADERS but for padding, and for the weight that nobody uses any more. */
function contentOf({type, flags, payload}: Frame): Buffer {
  const padded = flags & Flag.PADDED ? 1 : 0;
  const weight = type === FrameType.HEADERS && flags & Flag.PRIORITY ? 5 : 0;
  const padding = padded ? (payload[0] ?? 0) : 0;
  if (padded + weight + padding > payload.length) throw violation('a frame has more padding than bytes');
  return payload.subarray(padded + weight, payload.length - padding);
}

function readGoaway(payload: Buffer) {
  // A peer can send anything; it is shown.
  const reason = payload.toString('latin1', 8, 8 + LONGEST_REASON).replace(/[^\x20-\x7e]/g, ' ');
  return {last: payload.readUInt32BE(0) & LAST_ID, code: payload.readUInt32BE(4), reason};
}

function check(isRight: boolean): void {
  if (!isRight) throw new Http2Error('a frame has the wrong length', ErrorCode.FRAME_SIZE_ERROR);
}

function checkIsConnections(stream: number): void {
  if (stream !== 0) throw violation('a frame of the connection names a stream');
}
