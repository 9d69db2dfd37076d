/** Owns what the quotas and limits of a namespace leave for a builder, and the flags that keep it within them. */
import {asItems, asObject, asText, asTextFields} from '../../cluster/api/json-values.ts';
import {readQuantity} from './pod-settings.ts';

export interface Quota {
  readonly name: string;
  /** By resource, such as `limits.memory`. */
  readonly hard: Readonly<Record<string, string>>;
  readonly used: Readonly<Record<string, string>>;
}

export function readQuotas(body: unknown): readonly Quota[] {
  return asItems(body).map(({metadata, spec, status}) => {
    const {hard, used} = asObject(status);
    const name = asText(asObject(metadata).name);
    return {
      name,
      hard: {...asTextFields(asObject(spec).hard), ...asTextFields(hard)},
      used: asTextFields(used),
    };
  });
}

/** As quotas call them; a request is also called without `requests.`. */
const FLAGS: Readonly<Record<string, string>> = {
  'limits.cpu': '--limit-cpu',
  'limits.memory': '--limit-memory',
  'requests.cpu': '--request-cpu',
  'requests.memory': '--request-memory',
  cpu: '--request-cpu',
  memory: '--request-memory',
};

/** What a builder can do with where nobody may read the quota. */
const USUAL: Readonly<Record<string, string>> = {cpu: '2', memory: '4Gi'};

/** What BuildKit itself needs. A node with room for it may have none for all that a quota leaves. */
const LEAST: Readonly<Record<string, string>> = {cpu: '100m', memory: '256Mi'};

/**
 * The flags, with figures, that bring a builder within what the API server's message says. None for a message about
 * something else, such as the number of pods, and where nothing is left.
 */
export function findResourceFlags(message: string, quotas: readonly Quota[] = []): readonly string[] {
  const ranges = [
    ...message.matchAll(/(maximum|minimum) (cpu|memory) usage per (?:Container|Pod) is (\w+(?:\.\w+)?)/g),
  ];
  if (ranges.length > 0) {
    const flags = new Map(
      ranges.map(([, kind, resource, figure = '']) => [
        `--${kind === 'maximum' ? 'limit' : 'request'}-${resource}`,
        figure,
      ]),
    );
    return withRequests(flags, /No limit is specified/i.test(message));
  }
  const name = /(?:failed|exceeded) quota: ([^\s:,]+)/.exec(message)?.[1];
  const [, limited = ''] = /, limited: (.*)$/.exec(message) ?? [];
  const missing = /must specify (.*)$/.exec(message)?.[1];
  const wanted = missing ?? limited;
  const quota = quotas.find((one) => one.name === name);
  const hard = missing === undefined ? readPairs(limited) : quota?.hard;
  const used = missing === undefined ? readPairs(/, used: (.*?), limited: /.exec(message)?.[1]) : quota?.used;
  const flags = new Map<string, string>();
  for (const [resource, flag] of Object.entries(FLAGS)) {
    if (!new RegExp(`(?:^|[,; ])${resource.replace('.', '\\.')}(?=$|[,;= ])`).test(wanted)) continue;
    const left =
      hard?.[resource] === undefined
        ? USUAL[flag.split('-').at(-1) ?? '']
        : leave(hard[resource], used?.[resource]);
    if (left === undefined) return [];
    flags.set(flag, missing !== undefined && flag.startsWith('--request') ? capToLeast(flag, left) : left);
  }
  return withRequests(flags, missing !== undefined);
}

/** A pod that has only a limit requests all of it (Kubernetes' defaults), for which the nodes may have no room. */
function withRequests(flags: ReadonlyMap<string, string>, hasNone: boolean): readonly string[] {
  const requests = [...flags].flatMap(([flag, figure]): (readonly [string, string])[] => {
    const request = flag.replace('--limit-', '--request-');
    return hasNone && !flags.has(request) ? [[request, capToLeast(request, figure)]] : [];
  });
  return [...flags, ...requests].flat();
}

/** The figure, unless BuildKit needs less of what the flag is for. */
function capToLeast(flag: string, figure: string): string {
  const least = LEAST[flag.split('-').at(-1) ?? ''] ?? figure;
  return (readQuantity(least) ?? 0) < (readQuantity(figure) ?? 0) ? least : figure;
}

/** `limits.cpu=1,limits.memory=2Gi` */
function readPairs(text = ''): Readonly<Record<string, string>> {
  return Object.fromEntries(text.split(',').map((pair) => pair.trim().split('=', 2) as [string, string]));
}

/** The difference, as a quantity; undefined for none. */
function leave(hard: string, used = '0'): string | undefined {
  const [all = 0, gone = 0] = [readQuantity(hard), readQuantity(used)];
  if (gone === 0 && all > 0) return hard;
  const left = all - gone;
  if (left >= 2 ** 20) return `${Math.floor(left / 2 ** 20)}Mi`;
  return left > 0 ? `${Math.floor(left * 1000 + 1e-6)}m` : undefined;
}
