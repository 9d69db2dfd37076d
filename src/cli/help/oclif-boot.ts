/**
 * Owns all that knows how oclif is loaded inside a compiled binary, where there is no package.json beside the
 * program and no file to import a command from: both are handed to it.
 */
import {type Command, Config, Help, type Interfaces, Plugin} from '@oclif/core';
import pjson from '../../../package.json' with {type: 'json'};
import {DoctorCommand} from './commands/doctor.ts';

/** The command that runs where the first argument names no other one. */
export const ROOT_COMMAND = 'build';

/** oclif looks for files below it and finds none; it never exists. */
const NOWHERE = process.platform === 'win32' ? 'C:\\kubectl-tiltbuild' : '/kubectl-tiltbuild';

/**
 * The program as oclif's root plugin, its commands in memory. oclif finds commands by path only, so that the one
 * method which would import a file is replaced (@oclif/core 5, config/plugin: `loadCommandsFromTarget`).
 */
export async function makePlugin(commands: Readonly<Record<string, Command.Class>>): Promise<Plugin> {
  const discovery = {strategy: 'explicit', target: NOWHERE, identifier: 'commands'};
  const plugin = new Plugin({
    root: NOWHERE,
    pjson: {...pjson, oclif: {...pjson.oclif, commands: discovery}} as unknown as Interfaces.PJSON,
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
  });
  Object.assign(plugin, {loadCommandsFromTarget: async () => commands});
  await plugin.load();
  return plugin;
}

export async function loadOclif(commands: Readonly<Record<string, Command.Class>>): Promise<Config> {
  return await withoutShellLookup(async () => {
    const plugin = await makePlugin(commands);
    const config = new Config({root: NOWHERE, plugins: new Map([[plugin.name, plugin]])});
    await config.load();
    return config;
  });
}

/** What a group of commands is for. */
export function topicSummary(name: string): string {
  const topics: Readonly<Record<string, {readonly description: string}>> = pjson.oclif.topics;
  return topics[name]?.description ?? '';
}

/** The help of one command as text, for a terminal `width` columns wide. */
export async function renderHelp(config: Config, id: string): Promise<string> {
  const command = config.findCommand(id, {must: true});
  const help = new TextHelp(config, {flagSortOrder: 'none'} as never);
  // The root command has no name of its own to show, but oclif still leaves a space for it.
  await help.showCommandHelp({...command, id: id === ROOT_COMMAND ? '' : id});
  const more =
    id === ROOT_COMMAND
      ? `\nCOMMANDS\n  builder  ${pjson.oclif.topics.builder.description}\n  doctor   ${DoctorCommand.summary}\n`
      : '';
  return help.text().replace(`${config.bin}  `, `${config.bin} `) + more;
}

/** The help of a group of commands. */
export async function renderTopic(config: Config, name: string): Promise<string> {
  const help = new TextHelp(config);
  await help.showTopicHelp({name, description: pjson.oclif.topics.builder.description});
  return help.text();
}

class TextHelp extends Help {
  readonly #parts: string[] = [];

  override async showTopicHelp(topic: Interfaces.Topic): Promise<void> {
    await super.showTopicHelp(topic);
  }

  text(): string {
    return `${this.#parts.join('\n').trim()}\n`;
  }

  protected override log(...parts: string[]): void {
    this.#parts.push(parts.join(' '));
  }
}

/**
 * oclif's Config finds out the user's shell for its examples, and on Windows starts PowerShell for it unless
 * SHELL is set (@oclif/core 5, util/os): half a second, and a shell.
 */
async function withoutShellLookup<T>(load: () => Promise<T>): Promise<T> {
  if (process.platform !== 'win32' || process.env.SHELL !== undefined) return await load();
  process.env.SHELL = 'cmd.exe';
  try {
    return await load();
  } finally {
    delete process.env.SHELL;
  }
}
