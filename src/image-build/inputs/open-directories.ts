/** Owns which local directories a build sends to the builder, or fills with its result. */
import {splitKeyValue} from '../../text/key-value.ts';
import type {BuildRequest} from '../build-request.ts';

type Inputs = Pick<BuildRequest, 'context' | 'output' | 'passedFlags' | 'passthrough'>;

/** Their paths as typed, and maybe others that are none. No private file belongs into one of them. */
export function listOpenDirectories({context, output, passedFlags, passthrough}: Inputs): readonly string[] {
  const words = [passedFlags, passthrough].flat(2);
  const contexts = words.flatMap((word, at) => {
    const {key, value} = splitKeyValue(word);
    return key === '--build-context' ? (value ?? words[at + 1] ?? []) : [];
  });
  return [context, ...contexts.map((text) => splitKeyValue(text).value ?? text), output?.dest ?? []].flat();
}
