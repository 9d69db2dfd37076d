/** Owns the list of builders: a table for people, JSON for programs. */
import {formatJson, showLine} from '../../text/show-text.ts';
import type {BuilderDeployment} from '../model/objects.ts';
import type {BuilderPod} from '../model/pods.ts';
import type {Verdict} from '../verdict/verdict.ts';

export interface BuilderRow {
  readonly deployment: BuilderDeployment;
  readonly verdict: Verdict;
  readonly pods: readonly BuilderPod[];
  readonly runWorks: boolean;
  /** Of the running BuildKit. */
  readonly version: string | undefined;
}

const HEADINGS = ['NAME', 'RUNTIME', 'IMAGE', 'BUILDKIT', 'READY', 'AGE', 'NODES', 'RUN', 'STATE'] as const;

/** `now` is epoch milliseconds. */
export function formatBuilders(rows: readonly BuilderRow[], form: 'table' | 'json', now: number): string {
  if (form === 'json') return formatJson(rows.map((row) => describe(row)));
  if (rows.length === 0) return '';
  const lines = [HEADINGS, ...rows.map((row) => cells(row, now).map(showLine))];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('   ')
          .trimEnd()}\n`,
    )
    .join('');
}

function describe({deployment, verdict, pods, runWorks, version}: BuilderRow) {
  const {name, namespace, rootless, runtime, image, readyReplicas, replicas} = deployment;
  const {createdAt, managedByUs} = deployment;
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
    runWorks,
    state: verdict.kind,
    reason: verdict.reason,
    madeBy: managedByUs ? 'kubectl tiltbuild' : 'kubectl build',
  };
}

function cells(row: BuilderRow, now: number): readonly string[] {
  const {name, runtime, image, version, ready, replicas, nodes, runWorks, state} = describe(row);
  const {createdAt} = row.deployment;
  return [
    // Any other name comes from no real API server, and could look like an error of ours.
    /^[\w.-]*$/.test(name) ? name : JSON.stringify(name),
    runtime,
    image,
    version ?? '?',
    `${ready}/${replicas}`,
    createdAt === undefined ? '' : formatAge(now - createdAt),
    nodes.join(','),
    runWorks ? 'works' : 'broken',
    state,
  ];
}

/** As kubectl shows it, roughly: `42s`, `7m`, `3h`, `12d`. */
function formatAge(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
