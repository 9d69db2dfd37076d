/** Owns the form in which flags and commands are defined, and the types of the flags' values. */
import type {ValueSource} from '../../cluster/complete-values.ts';
import type {TiltArgument} from '../../tilt/tiltfile-phrases.ts';

/** What completion offers for a value: paths, names to look up, or the usual values where others are possible. */
export type Offer =
  | 'files'
  | 'directories'
  | {readonly live: ValueSource}
  | {readonly usual: readonly string[]};

interface SwitchFacts {
  readonly char?: string;
  readonly group?: string;
  /** How the programs that we start get it: as it was given, or as we write it. Without this they do not. */
  readonly passed?: 'as-given' | 'rewritten';
  readonly tilt?: TiltArgument;
}

interface ValueFacts extends SwitchFacts {
  readonly offer?: Offer;
}

export interface SwitchFlag extends SwitchFacts {
  readonly type: 'switch';
  readonly summary: string;
}

/** A `list` has one value for each time that it is given; of a `text` the last one counts, as with pflag. */
export interface ValueFlag<Type extends 'text' | 'list' = 'text' | 'list'> extends ValueFacts {
  readonly type: Type;
  /** What help calls it. */
  readonly value: string;
  readonly summary: string;
}

export interface ChoiceFlag<Option extends string = string> extends SwitchFacts {
  readonly type: 'choice';
  readonly value: string;
  readonly options: readonly Option[];
  readonly summary: string;
}

export type Flag = SwitchFlag | ValueFlag | ChoiceFlag;

/** By their long names, in the order of the help. */
export type Flags = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends SwitchFlag
  ? boolean
  : F extends ChoiceFlag<infer Option>
    ? Option | undefined
    : F extends ValueFlag<'list'>
      ? readonly string[]
      : string | undefined;

/** The value of each flag; a switch that is not given is off, and a list is empty. */
export type ValuesOf<F extends Flags> = {readonly [Name in keyof F]: ValueOf<F[Name]>};

export interface CommandDefinition {
  readonly summary: string;
  readonly description?: string;
  /** Without `kubectl tiltbuild`. */
  readonly usage: string;
  readonly examples?: readonly {readonly description: string; readonly command: string}[];
  /** What it takes besides flags. */
  readonly argument?: {
    readonly name: string;
    readonly summary: string;
    readonly required?: boolean;
    /** Whether there may be more than one. */
    readonly several?: boolean;
    readonly offer?: Offer;
  };
  readonly flags: Flags;
}

/** A summary is a short phrase without a full stop. */
export function toggle(summary: string, facts: SwitchFacts = {}): SwitchFlag {
  return {type: 'switch', summary, ...facts};
}

export function text(value: string, summary: string, facts: ValueFacts = {}): ValueFlag<'text'> {
  return {type: 'text', value, summary, ...facts};
}

export function list(value: string, summary: string, facts: ValueFacts = {}): ValueFlag<'list'> {
  return {type: 'list', value, summary, ...facts};
}

export function choice<const Option extends string>(
  value: string,
  options: readonly Option[],
  summary: string,
  facts: SwitchFacts = {},
): ChoiceFlag<Option> {
  return {type: 'choice', value, options, summary, ...facts};
}

export function group<F extends Flags>(name: string, flags: F): F {
  const entries = Object.entries(flags).map(([key, flag]) => [key, {...flag, group: name}]);
  return Object.fromEntries(entries);
}
