/** Owns how the settings of a builder's pods are written on a command line, checked as the API server checks them. */
import {TiltbuildError} from '../../errors.ts';
import type {Advice} from '../../text/advice.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import type {GivenSettings} from './kept-settings.ts';
import {isOwnMark} from './marks.ts';
import {findLabelFault, isQualifiedName, type Resources} from './settings.ts';

const UNITS: Readonly<Record<string, number>> = {
  ...{n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18},
  ...{Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60},
};

/** The number of a Kubernetes quantity such as `500m` or `2Gi`; undefined for what is none, or is negative. */
export function readQuantity(text: string): number | undefined {
  const found = /^\+?(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d{1,3})|([A-Za-z]{0,2}))$/.exec(text);
  const [, digits = '', exponent = '', unit = ''] = found ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  return found === null || factor === undefined ? undefined : Number(digits + exponent) * factor;
}

/** In bytes: what is less was meant in another unit, as `512` and `512m` are by users of docker. */
const LEAST_MEMORY = 1e6;

/** The CPU and memory of `--request-…` or `--limit-…`; undefined where neither is given. */
export function parseResources(
  kind: 'request' | 'limit',
  cpu: string | undefined,
  memory: string | undefined,
): Resources | undefined {
  for (const [name, value, sample] of [
    ['cpu', cpu, '500m or 2'],
    ['memory', memory, '512Mi or 4Gi'],
  ] as const) {
    if (value !== undefined && readQuantity(value) === undefined)
      throw fault(`--${kind}-${name}`, value, 'it is not a quantity', `Use a quantity such as ${sample}.`);
  }
  const bytes = readQuantity(memory ?? '') ?? 0;
  if (memory && bytes > 0 && bytes < LEAST_MEMORY) {
    const remedy =
      'Kubernetes takes a number alone for bytes, and m for a thousandth. Use a unit: 512Mi or 4Gi.';
    throw fault(`--${kind}-memory`, memory, 'it is less than a megabyte', remedy);
  }
  return cpu === undefined && memory === undefined ? undefined : {...(cpu && {cpu}), ...(memory && {memory})};
}

/** Throws `usage` for what does not go together: the API server rejects a pod that requests more than its limit. */
export function demandConsistency(settings: GivenSettings): void {
  const {requests, limits, rootless, containerdSnapshotter, registryMirrorsFromNode} = settings;
  for (const name of ['cpu', 'memory'] as const) {
    const [request = '', limit = ''] = [requests?.[name], limits?.[name]];
    if ((readQuantity(request) ?? 0) <= (readQuantity(limit) ?? Number.POSITIVE_INFINITY)) continue;
    throw new TiltbuildError(
      'usage',
      `--request-${name} "${request}" is more than --limit-${name} "${limit}", and Kubernetes rejects such a pod.`,
    );
  }
  const flag =
    containerdSnapshotter !== undefined
      ? '--containerd-snapshotter'
      : registryMirrorsFromNode && '--registry-mirrors-from-node';
  if (rootless && flag) {
    throw new TiltbuildError(
      'usage',
      `${flag} is for builders that use the nodes' containerd, and this one does not.`,
    );
  }
}

/** A label of the builder. */
export function parseLabel(text: string): readonly [string, string] {
  const {key, value} = splitPair('--label', text);
  const reason = findLabelFault(key, value);
  if (reason !== undefined) throw fault('--label', text, reason);
  return [key, value];
}

/** An annotation by `flag`. Its key may have capital letters in the prefix too, as the API server has it. */
export function parseAnnotation(flag: string, text: string): readonly [string, string] {
  const {key, value} = splitPair(flag, text);
  if (isQualifiedName(key.toLowerCase())) return [key, value];
  throw fault(flag, text, `${JSON.stringify(key)} is not a valid annotation key`);
}

function splitPair(flag: string, text: string) {
  const {key, value} = splitKeyValue(text);
  if (value === undefined) throw fault(flag, text, 'it has no "="', 'Use KEY=VALUE.');
  if (isOwnMark(key)) throw fault(flag, text, `builders and their pods are found by ${JSON.stringify(key)}`);
  return {key, value};
}

/** A number from 1 up. */
export function parseParallelism(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw fault('--max-parallelism', text, 'it is not a number of steps', 'Use a number from 1 up.');
}

/** The name of a plugin, as containerd checks names (its identifiers package). */
export function parseSnapshotter(text: string): string {
  if (text.length <= 76 && /^[A-Za-z0-9]+(?:[._-]+[A-Za-z0-9]+)*$/.test(text)) return text;
  const remedy = 'Use the name that containerd has for it, such as overlayfs, native or fuse-overlayfs.';
  throw fault('--containerd-snapshotter', text, 'it is not the name of a snapshotter', remedy);
}

function fault(flag: string, text: string, reason: string, ...remedy: readonly Advice[]): TiltbuildError {
  return new TiltbuildError('usage', `${flag} ${JSON.stringify(text)} cannot be used: ${reason}.`, {remedy});
}
