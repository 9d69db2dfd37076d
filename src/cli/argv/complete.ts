/**
 * Owns the completion of a command line by kubectl's protocol for plugins, which is cobra's: all words but the last
 * are given, the last one is to be completed, and the answer is a candidate a line, then `:` and a number.
 */
import type {CompletionRequest, ValueSource} from '../../cluster/complete-values.ts';
import {hasControls} from '../../text/show-text.ts';
import {type CommandName, commandNames, commands} from '../commands/commands.ts';
import {connectionFlags} from '../commands/common-flags.ts';
import type {Flag, Flags, Offer} from '../commands/definition.ts';
import {readConnection} from '../requests/connection-request.ts';
import {type Given, valuesOf} from './read-flags.ts';
import {readLine} from './read-line.ts';

/** cobra's `ShellCompDirective`: what the shell does besides showing the candidates. */
const FILES = 0;
const NO_FILES = 4;
const DIRECTORIES = 16;

export interface Completion {
  /** Each with its description, if it has one, behind a tab. */
  readonly candidates: readonly string[];
  readonly directive: number;
  /** Values that have to be looked up. */
  readonly live?: CompletionRequest;
}

/** `words` as kubectl hands them on; the last is what is typed so far of the word in question. Never throws. */
export function readCompletion(words: readonly string[], cwd: string): Completion {
  const typed = words.at(-1) ?? '';
  const {command, given, words: args, pending, rest} = readLine(words.slice(0, -1));
  const {flags, argument} = commands[command];

  if (rest !== undefined) return {candidates: [], directive: FILES};
  if (pending !== undefined) return completeValue(offerOf(flags[pending]), typed, given, cwd);
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(typed) ?? [];
  if (name !== undefined) return completeValue(offerOf(flags[name]), value ?? '', given, cwd);
  if (typed.startsWith('-')) return choose(describeFlags(flags, given), typed);
  if (args.length > 0) return choose([], typed);
  const known = choose(describeCommands(command, given, typed), typed);
  return known.candidates.length > 0 ? known : completeValue(argument?.offer, typed, given, cwd);
}

/** What kubectl reads. `values` are those that were looked up; nobody can type one with a control character. */
export function formatCompletion({candidates, directive}: Completion, values: readonly string[]): string {
  return [...candidates, ...values.filter((value) => !hasControls(value)), `:${directive}`, ''].join('\n');
}

function choose(candidates: readonly string[], prefix: string): Completion {
  return {candidates: candidates.filter((candidate) => candidate.startsWith(prefix)), directive: NO_FILES};
}

function offerOf(flag: Flag | undefined): Offer | undefined {
  if (flag === undefined || flag.type === 'switch') return undefined;
  return flag.type === 'choice' ? {usual: flag.options} : flag.offer;
}

function completeValue(offer: Offer | undefined, prefix: string, given: Given, cwd: string): Completion {
  if (offer === 'files') return {candidates: [], directive: FILES};
  if (offer === 'directories') return {candidates: [], directive: DIRECTORIES};
  if (offer === undefined) return choose([], prefix);
  return 'usual' in offer ? choose(offer.usual, prefix) : lookUp(offer.live, prefix, given, cwd);
}

/** Nothing where what is typed so far names no cluster. */
function lookUp(source: ValueSource, prefix: string, given: Given, cwd: string): Completion {
  const flags = {...valuesOf(connectionFlags, given), 'request-timeout': '1s'};
  return {...choose([], prefix), live: {source, prefix, connection: readConnection(flags, cwd)}};
}

/** The next words of a command that has the flags given so far; or else a directory is built. */
function describeCommands(command: CommandName, given: Given, typed: string): readonly string[] {
  const before = command === 'build' ? '' : `${command} `;
  const fitting = commandNames.filter(
    (name) =>
      name !== 'build' &&
      name.startsWith(before) &&
      [...given.keys()].every((flag) => Object.hasOwn(commands[name].flags, flag)),
  );
  const words = new Set(fitting.map((name) => name.slice(before.length).split(' ')[0]));
  const here = command === 'build' && typed === '' ? ['.\tThe current directory'] : [];
  return words.size === 0
    ? []
    : [
        ...[...words].map((word) => `${word}\t${commands[`${before}${word}` as CommandName].summary}`),
        ...here,
      ];
}

/** Those that can still be given. */
function describeFlags(flags: Flags, given: Given): readonly string[] {
  return Object.entries(flags)
    .filter(([name, {type}]) => type === 'list' || !given.has(name))
    .flatMap(([name, {char, summary}]) => [
      `--${name}\t${summary}`,
      ...(char ? [`-${char}\t${summary}`] : []),
    ]);
}
