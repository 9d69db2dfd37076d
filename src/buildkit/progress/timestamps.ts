/** Owns times in what BuildKit reports, as milliseconds since the epoch. */
import type {Timestamp} from '../../wire/protobuf/timestamp.ts';

export function toTimestamp(milliseconds: number): Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  return {seconds: BigInt(seconds), nanos: Math.round((milliseconds - seconds * 1000) * 1e6)};
}

export function toMilliseconds(time: Timestamp | undefined): number | undefined {
  return time && Number(time.seconds) * 1000 + time.nanos / 1e6;
}
