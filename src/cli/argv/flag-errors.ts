/** Owns the errors for flags that a command does not take as they were given. */
import {TiltbuildError} from '../../errors.ts';
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import {findNearName} from '../../text/near-name.ts';
import {build} from '../commands/build.ts';
import {type CommandName, commands, titleOf} from '../commands/commands.ts';
import type {Flags} from '../commands/definition.ts';
import type {FlagFault} from './read-flags.ts';
import {REFUSED_FLAGS, REFUSED_VALUES} from './refused-flags.ts';

export function explainFault(fault: FlagFault, name: CommandName): TiltbuildError {
  const {shown} = fault;
  switch (fault.kind) {
    case 'no-value':
      return new TiltbuildError('usage', `${shown} needs a value.`);
    case 'no-boolean':
      return new TiltbuildError('usage', `${shown} is either true or false, not "${fault.value}".`);
    case 'no-option': {
      const hint = REFUSED_VALUES[shown]?.[fault.value];
      return new TiltbuildError(
        'usage',
        `${shown} is one of ${fault.options.join(', ')}, not "${fault.value}".`,
        {remedy: hint === undefined ? [] : [hint]},
      );
    }
    case 'unknown':
      return explainUnknown(shown, name);
    default:
      return fault satisfies never;
  }
}

function explainUnknown(shown: string, name: CommandName): TiltbuildError {
  const reason = name === 'build' ? REFUSED_FLAGS[shown] : undefined;
  if (reason !== undefined) return new TiltbuildError('usage', `${shown} ${reason}`);
  return new TiltbuildError('usage', `${shown} is not a flag of ${titleOf(name)}.`, {
    remedy: suggest(shown, name),
  });
}

function suggest(shown: string, name: CommandName): readonly Advice[] {
  const known = Object.keys(commands[name].flags);
  const nearest = shown.startsWith('--') ? findNearName(shown.slice(2), known, 1) : undefined;
  if (nearest !== undefined) return [advise`Did you mean ${flag(nearest)}?`];
  const listFlags = advise`List the flags: ${command(...titleOf(name).split(' '), '--help')}`;
  if (name === 'build') return [listFlags, 'Put flags that only kubectl build knows after --.'];
  const flags: Flags = build.flags;
  const isOfBuild = Object.entries(flags).some(([key, {char}]) => [`--${key}`, `-${char}`].includes(shown));
  return isOfBuild ? [listFlags, adviseDirectory(name.replace(/ .*/, ''))] : [listFlags];
}

/** What is a command is no directory, which may surprise those who have one of its name. */
export function adviseDirectory(name: string): Advice {
  return `To build a directory called ${name}, write ./${name}.`;
}
