/** Owns the checks of the cluster itself: product, nodes and pull secret. */
import {chooseRuntime, selectBuilderNodes} from '../builder/manifest/nodes.ts';
import type {NodeRuntime} from '../builder/model/node-runtimes.ts';
import type {ClusterFacts} from '../cluster/api/facts.ts';
import type {NodeDisk} from '../cluster/api/node-disk.ts';
import type {Identified} from '../cluster/product.ts';
import {type PullSecretChoice, resolvePullSecret} from '../cluster/pull-secret.ts';
import {TiltbuildError} from '../errors.ts';
import {advise, command, flag} from '../text/advice.ts';
import {chooseFix, type Finding, fail, ok, warn} from './report.ts';

/** `isBuilderReady`: it shows that the nodes share their mounts, or is rootless. */
export function judgeProduct({product, reason}: Identified, isBuilderReady = false): Finding {
  if (product !== 'k3d') return ok(`${product}: ${reason}`);
  return isBuilderReady
    ? warn(
        `k3d: ${reason}; it is not supported, though its builder is ready`,
        advise`Build with ${flag('allow-k3d')}, or with ${flag('push')} if the builder is rootless.`,
      )
    : fail(
        `k3d: ${reason}; it is not supported, because nodes of older versions do not let BuildKit reach their runtime`,
        command('kind', 'create', 'cluster'),
      );
}

/** A kubelet removes images from 85 % on by default, and on kind never. */
const FULL = 0.8;

/** A rootless builder needs no runtime, and can only push images. */
export function judgeNodes(
  nodes: readonly NodeRuntime[] | undefined,
  {rootless, disks}: {readonly rootless: boolean; readonly disks: readonly NodeDisk[]},
): Finding {
  if (nodes === undefined) {
    return warn(
      'you do not have permission to list nodes, so their runtime is unknown and no builder can be created for it',
      'Ask for permission to list nodes.',
    );
  }
  const usable = selectBuilderNodes(nodes);
  const summary = summarize(usable);
  try {
    chooseRuntime(nodes);
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    const fix = chooseFix(error.remedy);
    return rootless ? warn(`${error.message} Images can still be pushed.`, fix) : fail(error.message, fix);
  }
  const [down, ...more] = usable.filter(({ready}) => !ready).map(({name}) => name);
  if (down !== undefined) {
    return warn(
      `${summary}; not ready: ${[down, ...more].join(', ')}`,
      command('kubectl', 'describe', 'node', down),
    );
  }
  const full = disks.find(({used}) => used > FULL);
  if (full !== undefined) {
    return warn(
      `${summary}; the disk of ${full.node} is ${Math.round(full.used * 100)} % full`,
      advise`Remove cache with ${command('kubectl', 'tiltbuild', 'builder', 'prune')}, and old images with ${command('kubectl', 'tiltbuild', 'builder', 'images', 'prune')}.`,
    );
  }
  const platforms = unique(usable.map(({architecture}) => `linux/${architecture}`));
  if (platforms.length === 1) return ok(summary);
  const flags = platforms.flatMap((platform) => [flag('platform', platform), ' ']);
  return warn(`${summary}; an image is built for one of them unless you ask for more`, [
    'Build with ',
    ...flags,
    'and ',
    flag('push'),
    '.',
  ]);
}

/** The registries are in the secret's data, which is never read. */
export function judgePullSecret(
  choice: PullSecretChoice,
  {pullSecret, pullSecrets}: ClusterFacts,
  namespace: string,
): Finding {
  const all = pullSecrets?.kind === 'found' ? pullSecrets.value : [];
  const others = all.filter((name) => choice.kind === 'none' || name !== choice.name);
  const [other] = others;
  const useOther = other && advise`Use an existing one: ${flag('registry-secret', other)}`;
  try {
    const {name, reason, note} = resolvePullSecret(choice, pullSecret, namespace);
    if (note !== undefined) return warn(note, useOther);
    const rest = other && `; the namespace also has ${others.join(', ')}`;
    return ok(`${name === undefined ? '' : `"${name}": `}${reason}${rest ?? ''}`);
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    // A secret of another type is in the way of a new one.
    const create = pullSecret?.kind === 'missing' ? chooseFix(error.remedy) : undefined;
    const fix = create ?? useOther ?? advise`Use another one with ${flag('registry-secret', 'NAME')}.`;
    return fail(error.message, fix);
  }
}

/** `2 nodes: containerd 2.1.9 on linux/amd64`. */
function summarize(nodes: readonly NodeRuntime[]): string {
  const kinds = unique(
    nodes.map(
      ({containerRuntimeVersion, architecture}) =>
        `${containerRuntimeVersion.replace('://', ' ')} on linux/${architecture}`,
    ),
  );
  return `${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}: ${kinds.join(', ')}`;
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}
