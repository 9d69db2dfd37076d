/** Owns which nodes an image is for, and what is said of those that have it and those that do not. */
import type {BuilderRuntime} from '../builder/model/builder.ts';
import {TiltbuildError} from '../errors.ts';
import {type Advice, advise, command, flag} from '../text/advice.ts';
import {formatBytes} from '../text/amounts.ts';
import type {BuildRequest} from './build-request.ts';
import type {PreparedBuild} from './prepare-build.ts';

export interface NodeResult {
  readonly name: string;
  /** `foreign`: it runs no platform of the image. */
  readonly state: 'built' | 'copied' | 'present' | 'failed' | 'foreign';
  /** What was sent to it. */
  readonly bytes: number;
  readonly blobs: number;
  /** Why the kubelet has to unpack it when a pod starts, as a clause. */
  readonly packed?: string;
  /** Why it does not have the image, as a clause. */
  readonly failure?: string;
}

export function isForNodes({destination}: BuildRequest, runtime: BuilderRuntime): boolean {
  return destination.kind === 'runtime' && runtime === 'containerd';
}

/** Whether it gets from the node where it is built to those of the builder's other pods. */
export function isSpread(
  {engine, request}: Pick<PreparedBuild, 'engine' | 'request'>,
  runtime: BuilderRuntime,
  pods: number,
): boolean {
  return isForNodes(request, runtime) && engine.name === 'builtin' && request.spread !== 'none' && pods > 1;
}

export function builtOn(name: string): NodeResult {
  return {name, state: 'built', bytes: 0, blobs: 0};
}

/** For --verbose. */
export function describeResult({name, state, bytes, blobs, packed, failure}: NodeResult): string {
  switch (state) {
    case 'built':
      return `node ${name}: built the image`;
    case 'present':
      return `node ${name}: had the image`;
    case 'copied':
      return `node ${name}: got ${formatBytes(bytes)} in ${blobs} ${blobs === 1 ? 'blob' : 'blobs'}${packed === undefined ? '' : `, not unpacked: ${packed}`}`;
    case 'foreign':
      return `node ${name}: does not need the image: ${failure}`;
    case 'failed':
      return `node ${name}: does not have the image: ${failure}`;
    default:
      return state satisfies never;
  }
}

/** What to say of nodes that do not have the image; undefined if all have it. */
export function noteFailures(results: readonly NodeResult[]): Advice | undefined {
  const failed = results.filter(({state}) => state === 'failed');
  if (failed.length === 0) return undefined;
  const nodes = nameSome(failed.map(({name, failure}) => `"${name}" (${failure})`)).join(', ');
  return `the image is not on ${failed.length === 1 ? 'node' : 'nodes'} ${nodes}. Pods cannot use it there until a build copies it.`;
}

/** The same as an error: built, and not delivered. */
export function failDelivery(results: readonly NodeResult[]): TiltbuildError | undefined {
  const failed = results.filter(({state}) => state === 'failed');
  const [first, ...others] = failed;
  if (first === undefined) return undefined;
  const which =
    others.length === 0
      ? `node "${first.name}" does not have it: ${first.failure}`
      : `${failed.length} nodes do not have it`;
  return notCopied(
    which,
    others.length === 0 ? [] : nameSome(failed.map(({name, failure}) => `${name}: ${failure}`)),
  );
}

/** A cluster may have hundreds. */
const MOST_NAMED = 10;

function nameSome(nodes: readonly string[]): readonly string[] {
  const more = nodes.length - MOST_NAMED;
  return more > 0 ? [...nodes.slice(0, MOST_NAMED), `and ${more} more`] : nodes;
}

/** `why` is a clause. */
export function notCopied(why: string, detail: readonly string[] = []): TiltbuildError {
  return new TiltbuildError('image-not-copied', `The image was built, but ${why.replace(/\.$/, '')}.`, {
    detail,
    remedy: [
      advise`Look at the nodes: ${command('kubectl', 'get', 'nodes')}`,
      'Then build again; only what is missing is copied.',
      advise`To only have such nodes reported, use ${flag('spread', 'auto')}.`,
    ],
  });
}
