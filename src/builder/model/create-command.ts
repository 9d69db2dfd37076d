/** Owns the command that makes a builder, as messages tell it to the user. */
import type {ObjectPlace} from '../../cluster/api/paths.ts';

/** `flags` as they are typed, e.g. `--replace`. */
export function createCommand({name, namespace}: ObjectPlace, ...flags: readonly string[]): string {
  return ['kubectl tiltbuild builder create', name, ...flags, '--namespace', namespace].join(' ');
}
