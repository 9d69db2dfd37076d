/** Owns a builder's settings, and how they are written on a command line. */
import {TiltbuildError} from '../../errors.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import type {BuilderConfig} from './builder-config.ts';

/** The BuildKit that this release was tested with. A tag that moves would change builders without notice. */
export const DEFAULT_BUILDER_IMAGE = 'docker.io/moby/buildkit:v0.32.2';
export const DEFAULT_ROOTLESS_IMAGE = `${DEFAULT_BUILDER_IMAGE}-rootless`;

/** How long a builder may take to start by default, in milliseconds. */
export const BUILDER_TIMEOUT = 120_000;

const TAINT_EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/** As in a pod's `tolerations`. */
export interface Toleration {
  /** Without a key it tolerates every taint with the effect. */
  readonly key?: string;
  readonly operator: 'Equal' | 'Exists';
  readonly value?: string;
  readonly effect: string;
}

export interface ContainerdOverrides {
  readonly socket?: string;
  readonly root?: string;
  readonly state?: string;
}

/** Which nodes a builder's pods may run on. */
export interface Placement {
  readonly nodeSelector: Readonly<Record<string, string>>;
  readonly tolerations: readonly Toleration[];
}

export interface Resources {
  readonly cpu?: string;
  readonly memory?: string;
}

export interface BuilderSettings extends Placement {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** `nodes`: one on every node that can hold one. Undefined for what suits the kind of cluster. */
  readonly replicas?: number | 'nodes' | undefined;
  /** Without access to its node; it can only push images to a registry. */
  readonly rootless: boolean;
  /** Whether builds may use `--network host`. */
  readonly allowNetworkHost: boolean;
  readonly requests?: Resources;
  readonly limits?: Resources;
  /** How many steps of all builds run at once in one pod; undefined for no limit. */
  readonly maxParallelism?: number;
  /** The snapshotter of the nodes' containerd; undefined for BuildKit's default, overlayfs. */
  readonly containerdSnapshotter?: string;
  readonly serviceAccount?: string;
  readonly priorityClass?: string;
  /** Secrets with which the nodes pull the builder's image. */
  readonly imagePullSecrets: readonly string[];
  /** On the Deployment and the ConfigMap. */
  readonly annotations: Readonly<Record<string, string>>;
  /** On those and on the pods. */
  readonly labels: Readonly<Record<string, string>>;
  readonly podAnnotations: Readonly<Record<string, string>>;
  /** Environment variables of BuildKit, such as proxies. */
  readonly env: Readonly<Record<string, string>>;
  /** Whether builds pull through the mirrors of the node's containerd. */
  readonly registryMirrorsFromNode: boolean;
  /** Registries, and what else is added to its buildkitd.toml. */
  readonly config?: BuilderConfig;
  /** Where containerd is, if not where the product usually has it. */
  readonly containerd?: ContainerdOverrides;
}

export function defaultBuilderSettings(name: string, namespace: string, rootless = false): BuilderSettings {
  return {
    name,
    namespace,
    image: rootless ? DEFAULT_ROOTLESS_IMAGE : DEFAULT_BUILDER_IMAGE,
    rootless,
    allowNetworkHost: false,
    nodeSelector: {},
    tolerations: [],
    imagePullSecrets: [],
    annotations: {},
    labels: {},
    podAnnotations: {},
    env: {},
    registryMirrorsFromNode: false,
  };
}

/** A number from 1 up, or `nodes`. */
export function parseReplicas(text: string): number | 'nodes' {
  if (text === 'nodes') return text;
  if (/^[1-9][0-9]{0,3}$/.test(text)) return Number(text);
  throw new TiltbuildError('usage', `${quote(text)} is not a number of builder replicas.`, {
    remedy: ['Use a number from 1 up, or "nodes" for one on every node.'],
  });
}

/**
 * A taint to tolerate, in the syntax of `kubectl taint`: `key=value:Effect`, or `key:Effect` for any value. `:Effect`
 * alone tolerates all taints with that effect.
 */
export function parseToleration(text: string): Toleration {
  const [taint = '', effect, ...rest] = text.split(':');
  if (effect === undefined || rest.length > 0)
    throw tolerationFault(text, 'it must have exactly one ":", before the effect');
  if (!TAINT_EFFECTS.includes(effect)) throw tolerationFault(text, `${quote(effect)} is not an effect`);
  if (taint === '') return {operator: 'Exists', effect};

  const {key, value} = splitKeyValue(taint);
  const fault = findLabelFault(key, value ?? '');
  if (fault !== undefined) throw tolerationFault(text, fault);
  return value === undefined ? {key, operator: 'Exists', effect} : {key, operator: 'Equal', value, effect};
}

/** Labels that a node must have: `key=value`, separated by commas. */
export function parseNodeSelector(text: string): Readonly<Record<string, string>> {
  const labels = new Map<string, string>();
  for (const part of text.split(',')) {
    const {key, value} = splitKeyValue(part);
    if (value === undefined) throw selectorFault(text, `${quote(part)} has no "="`);
    const fault = findLabelFault(key, value);
    if (fault !== undefined) throw selectorFault(text, fault);
    if (labels.has(key) && labels.get(key) !== value) {
      throw selectorFault(text, `no node can have two values for ${quote(key)}`);
    }
    labels.set(key, value);
  }
  return Object.fromEntries(labels);
}

const LABEL_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_PREFIX = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/** As the API server checks a label; a clause. */
export function findLabelFault(key: string, value: string): string | undefined {
  if (!isQualifiedName(key)) return `${quote(key)} is not a valid label key`;
  return value === '' || LABEL_NAME.test(value) ? undefined : `${quote(value)} is not a valid label value`;
}

/** The key of a label, a taint or an annotation. */
export function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/');
  return LABEL_NAME.test(key.slice(slash + 1)) && (slash < 0 || LABEL_PREFIX.test(key.slice(0, slash)));
}

function tolerationFault(text: string, reason: string): TiltbuildError {
  return new TiltbuildError('usage', `${quote(text)} is not a toleration: ${reason}.`, {
    remedy: [
      'Use the syntax of kubectl taint: key=value:Effect, key:Effect for any value, or :Effect for any key.',
      `The effects are ${TAINT_EFFECTS.join(', ')}.`,
    ],
  });
}

function selectorFault(text: string, reason: string): TiltbuildError {
  return new TiltbuildError('usage', `${quote(text)} is not a node selector: ${reason}.`, {
    remedy: ['Use key=value, separated by commas: kubernetes.io/arch=amd64,disk=ssd'],
  });
}

function quote(text: string): string {
  return JSON.stringify(text);
}
