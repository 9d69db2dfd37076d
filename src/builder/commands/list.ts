/** Owns the list of builders: a table for people, JSON for programs. */
import {formatAge} from '../../text/amounts.ts';
import {formatJson} from '../../text/show-text.ts';
import {formatTable} from '../../text/table.ts';
import type {LeftOutNode} from '../manifest/nodes.ts';
import {readRegistries} from '../model/buildkitd-settings.ts';
import {readKeptSettings} from '../model/kept-settings.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import type {NodeCover} from '../verdict/cover-nodes.ts';
import type {Verdict} from '../verdict/verdict.ts';

export interface BuilderRow {
  readonly deployment: BuilderDeployment;
  readonly verdict: Verdict;
  readonly pods: readonly BuilderPod[];
  readonly cover: NodeCover;
  readonly runWorks: boolean;
  /** Of the running BuildKit. */
  readonly version: string | undefined;
}

const HEADINGS = ['NAME', 'RUNTIME', 'IMAGE', 'BUILDKIT', 'READY', 'AGE', 'NODES', 'RUN', 'STATE'] as const;

/** `now` is epoch milliseconds. */
export function formatBuilders(rows: readonly BuilderRow[], form: 'table' | 'json', now: number): string {
  if (form === 'json') return formatJson(rows.map((row) => describe(row)));
  if (rows.length === 0) return '';
  return formatTable([HEADINGS, ...rows.map((row) => cells(row, now))]);
}

function describe({deployment, verdict, pods, cover, runWorks, version}: BuilderRow) {
  const {name, namespace, rootless, runtime, image, readyReplicas, replicas} = deployment;
  const {createdAt, managedByUs, toml = '', config} = deployment;
  return {
    name,
    namespace,
    runtime: rootless ? 'rootless' : runtime,
    image,
    version: version ?? null,
    ready: readyReplicas,
    replicas,
    created: createdAt === undefined ? null : new Date(createdAt).toISOString(),
    nodes: [...new Set(pods.flatMap(({node}) => (node === undefined ? [] : [node])))],
    nodesReady: cover.ready,
    nodesWaiting: cover.waiting.map(describeNode),
    nodesLeftOut: cover.leftOut.map(describeNode),
    runWorks,
    state: verdict.kind,
    reason: verdict.reason,
    registries: readRegistries(toml),
    config: config.file ?? null,
    madeBy: managedByUs ? 'kubectl tiltbuild' : 'kubectl build',
    settings: readKeptSettings(deployment.settings),
  };
}

function describeNode({name, why}: LeftOutNode) {
  return {name, reason: why};
}

function cells(row: BuilderRow, now: number): readonly string[] {
  const {name, runtime, image, version, ready, replicas, nodes, nodesReady, runWorks, state} = describe(row);
  const {createdAt} = row.deployment;
  return [
    // Any other name comes from no real API server, and could look like an error of ours.
    /^[\w.-]*$/.test(name) ? name : JSON.stringify(name),
    runtime,
    image,
    version ?? '?',
    `${ready}/${replicas}`,
    createdAt === undefined ? '' : formatAge(now - createdAt),
    nodes.map((node) => (nodesReady.includes(node) ? node : `${node}(not-ready)`)).join(','),
    runWorks ? 'works' : 'broken',
    state,
  ];
}
