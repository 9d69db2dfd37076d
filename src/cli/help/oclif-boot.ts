/**
 * Owns how oclif is loaded inside a compiled binary, where there is no package.json beside the program and no file to
 * import a command from: it gets both from here.
 */
import {type Command, Config, type Interfaces, Plugin} from '@oclif/core';
import pjson from '../../../package.json' with {type: 'json'};

/** oclif looks for files below it and finds none; it never exists. */
const NOWHERE = process.platform === 'win32' ? 'C:\\kubectl-tiltbuild' : '/kubectl-tiltbuild';

/**
 * The program as oclif's root plugin, with its commands in memory. oclif finds commands by path only, so the one method
 * that would import a file is replaced (@oclif/core 5, config/plugin: `loadCommandsFromTarget`).
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

/**
 * oclif's Config looks for the user's shell for its examples, and on Windows starts PowerShell for it unless SHELL is
 * set (@oclif/core 5, util/os): half a second, and a shell.
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
