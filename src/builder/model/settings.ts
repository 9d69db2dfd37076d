/** Owns what may be asked of a builder of ours, and how it is written on a command line. */
import {TiltbuildError} from '../../errors.ts';
import {splitKeyValue} from '../../text/key-value.ts';

/** The BuildKit that this release was tried with; a tag that moves would change the builder behind its users. */
export const DEFAULT_BUILDER_IMAGE = 'docker.io/moby/buildkit:v0.32.2';
export const DEFAULT_ROOTLESS_IMAGE = `${DEFAULT_BUILDER_IMAGE}-rootless`;

const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
export type TaintEffect = (typeof TAINT_EFFECTS)[number];

/** As in a pod's `tolerations`. */
export interface Toleration {
  /** Without a key it tolerates every taint of the effect. */
  readonly key?: string;
  readonly operator: 'Equal' | 'Exists';
  readonly value?: string;
  readonly effect: TaintEffect;
}

export interface ContainerdOverrides {
  readonly socket?: string;
  readonly root?: string;
  readonly state?: string;
}

export interface BuilderSettings {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `nodes`: one on every node that can hold one. */
  readonly replicas: number | 'nodes';
  /** Touches nothing of the node, and so can only push to a registry. */
  readonly rootless: boolean;
  /** Whether builds may ask for `--network host`. */
  readonly allowNetworkHost: boolean;
  readonly requests?: {readonly cpu?: string; readonly memory?: string};
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
  /** The workstation's proxies, and only if they were asked for. */
  readonly env: Readonly<Record<string, string>>;
  /** Where containerd is, if not where the product has it. */
  readonly containerd?: ContainerdOverrides;
}

/** The settings that say which nodes a builder may be put on. */
/** How long a builder may take to start where nothing else is said, in milliseconds. */
export const BUILDER_TIMEOUT = 120_000;

export type Placement = Pick<BuilderSettings, 'nodeSelector' | 'tolerations'>;

/** What a builder is when nothing is asked of it. */
export function defaultBuilderSettings(name: string, namespace: string, rootless = false): BuilderSettings {
  return {
    name,
    namespace,
    image: rootless ? DEFAULT_ROOTLESS_IMAGE : DEFAULT_BUILDER_IMAGE,
    replicas: 1,
    rootless,
    allowNetworkHost: false,
    nodeSelector: {},
    tolerations: [],
    env: {},
  };
}

/** `nodes`, or how many. */
export function parseReplicas(text: string): number | 'nodes' {
  if (text === 'nodes') return text;
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new TiltbuildError('usage', `${quote(text)} is not a number of builder replicas.`, {
    remedy: ['Give a number from 1 up, or "nodes" for one on every node.'],
  });
}

/**
 * A taint to tolerate, as `kubectl taint` writes it: `key=value:Effect`, or `key:Effect` for any value. A bare
 * `:Effect` tolerates all taints of that effect.
 */
export function parseToleration(text: string): Toleration {
  const [taint = '', effect, ...rest] = text.split(':');
  if (effect === undefined || rest.length > 0) throw tolerationFault(text, 'has no one ":" before an effect');
  if (!isTaintEffect(effect)) throw tolerationFault(text, `${quote(effect)} is not an effect`);
  if (taint === '') return {operator: 'Exists', effect};

  const {key, value} = splitKeyValue(taint);
  const fault = findKeyFault(key) ?? findValueFault(value ?? '');
  if (fault !== undefined) throw tolerationFault(text, fault);
  return value === undefined ? {key, operator: 'Exists', effect} : {key, operator: 'Equal', value, effect};
}

/** Labels that a node must have: `key=value`, more than one with commas between. */
export function parseNodeSelector(text: string): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const part of text.split(',')) {
    const {key, value} = splitKeyValue(part);
    if (value === undefined) throw selectorFault(text, `${quote(part)} has no "="`);
    const fault = findKeyFault(key) ?? findValueFault(value);
    if (fault !== undefined) throw selectorFault(text, fault);
    if (labels.has(key) && labels.get(key) !== value) {
      throw selectorFault(text, `no node can have two values for ${quote(key)}`);
    }
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}

/** What keeps pods off a node, as the API has it. */
export interface NodeOpenness {
  readonly unschedulable?: boolean;
  readonly taints?: readonly {readonly key: string; readonly value?: string; readonly effect: string}[];
}

/** Whether the scheduler would put a builder with these tolerations on the node. */
export function takesBuilder(
  {unschedulable, taints = []}: NodeOpenness,
  tolerations: readonly Toleration[],
): boolean {
  // A cordoned node gets this taint too, only a little later than the field.
  const cordon = {key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule'};
  return [...taints, ...(unschedulable ? [cordon] : [])].every(
    (taint) =>
      taint.effect === 'PreferNoSchedule' ||
      tolerations.some(
        ({key, operator, value, effect}) =>
          effect === taint.effect &&
          (key === undefined || key === taint.key) &&
          (operator === 'Exists' || value === (taint.value ?? '')),
      ),
  );
}

function isTaintEffect(text: string): text is TaintEffect {
  return (TAINT_EFFECTS as readonly string[]).includes(text);
}

const LABEL_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

function findKeyFault(key: string): string | undefined {
  const slash = key.indexOf('/');
  const valid =
    LABEL_NAME.test(key.slice(slash + 1)) && (slash < 0 || LABEL_PREFIX.test(key.slice(0, slash)));
  return valid ? undefined : `${quote(key)} is not a key that Kubernetes allows`;
}

function findValueFault(value: string): string | undefined {
  return value === '' || LABEL_NAME.test(value)
    ? undefined
    : `${quote(value)} is not a value that Kubernetes allows`;
}

function tolerationFault(text: string, reason: string): TiltbuildError {
  return new TiltbuildError('usage', `${quote(text)} is not a toleration: ${reason}.`, {
    remedy: [
      'Write it as kubectl taint does: key=value:Effect, or key:Effect for any value, or :Effect for any key.',
      `The effects are ${TAINT_EFFECTS.join(', ')}.`,
    ],
  });
}

function selectorFault(text: string, reason: string): TiltbuildError {
  return new TiltbuildError('usage', `${quote(text)} is not a node selector: ${reason}.`, {
    remedy: ['Write key=value, and more with commas between: kubernetes.io/arch=amd64,disk=ssd'],
  });
}

function quote(text: string): string {
  return JSON.stringify(text);
}
