/** Owns finding programs on PATH by kubectl's rules, but for one: never in the current directory. */
import {delimiter, isAbsolute} from 'node:path';
import {whichCommand} from 'which-command';

/**
 * Absolute path of the first program called `name`; undefined where there is none.
 *
 * kubectl finds its plugins with Go's exec.LookPath, to which an empty PATH entry means the current directory,
 * and runs what it finds there. A checkout could then bring its own `kubectl-build`, so entries that are not
 * absolute are passed over.
 */
export async function findOnPath(
  name: string,
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): Promise<string | undefined> {
  const entries = (pathVariable(env, platform) ?? '').split(delimiter).filter((entry) => isAbsolute(entry));
  const [first] = entries;
  if (first === undefined) return undefined;
  return await whichCommand(name, {
    path: entries.join(delimiter),
    // On Windows which-command looks here before PATH, as cmd does in the current directory.
    cwd: first,
    ...(env.PATHEXT && {pathExt: env.PATHEXT}),
  });
}

function pathVariable(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): string | undefined {
  if (platform !== 'win32') return env.PATH;
  const name = Object.keys(env).find((key) => key.toUpperCase() === 'PATH');
  return name === undefined ? undefined : env[name];
}
