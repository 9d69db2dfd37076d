/** Owns what a peer's SETTINGS say (RFC 9113, section 6.5). */
import {ErrorCode, Http2Error} from './errors.ts';
import {MAX_FRAME, Setting} from './frames.ts';

export interface PeerSettings {
  readonly initialWindow?: number;
  readonly mostStreams?: number;
}

/**
 * Of settings that come twice the last one counts. What does not concern us is only looked at for its range: we push
 * nothing, keep no table of headers, and send no frame longer than every peer has to take.
 */
export function readSettings(payload: Buffer): PeerSettings {
  if (payload.length % 6 !== 0)
    throw new Http2Error('settings of the wrong length', ErrorCode.FRAME_SIZE_ERROR);
  const settings = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 6) {
    settings.set(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
  }
  const initialWindow = settings.get(Setting.INITIAL_WINDOW_SIZE);
  const frame = settings.get(Setting.MAX_FRAME_SIZE) ?? MAX_FRAME;
  if ((initialWindow ?? 0) > 0x7fff_ffff)
    throw new Http2Error('a window is too large', ErrorCode.FLOW_CONTROL_ERROR);
  if (frame < MAX_FRAME || frame > 0xff_ffff || (settings.get(Setting.ENABLE_PUSH) ?? 0) > 1) {
    throw new Http2Error('a setting is out of its range', ErrorCode.PROTOCOL_ERROR);
  }
  return {initialWindow, mostStreams: settings.get(Setting.MAX_CONCURRENT_STREAMS)};
}
