/**
 * Owns the build's flags as typed values, by the same definitions that oclif has them from. oclif itself takes 14 ms to
 * be loaded and to read a command line, a third of what a build costs on top of its delegate, and a build is what runs
 * hundreds of times a day; the other commands are read by oclif (`oclif-lines.ts`).
 */
import type {Interfaces} from '@oclif/core';
import {TiltbuildError} from '../../errors.ts';
import {flags} from './flags.ts';
import type {ReadArgv} from './pflag-argv.ts';

export type BuildFlags = Interfaces.InferredFlags<typeof flags>;

interface Definition {
  readonly type: 'boolean' | 'option';
  readonly multiple?: boolean;
  readonly options?: readonly string[];
}

/** Throws `usage` for a value that is none of a flag's options. */
export function readFlagValues(given: ReadArgv['given']): BuildFlags {
  const definitions = Object.entries(flags as unknown as Readonly<Record<string, Definition>>);
  return Object.fromEntries(
    definitions.map(([name, definition]) => [name, readValue(name, definition, given.get(name))]),
  ) as unknown as BuildFlags;
}

function readValue(
  name: string,
  {type, multiple, options}: Definition,
  value: readonly string[] | boolean | undefined,
): readonly string[] | string | boolean | undefined {
  if (type === 'boolean') return value ?? false;
  if (!Array.isArray(value)) return undefined;
  const wrong = options === undefined ? undefined : value.find((text) => !options.includes(text));
  if (wrong !== undefined) {
    throw new TiltbuildError('usage', `--${name} is one of ${options?.join(', ')}, and not "${wrong}".`);
  }
  return multiple ? value : value[0];
}
