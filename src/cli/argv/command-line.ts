/** Owns the step from argv to what is to be done: a text to show, a build to run, or another command. */
import type {BuilderCommandRequest} from '../../builder/commands/command-request.ts';
import type {DoctorRequest} from '../../doctor/doctor-request.ts';
import {TiltbuildError} from '../../errors.ts';
import type {BuildRequest} from '../../image-build/build-request.ts';
import {LOGIN_COMMAND, type LoginQuestion} from '../../image-build/engines/kubectl-build/lend-login.ts';
import type {Surroundings} from '../../surroundings.ts';
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import {hideSecret} from '../../text/mask-secrets.ts';
import {quoteWord} from '../../text/shell-words.ts';
import {build} from '../commands/build.ts';
import {commandNames, commands, titleOf} from '../commands/commands.ts';
import {doctor} from '../commands/doctor.ts';
import {readBuildRequest} from '../requests/build-request.ts';
import {readBuilderRequest} from '../requests/builder-request.ts';
import {readDoctorRequest} from '../requests/doctor-request.ts';
import type {Completion} from './complete.ts';
import {adviseDirectory, explainFault} from './flag-errors.ts';
import {valuesOf} from './read-flags.ts';
import {type Line, readLine} from './read-line.ts';

export type Invocation =
  | {readonly kind: 'text'; readonly text: string}
  | {readonly kind: 'version'}
  | {readonly kind: 'completion'; readonly completion: Completion}
  | {
      readonly kind: 'build';
      readonly request: BuildRequest;
      readonly verbose: boolean;
      readonly dryRun: boolean;
    }
  | {readonly kind: 'builder'; readonly request: BuilderCommandRequest}
  | {readonly kind: 'doctor'; readonly request: DoctorRequest}
  | {readonly kind: 'login'; readonly question: LoginQuestion};

/** Throws `TiltbuildError` for a line that makes no sense. */
export async function readCommandLine(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<Invocation> {
  const [first, ...rest] = argv;
  if (first === '__complete') {
    const {readCompletion} = await import('./complete.ts');
    return {kind: 'completion', completion: readCompletion(rest, surroundings.cwd)};
  }
  const [file, plugin, ...args] = rest;
  if (first === LOGIN_COMMAND && file !== undefined && plugin !== undefined)
    return {kind: 'login', question: {file, plugin, args}};

  const line = readLine(argv);
  if (line.given.get('help')?.at(-1) === true) return await showHelp(line);
  const [fault] = line.faults;
  if (fault !== undefined) throw explainFault(fault, line.command);
  switch (line.command) {
    case 'build': {
      const flags = valuesOf(build.flags, line.given);
      if (flags.version) return {kind: 'version'};
      const request = readBuildRequest(flags, demandContext(line), line.rest ?? [], surroundings);
      return {kind: 'build', request, verbose: flags.verbose, dryRun: flags['dry-run']};
    }
    case 'builder':
      demandSubcommand(line);
      return await showHelp(line);
    case 'doctor':
      readArguments(line);
      return {kind: 'doctor', request: readDoctorRequest(valuesOf(doctor.flags, line.given), surroundings)};
    default:
      return {
        kind: 'builder',
        request: readBuilderRequest(line.command, line.given, readArguments(line), surroundings),
      };
  }
}

async function showHelp({command: name}: Line): Promise<Invocation> {
  const {renderHelp} = await import('../help/help.ts');
  return {kind: 'text', text: await renderHelp(name)};
}

function demandContext({words, given}: Line): string {
  const [context, ...others] = words.map(({text}) => text);
  if (context === undefined || context === '') {
    throw new TiltbuildError('usage', 'The build context is missing.', {
      remedy: [
        ...adviseValues(given),
        advise`Name a directory to build, often the current one: ${command('kubectl', 'tiltbuild', '-t', 'NAME:TAG', '.')}`,
      ],
    });
  }
  if (others.length > 0) {
    throw new TiltbuildError(
      'usage',
      `Expected one build context, got ${words.length} arguments: ${showWords([context, ...others])}`,
      {remedy: [...adviseValues(given), ...adviseWords(context)]},
    );
  }
  return context;
}

/** Of a variable that is empty the shell leaves nothing, so the flag before it takes the next word as its value. */
function adviseValues(given: Line['given']): readonly Advice[] {
  const taken = [...given].flatMap(([name, values]) => values.map((value) => [name, String(value)] as const));
  return taken
    .filter(([, value]) => /^(?:\.$|--[a-z])/.test(value))
    .map(
      ([name, value]) =>
        advise`Check ${flag(name)}, which has the value ${value.replace(/=.*/s, '')}: a variable there may be empty.`,
    );
}

/** The first word may be the command of another program, or one of ours without the word before it. */
function adviseWords(first: string): readonly Advice[] {
  if (first === 'build') return ['Leave out the word build: kubectl tiltbuild builds without it.'];
  if (listSubcommands().includes(first))
    return [advise`Did you mean ${command('kubectl', 'tiltbuild', 'builder', first)}?`];
  return ['Quote names that contain spaces, and put flags that only kubectl build knows after --.'];
}

function listSubcommands(): readonly string[] {
  return commandNames.flatMap((name) => /^builder (\S+)$/.exec(name)?.[1] ?? []);
}

function demandSubcommand({words, rest = []}: Line): void {
  const [word] = [...words.map(({text}) => text), ...rest];
  if (word === undefined) return;
  const known = listSubcommands();
  throw new TiltbuildError('usage', `kubectl tiltbuild builder has no command "${word}".`, {
    remedy: [`Use one of these: ${known.join(', ')}.`, adviseDirectory('builder')],
  });
}

/** What a command takes besides flags. As with kubectl, what follows `--` is an argument as well. */
function readArguments({command: name, words, rest = []}: Line): readonly string[] {
  const {argument} = commands[name];
  const given = [...words.map(({text}) => text), ...rest];
  const most = argument === undefined ? 0 : argument.several ? given.length : 1;
  if (given.length > most) {
    const expected = argument === undefined ? 'no argument' : `at most one ${argument.name}`;
    throw new TiltbuildError('usage', `${titleOf(name)} takes ${expected}, got: ${showWords(given)}`, {
      remedy: name === 'doctor' ? [adviseDirectory(name)] : [],
    });
  }
  if (argument?.required && !given[0]) {
    throw new TiltbuildError(
      'usage',
      `${titleOf(name)} needs ${argument.several ? `at least one ${argument.name}` : `the ${argument.name} of a builder`}.`,
      {
        remedy: [
          argument.several
            ? advise`List the images: ${command('kubectl', 'tiltbuild', 'builder', 'images')}`
            : advise`List the builders: ${command('kubectl', 'tiltbuild', 'builder', 'ls')}`,
        ],
      },
    );
  }
  return given;
}

/** So it can be seen where each ends; one of them may be what a shell made of a variable. */
function showWords(words: readonly string[]): string {
  return words.map((word) => quoteWord(hideSecret(word), 'posix')).join(' ');
}
