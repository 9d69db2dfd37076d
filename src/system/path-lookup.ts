/** Owns finding programs on PATH by kubectl's rules, but for one: never in the current directory. */
import {delimiter, isAbsolute} from 'node:path';
import {whichCommand, whichCommandAll} from 'which-command';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Absolute path of the first program called `name`; undefined where there is none.
 *
 * kubectl finds its plugins with Go's exec.LookPath, to which an empty PATH entry means the current directory,
 * and runs what it finds there. A checkout could then bring its own `kubectl-build`, so entries that are not
 * absolute are passed over.
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

/** The entries of PATH as they stand, also those that are passed over here. */
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
    // On Windows which-command looks here before PATH, as cmd does in the current directory.
    cwd: first,
    ...(env.PATHEXT && {pathExt: env.PATHEXT}),
  };
}

function pathVariable(env: Env, platform: NodeJS.Platform): string | undefined {
  if (platform !== 'win32') return env.PATH;
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH');
  return name === undefined ? undefined : env[name];
}
