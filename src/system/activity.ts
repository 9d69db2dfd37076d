/** Owns that work of ours which takes its time is seen to be alive: a line on the terminal, gone when the work is done. */
import type {Cluster} from '../cluster/ports.ts';
import type {Ports} from '../ports.ts';

/** What is shorter is not shown, in milliseconds. */
const PATIENCE = 500;
/** Work that goes on after so short a pause is one work. */
const LULL = 100;
const TICK = 100;

const CLUSTER = 'waiting for the cluster';
const BUILDER = 'waiting for the builder';

export interface ActivityTools {
  /** Shows a line in place of the last one; undefined takes it away. */
  readonly showStatus: (line: string | undefined) => void;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Calls back again and again until it is stopped; it keeps no process alive. */
  readonly every: (milliseconds: number, callback: () => void) => () => void;
}

export class Activity {
  readonly #tools: ActivityTools;
  #what = '';
  #running = 0;
  #silenced = 0;
  #since = 0;
  #idleSince = Number.NEGATIVE_INFINITY;
  #stop: (() => void) | undefined;

  constructor(tools: ActivityTools) {
    this.#tools = tools;
  }

  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#begin(what);
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#idleSince = this.#tools.now();
    }
  }

  /** While others write to the terminal, or read from it. */
  async silently<T>(work: () => Promise<T>): Promise<T> {
    this.#silenced += 1;
    this.#tools.showStatus(undefined);
    try {
      return await work();
    } finally {
      this.#silenced -= 1;
    }
  }

  #begin(what: string): void {
    const now = this.#tools.now();
    const isNew = this.#running === 0 && now - this.#idleSince > LULL;
    if (isNew) this.#since = now;
    // Who waits for a builder asks the cluster again and again.
    if (isNew || what !== CLUSTER) this.#what = what;
    this.#running += 1;
    this.#stop ??= this.#tools.every(TICK, () => this.#tick());
  }

  #tick(): void {
    const now = this.#tools.now();
    if (this.#running === 0 && now - this.#idleSince > LULL) {
      this.#stop?.();
      this.#stop = undefined;
      this.#tools.showStatus(undefined);
      return;
    }
    const waited = now - this.#since;
    if (this.#running === 0 || this.#silenced > 0 || waited < PATIENCE) return;
    this.#tools.showStatus(`${this.#what} … ${Math.floor(waited / 1000)} s`);
  }
}

/** The same ports, with what they wait for told. */
export function showActivity(ports: Ports, activity: Activity): Ports {
  const {clusters, delegate} = ports;
  return {
    ...ports,
    clusters: {connect: (target, connection) => showCluster(clusters.connect(target, connection), activity)},
    delegate: {find: () => delegate.find(), run: (run) => activity.silently(() => delegate.run(run))},
    confirm: (question) => activity.silently(() => ports.confirm(question)),
    sleep: (milliseconds) => activity.during(BUILDER, () => ports.sleep(milliseconds)),
  };
}

function showCluster(cluster: Cluster, activity: Activity): Cluster {
  const during = <T>(work: () => Promise<T>) => activity.during(CLUSTER, work);
  return {
    read: (query) => during(() => cluster.read(query)),
    get: (path) => during(() => cluster.get(path)),
    review: (path, question) => during(() => cluster.review(path, question)),
    kubectl: (args, input) => during(() => cluster.kubectl(args, input)),
    kubectlLive: (args) => activity.silently(() => cluster.kubectlLive(args)),
    lastLogin: () => cluster.lastLogin(),
    get pause() {
      return cluster.pause;
    },
  };
}
