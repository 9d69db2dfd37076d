/** Owns a build as attributes of BuildKit's Dockerfile frontend, by the names that docker buildx gives them. */
import {splitKeyValue} from '../../../text/key-value.ts';
import type {BuildRequest} from '../../build-request.ts';
import {readBytes, readHost} from '../../inputs/flag-values.ts';
import {formOf, type Output} from '../../inputs/outputs.ts';

export type Env = Readonly<Record<string, string | undefined>>;
type Attributes = readonly (readonly [name: string, value: string])[];

/** Values of a flag that is passed on as it is, e.g. `--build-arg`; empty where it was not given. */
export function valuesOf({passedFlags}: Pick<BuildRequest, 'passedFlags'>, flag: string): readonly string[] {
  return passedFlags.flatMap((words) =>
    words[0] === flag ? words.filter((_, index) => index % 2 === 1) : [],
  );
}

export function isSet({passedFlags}: Pick<BuildRequest, 'passedFlags'>, flag: string): boolean {
  return passedFlags.some(([name]) => name === flag);
}

/** The last value of a flag that takes one. */
export function lastOf(request: Pick<BuildRequest, 'passedFlags'>, flag: string): string | undefined {
  return valuesOf(request, flag).at(-1);
}

/** Whether the build may read or write OCI layouts on this machine, as few do. */
export function mayUseLayouts(request: Pick<BuildRequest, 'passedFlags' | 'output'>): boolean {
  const {output} = request;
  const flags = ['--build-context', '--cache-from', '--cache-to'];
  return flags.some((flag) => isSet(request, flag)) || isLayout(output);
}

/** An image as a directory. */
export function isLayout(output: Output | undefined): boolean {
  return output !== undefined && output.type !== 'local' && formOf(output) === 'tree';
}

/** What does not depend on where the Dockerfile and the context are. Throws `usage`. */
export function frontendAttributes(request: BuildRequest, env: Env): Attributes {
  const target = lastOf(request, '--target');
  const network = lastOf(request, '--network');
  const hosts = valuesOf(request, '--add-host').map(readHost);
  const ulimits = valuesOf(request, '--ulimit');
  const shm = lastOf(request, '--shm-size');
  return [
    ...valuesOf(request, '--build-arg').flatMap((text) => readBuildArgument(text, env)),
    ...valuesOf(request, '--label').map((text) => labelOf(text)),
    ...(target === undefined ? [] : ([['target', target]] as const)),
    ...(request.platforms.length === 0 ? [] : ([['platform', request.platforms.join(',')]] as const)),
    ...(isSet(request, '--no-cache') ? ([['no-cache', '']] as const) : []),
    ...(isSet(request, '--pull') ? ([['image-resolve-mode', 'pull']] as const) : []),
    ...(network === undefined || network === 'default' ? [] : ([['force-network-mode', network]] as const)),
    ...(hosts.length === 0 ? [] : ([['add-hosts', hosts.join(',')]] as const)),
    ...(ulimits.length === 0 ? [] : ([['ulimit', ulimits.join(',')]] as const)),
    ...(shm === undefined ? [] : ([['shm-size', String(readBytes('--shm-size', shm))]] as const)),
  ];
}

/** Without a value it is the environment's; where that has none, the build has none. */
function readBuildArgument(text: string, env: Env): Attributes {
  const {key, value = env[key]} = splitKeyValue(text);
  return value === undefined ? [] : [[`build-arg:${key}`, value]];
}

function labelOf(text: string): readonly [string, string] {
  const {key, value = ''} = splitKeyValue(text);
  return [`label:${key}`, value];
}
