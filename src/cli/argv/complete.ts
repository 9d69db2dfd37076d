/**
 * Owns the completion of a command line by kubectl's protocol for plugins, which is cobra's: all words but the last
 * are given, the last one is to be completed, and the answer is a candidate a line, then `:` and a number.
 */
import type {Command} from '@oclif/core';
import type {CompletionRequest, ValueSource} from '../../cluster/complete-values.ts';
import {ROOT_COMMAND, topicSummary} from '../help/oclif-boot.ts';
import {type ConnectionFlags, readConnection} from '../requests/connection-request.ts';
import {type CompletedFlag, scanWords} from './complete-scan.ts';

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

/** By oclif's names for them. */
type Commands = Readonly<Record<string, Command.Class>>;

const FILE_FLAGS = ['file', 'only', 'iidfile', 'metadata-file', 'ref-file', 'kubeconfig'];
const KEY_FLAGS = ['certificate-authority', 'client-certificate', 'client-key'];
const WITH_FILES: ReadonlySet<string> = new Set([...FILE_FLAGS, ...KEY_FLAGS]);
const WITH_DIRECTORIES: ReadonlySet<string> = new Set(['cache-dir']);

const LIVE_VALUES: Readonly<Record<string, ValueSource>> = {
  context: 'contexts',
  cluster: 'clusters',
  user: 'users',
  namespace: 'namespaces',
  builder: 'builders',
  'registry-secret': 'pull-secrets',
};

/** Where the values are not all that there can be, so that oclif must not check them. */
const USUAL_VALUES: Readonly<Record<string, readonly string[]>> = {
  network: ['default', 'host', 'none'],
  allow: ['network.host', 'security.insecure'],
  platform: ['linux/amd64', 'linux/arm64'],
  'builder-replicas': ['1', 'nodes'],
  replicas: ['1', 'nodes'],
};

const NOTHING: Completion = {candidates: [], directive: NO_FILES};

/** `words` as kubectl hands them on; the last is what is typed so far of the word in question. Never throws. */
export function readCompletion(words: readonly string[], commands: Commands, cwd: string): Completion {
  const [first = '', second = ''] = words;
  const ids = Object.keys(commands).filter((id) => id !== ROOT_COMMAND);
  if (words.length === 1 && !first.startsWith('-')) {
    const here = first === '' ? ['.\tThe current directory'] : [];
    const known = offer([...describeFirstWords(ids, commands), ...here], first);
    if (known.candidates.length > 0) return known;
  }
  if (words.length > 1 && ids.includes(first)) return completeCommand(first, words.slice(1), commands, cwd);
  const inTopic = ids.filter((id) => id.startsWith(`${first}:`));
  if (words.length === 1 || inTopic.length === 0) return completeCommand(ROOT_COMMAND, words, commands, cwd);
  if (words.length === 2) {
    return offer(
      inTopic.map((id) => `${id.slice(first.length + 1)}\t${commands[id]?.summary}`),
      second,
    );
  }
  const id = `${first}:${second}`;
  return ids.includes(id) ? completeCommand(id, words.slice(2), commands, cwd) : NOTHING;
}

/** What kubectl reads. `values` are those that were looked up. */
export function formatCompletion({candidates, directive}: Completion, values: readonly string[]): string {
  return [...candidates, ...values, `:${directive}`, ''].join('\n');
}

function completeCommand(id: string, words: readonly string[], commands: Commands, cwd: string): Completion {
  const flags = (commands[id]?.flags ?? {}) as Readonly<Record<string, CompletedFlag>>;
  const args = Object.keys(commands[id]?.args ?? {});
  const typed = words.at(-1) ?? '';
  const {given, positionals, pending, passthrough} = scanWords(words.slice(0, -1), flags);
  const lookUp = (source: ValueSource, prefix: string): Completion => {
    const connection = readGiven(given, cwd);
    return connection === undefined ? NOTHING : {...NOTHING, live: {source, prefix, connection}};
  };
  const completeValue = (name: string, prefix: string): Completion => {
    if (WITH_FILES.has(name)) return {candidates: [], directive: FILES};
    if (WITH_DIRECTORIES.has(name)) return {candidates: [], directive: DIRECTORIES};
    const source = LIVE_VALUES[name];
    return source === undefined
      ? offer(flags[name]?.options ?? USUAL_VALUES[name] ?? [], prefix)
      : lookUp(source, prefix);
  };

  if (passthrough) return {candidates: [], directive: FILES};
  if (pending !== undefined) return completeValue(pending, typed);
  const [, name, value] = /^--([^=]+)=(.*)$/s.exec(typed) ?? [];
  if (name !== undefined) return completeValue(name, value ?? '');
  if (typed.startsWith('-')) return offer(describeFlags(flags, given), typed);
  if (positionals > 0) return NOTHING;
  if (args.includes('path')) return {candidates: [], directive: DIRECTORIES};
  // A builder that is to be made has a name that is not there yet.
  return args.includes('name') && id !== 'builder:create' ? lookUp('builders', typed) : NOTHING;
}

function offer(candidates: readonly string[], prefix: string): Completion {
  return {candidates: candidates.filter((candidate) => candidate.startsWith(prefix)), directive: NO_FILES};
}

function describeFirstWords(ids: readonly string[], commands: Commands): readonly string[] {
  const words = new Set(ids.map((id) => id.replace(/:.*$/s, '')));
  return [...words].map((word) => `${word}\t${commands[word]?.summary ?? topicSummary(word)}`);
}

/** Those that can still be given. */
function describeFlags(
  flags: Readonly<Record<string, CompletedFlag>>,
  given: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  return Object.entries(flags)
    .filter(([name, {hidden, multiple}]) => !hidden && (multiple || !given.has(name)))
    .flatMap(([name, {char, summary}]) => [
      `--${name}\t${summary}`,
      ...(char ? [`-${char}\t${summary}`] : []),
    ]);
}

/** Undefined where the cluster cannot be told from what is typed so far. */
function readGiven(
  given: ReadonlyMap<string, readonly string[]>,
  cwd: string,
): CompletionRequest['connection'] | undefined {
  const flags = Object.fromEntries(
    [...given].map(([name, values]) => [name, name === 'as-group' ? values : values.at(-1)]),
  );
  const insecure = given.has('insecure-skip-tls-verify');
  try {
    return readConnection(
      {...flags, 'insecure-skip-tls-verify': insecure, 'request-timeout': '1s'} as unknown as ConnectionFlags,
      cwd,
    );
  } catch {
    return undefined;
  }
}
