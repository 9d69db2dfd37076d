/** Owns the commands as oclif describes them: classes made from our definitions. oclif parses no line with them. */
import {Args, Command, Flags} from '@oclif/core';
import {commandNames, commands} from '../commands/commands.ts';
import type {CommandDefinition, Flag} from '../commands/definition.ts';

/** By oclif's names for them. */
export const oclifCommands: Readonly<Record<string, Command.Class>> = Object.fromEntries(
  commandNames.map((name) => [name.replaceAll(' ', ':'), makeCommand(commands[name])]),
);

function makeCommand({argument, flags, ...definition}: CommandDefinition): Command.Class {
  return class extends Command {
    static override summary = definition.summary;
    static override description = definition.description;
    static override usage = definition.usage;
    static override examples = [...(definition.examples ?? [])];
    static override args =
      argument === undefined
        ? {}
        : {
            [argument.name]: Args.string({
              description: argument.summary,
              required: argument.required ?? false,
            }),
          };
    static override flags = Object.fromEntries(
      Object.entries(flags).map(([name, flag]) => [name, makeFlag(flag)]),
    );

    override async run(): Promise<void> {}
  };
}

function makeFlag(flag: Flag) {
  const {char, summary, group} = flag;
  const common = {char: char as never, summary, ...(group && {helpGroup: group})};
  if (flag.type === 'switch') return Flags.boolean(common);
  const valued = {...common, helpValue: flag.value};
  if (flag.type === 'choice') return Flags.string({...valued, options: [...flag.options]});
  return flag.type === 'list' ? Flags.string({...valued, multiple: true}) : Flags.string(valued);
}
