/** Owns finding programs on PATH by kubectl's rules, except that the current directory is never searched. */
import {delimiter, isAbsolute} from 'node:path';
import {whichCommand, whichCommandAll} from 'which-command';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Absolute path of the first program called `name`; undefined if there is none.
 *
 * kubectl finds its plugins with Go's exec.LookPath, which takes an empty PATH entry for the current directory. A
 * checkout could bring its own `kubectl-build` that way, so entries that are not absolute are skipped.
 */
export async function findOnPath(
  name: string,
  env: Env,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  const options = lookupOptions(env, platform);
  return options && (await whichCommand(name, options));
}

/** All programs called `name`, in the order of PATH, by the same rules. */
export async function findAllOnPath(
  name: string,
  env: Env,
  platform: NodeJS.Platform,
): Promise<readonly string[]> {
  const options = lookupOptions(env, platform);
  return options === undefined ? [] : await whichCommandAll(name, options);
}

/** All entries of PATH, including those that are skipped here. */
export function pathEntries(env: Env, platform: NodeJS.Platform): readonly string[] {
  const text = pathVariable(env, platform);
  return text ? text.split(delimiter) : [];
}

function lookupOptions(env: Env, platform: NodeJS.Platform) {
  const entries = pathEntries(env, platform).filter((entry) => isAbsolute(entry));
  const [first] = entries;
  if (first === undefined) return undefined;
  return {
    path: entries.join(delimiter),
    // On Windows which-command searches this directory before PATH, as cmd does with the current one.
    cwd: first,
    ...(env.PATHEXT && {pathExt: env.PATHEXT}),
  };
}

function pathVariable(env: Env, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env.PATH;
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH');
  return name === undefined ? undefined : env[name];
}
