/** Owns how a flag is written in advice that is read under Tilt, where a Tiltfile has arguments instead of flags. */
import {type FlagWriter, writeFlag} from '../text/advice.ts';

/** What a flag is there: an argument of our extension's `kubectl_build`, or a flag of `tilt up`. */
export type TiltArgument =
  | {readonly kind: 'text' | 'list' | 'switch'; readonly name: string}
  | {readonly kind: 'tilt-up'};

/**
 * Our extension writes the command itself, so its user has arguments and no flags; who writes a command for
 * `custom_build` has the flags. Outside Tilt, all flags are flags.
 */
export function chooseFlagWriter(
  env: Readonly<Record<string, string | undefined>>,
  argumentOf: (flag: string) => TiltArgument | undefined,
): FlagWriter {
  const byExtension = Boolean(env.KUBECTL_TILTBUILD_INPUTS);
  const underTilt = byExtension || Boolean(env.TILT_PORT || env.TILT_HOST || env.EXPECTED_REF);
  if (!underTilt) return writeFlag;
  return (use, shell) => {
    const argument = argumentOf(use.flag);
    if (argument?.kind === 'tilt-up') return `\`tilt up ${writeFlag(use, shell)}\``;
    if (argument === undefined || !byExtension) return writeFlag(use, shell);
    return `\`kubectl_build(…, ${argument.name}=${writeValue(argument.kind, use.value)})\``;
  };
}

function writeValue(kind: 'text' | 'list' | 'switch', value: string | undefined): string {
  if (kind === 'switch') return 'True';
  if (value === undefined) return '…';
  const literal = `'${value.replaceAll(/[\\']/g, '\\$&')}'`;
  return kind === 'list' ? `[${literal}]` : literal;
}
