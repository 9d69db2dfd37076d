/** Owns build arguments that come from the Tilt extension: Tilt shows the command in its log, but not its environment. */

/** What the extension puts before the name of the argument. */
const PREFIX = 'KUBECTL_TILTBUILD_BUILD_ARG_';

/** Gives each `--build-arg NAME` among the flags the value that the extension gave it. */
export function readBuildArguments(
  flags: readonly (readonly string[])[],
  env: Readonly<Record<string, string | undefined>>,
): readonly (readonly string[])[] {
  const find = (name: string) => env[`${PREFIX}${name}`];
  return flags.map((words) =>
    words.map((word, at) =>
      words[at - 1] === '--build-arg' && find(word) !== undefined ? `${word}=${find(word)}` : word,
    ),
  );
}
