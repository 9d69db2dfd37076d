/** Owns durations as kubectl accepts them, among them its `--request-timeout`. */
import {TiltbuildError} from '../../errors.ts';

/** Our default, in milliseconds: long enough for a slow link, short enough for a user who waits. */
const DEFAULT = 30_000;

/** The longest delay of a timer in Node: 24 days. */
const LONGEST = 2 ** 31 - 1;

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  // Both micro signs, U+00B5 and U+03BC, as Go's ParseDuration.
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const DAY = 86_400_000;

/**
 * Milliseconds of a Go duration (`1m30s`) or of whole seconds (`30`), as client-go's ParseTimeout reads it. Zero means
 * no limit there; here it means the default, because waiting for a dead cluster helps nobody. Throws `usage` for
 * anything else.
 */
export function readRequestTimeout(text: string | undefined): number {
  return (text === undefined ? 0 : readDuration('--request-timeout', text)) || DEFAULT;
}

/** Milliseconds of a flag's value, in the same forms, for a timer. Throws `usage` for anything else. */
export function readDuration(flag: string, text: string): number {
  return Math.min(readMilliseconds(text) ?? refuse(flag, text, '5s, 1m30s or 500ms'), LONGEST);
}

/**
 * Milliseconds of a flag's value, also in days (`7d`), of any length. Throws `usage` for anything else, and for a number
 * alone: somebody who writes `7` hardly means seconds.
 */
export function readAge(flag: string, text: string): number {
  const days = /^\+?(\d+)d$/.exec(text)?.[1];
  return days === undefined
    ? (readGoDuration(text) ?? refuse(flag, text, '7d, 24h or 1h30m'))
    : Number(days) * DAY;
}

function refuse(flag: string, text: string, examples: string): never {
  throw new TiltbuildError('usage', `${flag} "${text}" is not a valid duration.`, {
    remedy: [`Use a number with a unit, for example ${examples}.`],
  });
}

function readMilliseconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) * 1000 : readGoDuration(text);
}

function readGoDuration(text: string): number | undefined {
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g);
  return [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit as string] ?? 0), 0);
}
