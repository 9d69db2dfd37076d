/** Owns how advice is put where Tilt runs us: what is a flag elsewhere is an argument in the Tiltfile. */

type Env = Readonly<Record<string, string | undefined>>;

/** By the flag's name. What takes a list gets one, what is on or off becomes `True`. */
const ARGUMENTS: Readonly<Record<string, readonly [name: string, kind: 'text' | 'list' | 'switch']>> = {
  'add-host': ['extra_hosts', 'list'],
  builder: ['builder', 'text'],
  'cache-from': ['cache_from', 'list'],
  'cache-to': ['cache_to', 'list'],
  file: ['dockerfile', 'text'],
  'file-env': ['dockerfile_contents', 'text'],
  ignore: ['ignore', 'list'],
  namespace: ['namespace', 'text'],
  network: ['network', 'text'],
  'no-cache': ['no_cache', 'switch'],
  only: ['only', 'list'],
  platform: ['platform', 'text'],
  pull: ['pull', 'switch'],
  push: ['push', 'switch'],
  'registry-secret': ['registry_secret', 'text'],
  secret: ['secret', 'text'],
  ssh: ['ssh', 'text'],
  tag: ['extra_tag', 'text'],
  target: ['target', 'text'],
};

/** A flag, and its value where one stands there: a placeholder, one with a `=`, or the last word. */
const FLAG =
  /--([a-z][a-z-]*)(?:(=)([^\s,;)]*)| ((?:[a-z]+\/)?[A-Z]{2,}\b[^\s,;.)]*|[\w-]+=[^\s;)]*[^\s,;.)]|[^\s,;.)-][^\s,;)]*(?<!\.)$))?/g;
/** A command that is typed in a terminal wherever the advice is read. */
const COMMAND = /(^ {2}.*|\b(?:kubectl|oc) (?!build\b).*|`[^`]*`)/s;

/**
 * The rewriting of advice for where we run; as it is outside Tilt. Our extension writes the command itself, so that its
 * user has arguments and no flags; who writes the command for `custom_build` has the flags.
 */
export function chooseRephrasing(env: Env): (text: string) => string {
  const byExtension = Boolean(env.KUBECTL_TILTBUILD_INPUTS);
  const underTilt = byExtension || Boolean(env.TILT_PORT || env.TILT_HOST || env.EXPECTED_REF);
  if (!underTilt) return (text) => text;
  return (text) => {
    const parts = text.split(COMMAND);
    // What was split at stands between the others.
    return parts
      .map((part, index) =>
        index % 2 === 1
          ? part
          : part.replace(FLAG, (flag, ...groups: string[]) => rephraseFlag(flag, groups, byExtension)),
      )
      .join('');
  };
}

function rephraseFlag(
  flag: string,
  [name = '', equals, assigned, following]: readonly string[],
  byExtension: boolean,
): string {
  const value = equals ? (assigned ?? '') : following;
  // Tilt gives every command a kubeconfig of its own, with its own context alone.
  if (name === 'context') return `\`tilt up --context${value ? ` ${value}` : ''}\``;
  const argument = Object.hasOwn(ARGUMENTS, name) ? ARGUMENTS[name] : undefined;
  if (!byExtension || argument === undefined) return flag;
  const [key, kind] = argument;
  const shown =
    kind === 'switch' ? 'True' : value === undefined ? '…' : kind === 'list' ? `['${value}']` : `'${value}'`;
  return `\`kubectl_build(…, ${key}=${shown})\``;
}
