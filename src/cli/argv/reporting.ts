/** Owns how errors are reported, as far as the command line says so, even where it is wrong. */
import {everyFlag} from '../commands/commands.ts';
import {readFlags} from './read-flags.ts';

export interface Reporting {
  /** How often `-v` was given. */
  readonly verbosity: number;
  /** Whether an error is one JSON object: `--print json`. */
  readonly json: boolean;
}

export function readReporting(argv: readonly string[]): Reporting {
  const {given} = readFlags(argv, everyFlag);
  return {
    verbosity: (given.get('verbose') ?? []).filter(Boolean).length,
    json: given.get('print')?.at(-1) === 'json',
  };
}
