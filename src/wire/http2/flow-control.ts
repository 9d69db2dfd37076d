/** Owns how much may be sent (RFC 9113, section 5.2 and 6.9), and how fast a peer may go on at our expense. */
import {ErrorCode, Http2Error} from './errors.ts';

/** What holds on both sides until something else is said. */
export const DEFAULT_WINDOW = 65_535;
const LARGEST_WINDOW = 0x7fff_ffff;

/** What we may send. Below nought where the peer has made the windows of open streams smaller. */
export class SendWindow {
  #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  use(length: number): void {
    this.#size -= length;
  }

  /** `stream`: which one's window it is; undefined: the connection's. */
  change(difference: number, stream?: number): void {
    if (this.#size + difference > LARGEST_WINDOW) {
      throw new Http2Error('a window is raised too far', ErrorCode.FLOW_CONTROL_ERROR, {stream});
    }
    this.#size += difference;
  }
}

/** What we let the peer send, and give back as it is used. */
export class ReceiveWindow {
  readonly #full: number;
  #left: number;
  #used = 0;

  constructor(full: number) {
    this.#full = full;
    this.#left = full;
  }

  receive(length: number): void {
    this.#left -= length;
    if (this.#left < 0) throw new Http2Error('more data than was allowed', ErrorCode.FLOW_CONTROL_ERROR);
  }

  /** What the peer is to be told that it may send again: nothing, until half a window has been used. */
  giveBack(length: number): number {
    this.#used += length;
    if (this.#used * 2 < this.#full) return 0;
    const given = this.#used;
    this.#left += given;
    this.#used = 0;
    return given;
  }
}

/** What costs us more than it costs the peer: so many at once, and then so many a second. */
export class Allowance {
  readonly #most: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #asOf: number;

  constructor(most: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#most = most;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = most;
    this.#asOf = now();
  }

  /** False where there is none left. */
  spend(): boolean {
    const now = this.#now();
    this.#left = Math.min(this.#most, this.#left + ((now - this.#asOf) / 1000) * this.#perSecond);
    this.#asOf = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
