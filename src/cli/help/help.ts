/** Owns the help of each command as text. */
import {type Command, CommandHelp, Help} from '@oclif/core';
import {type CommandName, commandNames, commands} from '../commands/commands.ts';
import {EXIT_CODE_TABLE} from '../render/exit-codes.ts';
import {loadOclif} from './oclif-boot.ts';
import {oclifCommands} from './oclif-commands.ts';

export async function renderHelp(name: CommandName): Promise<string> {
  const id = name.replaceAll(' ', ':');
  // oclif goes through every flag of every command that it gets.
  const config = await loadOclif(
    Object.fromEntries(Object.entries(oclifCommands).filter(([other]) => other === id)),
  );
  const command = config.findCommand(id, {must: true});
  return `${new Pages(config, {flagSortOrder: 'none'} as never).format(command)}\n`;
}

class Page extends CommandHelp {
  protected override sections(): ReturnType<CommandHelp['sections']> {
    const sections = super.sections();
    const commands = listSection('COMMANDS', listSubcommands(this.#name));
    switch (this.#name) {
      case 'build':
      case 'builder images':
        return [
          ...sections.slice(0, 1),
          commands,
          ...sections.slice(1),
          ...(this.#name === 'build' ? [listSection('EXIT CODES', EXIT_CODE_TABLE)] : []),
        ];
      case 'builder':
        return [...sections.slice(0, 1), commands];
      default:
        return sections;
    }
  }

  protected override usage(): string {
    return this.wrap(`$ kubectl tiltbuild ${commands[this.#name].usage}`);
  }

  override generate(): string {
    const {summary, description} = commands[this.#name];
    return [summary, ...(description === undefined ? [] : [this.wrap(description)]), super.generate()].join(
      '\n\n',
    );
  }

  /** It stands above all sections. */
  protected override description(): undefined {}

  /**
   * oclif trims the whole list (5.1, help/formatter), and with it the place of a letter that its first flag has not.
   * On a narrow terminal it calls itself for another form of the list, which then has that place already.
   */
  override renderList(...[rows, options]: Parameters<CommandHelp['renderList']>): string {
    const list = super.renderList(rows, options);
    return rows[0]?.[0]?.startsWith('    ') && !list.startsWith(' ') ? `    ${list}` : list;
  }

  get #name(): CommandName {
    return this.command.id as CommandName;
  }
}

class Pages extends Help {
  protected override CommandHelpClass = Page;

  format(command: Command.Loadable): string {
    return this.formatCommand(command);
  }
}

type Row = readonly [name: string, meaning: string];

function listSection(header: string, rows: readonly Row[]) {
  return {
    header,
    generate: () => [{header, body: rows.map(([name, meaning]): [string, string] => [name, meaning])}],
  };
}

function listSubcommands(name: CommandName): readonly Row[] {
  const before = name === 'build' ? '' : `${name} `;
  return commandNames
    .filter(
      (other) => other !== 'build' && other.startsWith(before) && !other.slice(before.length).includes(' '),
    )
    .map((other) => [other.split(' ').at(-1) ?? other, commands[other].summary]);
}
