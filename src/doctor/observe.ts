/** Owns looking at something for a limited time: the result is a value, an error, or that it took too long. */
import {TiltbuildError} from '../errors.ts';
import type {Ports} from '../ports.ts';

export type Seen<T> =
  /** `took` in milliseconds. */
  | {readonly kind: 'seen'; readonly value: T; readonly took: number}
  | {readonly kind: 'failed'; readonly error: TiltbuildError; readonly took: number}
  | {readonly kind: 'late'; readonly limit: number};

/** Throws what is no finding: a bug, or `Interrupted`. A look that is late continues, and its result is ignored. */
export async function observe<T>(
  look: () => Promise<T>,
  limit: number,
  {now, sleep}: Pick<Ports, 'now' | 'sleep'>,
): Promise<Seen<T>> {
  const started = now();
  const seen = look().then(
    (value): Seen<T> => ({kind: 'seen', value, took: now() - started}),
    (error: unknown): Seen<T> => {
      if (error instanceof TiltbuildError) return {kind: 'failed', error, took: now() - started};
      throw error;
    },
  );
  const late = sleep(limit).then((): Seen<T> => ({kind: 'late', limit}));
  return await Promise.race([seen, late]);
}
