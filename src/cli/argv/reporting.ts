/** Owns how errors are told, as far as the command line says so; it is known even where that cannot be read. */

export interface Reporting {
  /** How often `-v` was given. */
  readonly verbosity: number;
  /** Whether an error is one JSON object: `--print json`. */
  readonly json: boolean;
}

export function readReporting(argv: readonly string[]): Reporting {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const shorts = words.map((word) => /^-(v+)$/.exec(word)?.[1]?.length ?? Number(word === '--verbose'));
  const print = words.findLast(
    (word, index) => word.startsWith('--print=') || words[index - 1] === '--print',
  );
  return {
    verbosity: shorts.reduce((sum, count) => sum + count, 0),
    json: print === 'json' || print === '--print=json',
  };
}
