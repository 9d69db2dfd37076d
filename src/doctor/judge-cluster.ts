/** Owns what is said of the cluster itself: product, nodes and pull secret. */
import {chooseRuntime, selectBuilderNodes} from '../builder/manifest/runtime.ts';
import type {NodeRuntime} from '../builder/model/node-runtimes.ts';
import type {ClusterFacts} from '../cluster/api/facts.ts';
import type {Identified} from '../cluster/product.ts';
import {type PullSecretChoice, resolvePullSecret} from '../cluster/pull-secret.ts';
import {TiltbuildError} from '../errors.ts';
import {advice, chooseCure, command, type Finding, fail, ok, warn} from './report.ts';

export function judgeProduct({product, reason}: Identified): Finding {
  switch (product) {
    case 'k3d':
      return fail(
        `k3d: ${reason}; its nodes do not let BuildKit reach their runtime`,
        command('kind create cluster'),
      );
    case 'unknown':
      return ok(`none that is known: ${reason}`);
    default:
      return ok(`${product}: ${reason}`);
  }
}

/** A builder that is rootless needs no runtime, and can do nothing with an image but push it. */
export function judgeNodes(
  nodes: readonly NodeRuntime[] | undefined,
  {rootless}: {rootless: boolean},
): Finding {
  if (nodes === undefined) {
    return warn(
      'you may not list the nodes, so that their runtime is not known and no builder can be made for it',
      advice('Ask for the right to list nodes.'),
    );
  }
  const usable = selectBuilderNodes(nodes);
  const summary = summarize(usable);
  try {
    chooseRuntime(nodes);
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    const cure = chooseCure(error.remedy);
    return rootless ? warn(`${error.message} Images can be pushed.`, cure) : fail(error.message, cure);
  }
  const down = usable.filter(({ready}) => !ready).map(({name}) => name);
  if (down.length > 0) {
    return warn(`${summary}; not ready: ${down.join(', ')}`, command(`kubectl describe node ${down[0]}`));
  }
  const platforms = unique(usable.map(({architecture}) => `linux/${architecture}`));
  return platforms.length === 1
    ? ok(summary)
    : warn(
        `${summary}: an image is built for one of them unless more are asked for`,
        advice(`Build with --platform ${platforms.join(' --platform ')} and --push.`),
      );
}

/** The registries are in the secret's data, which is never asked for. */
export function judgePullSecret(
  choice: PullSecretChoice,
  {pullSecret, pullSecrets}: ClusterFacts,
  namespace: string,
): Finding {
  const all = pullSecrets?.kind === 'found' ? pullSecrets.value : [];
  const others = all.filter((name) => choice.kind === 'none' || name !== choice.name);
  const rest =
    others.length === 0 ? '' : `; there ${others.length === 1 ? 'is' : 'are'} also ${others.join(', ')}`;
  try {
    const {name, reason, note} = resolvePullSecret(choice, pullSecret, namespace);
    if (note !== undefined) return warn(note, chooseOther(others));
    return ok(name === undefined ? `${reason}${rest}` : `"${name}": ${reason}${rest}`);
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    // One of another type is in the way of a new one.
    const cure = pullSecret?.kind === 'missing' ? chooseCure(error.remedy) : undefined;
    return fail(
      error.message,
      cure ?? chooseOther(others) ?? advice('Name another one with --registry-secret.'),
    );
  }
}

function chooseOther([other]: readonly string[]) {
  return other === undefined ? undefined : advice(`There is one that would do: --registry-secret ${other}`);
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
