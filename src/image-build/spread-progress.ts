/** Owns how copying an image to nodes is shown: as a step for each node, in the form of the build's own progress. */
import type {StatusResponse, VertexStatus} from '../buildkit/control.ts';
import {toTimestamp} from '../buildkit/progress/timestamps.ts';
import type {Ports} from '../ports.ts';
import type {BuildProgress} from './engines/progress.ts';
import type {NodeResult} from './node-results.ts';

export interface SpreadProgress {
  /** So many bytes are to be sent to the node. */
  plan(node: string, bytes: number): void;
  /** So many more bytes were sent. */
  sent(node: string, bytes: number): void;
  /** Resolves when everything was taken. */
  end(results: readonly NodeResult[]): Promise<void>;
}

interface Copying {
  readonly started: number;
  sent: number;
  total: number;
}

/** Nothing is shown of nodes that need nothing. `open` makes the progress if there is something to show. */
export function showSpread(open: () => BuildProgress, {wallClock}: Pick<Ports, 'wallClock'>): SpreadProgress {
  const nodes = new Map<string, Copying>();
  let progress: BuildProgress | undefined;
  const observe = (status: Partial<StatusResponse>) => {
    progress ??= open();
    progress.observe({vertexes: [], statuses: [], logs: [], warnings: [], ...status});
  };
  const find = (node: string): Copying => {
    const known = nodes.get(node);
    if (known !== undefined) return known;
    const copying = {started: wallClock(), sent: 0, total: 0};
    nodes.set(node, copying);
    observe({vertexes: [makeVertex(node, copying.started)]});
    return copying;
  };
  const update = (node: string, more: Partial<VertexStatus> = {}) => {
    const {started, sent, total} = find(node);
    if (total === 0) return;
    const times = {started: toTimestamp(started), timestamp: toTimestamp(wallClock())};
    const amounts = {current: BigInt(sent), total: BigInt(Math.max(total, sent))};
    observe({
      statuses: [{id: 'layers', name: '', vertex: node, completed: undefined, ...times, ...amounts, ...more}],
    });
  };
  return {
    plan: (node, bytes) => {
      find(node).total += bytes;
      update(node);
    },
    sent: (node, bytes) => {
      find(node).sent += bytes;
      update(node);
    },
    end: async (results) => {
      if (progress === undefined) return;
      const now = wallClock();
      for (const [node, {started}] of nodes) {
        const failure = results.find(({name}) => name === node)?.failure ?? '';
        if (failure === '') update(node, {completed: toTimestamp(now)});
        observe({vertexes: [{...makeVertex(node, started), completed: toTimestamp(now), error: failure}]});
      }
      await progress.end(false);
    },
  };
}

function makeVertex(node: string, started: number) {
  return {
    digest: node,
    inputs: [],
    name: `copying to ${node}`,
    cached: false,
    started: toTimestamp(started),
    completed: undefined,
    error: '',
  };
}
