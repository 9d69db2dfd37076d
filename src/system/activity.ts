/** Owns the line on a terminal that shows what we are waiting for, and disappears when that is done. */
import type {Cluster} from '../cluster/ports.ts';
import type {Ports} from '../ports.ts';

/** Shorter waits are not shown. In milliseconds. */
const PATIENCE = 500;
/** Two waits with a shorter pause between them count as one. */
const LULL = 100;
const TICK = 100;

const CLUSTER = 'waiting for the cluster';
const BUILDER = 'waiting for the builder';

export interface ActivityTools {
  /** Shows a line in place of the last one; undefined removes it. */
  readonly showStatus: (line: string | undefined) => void;
  /** Milliseconds since some fixed moment. */
  readonly now: () => number;
  /** Calls back until it is stopped. Does not keep the process alive. */
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

  /** For work that writes to the terminal itself, or reads from it. */
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
    // Waiting for a builder includes asking the cluster again and again.
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

/** The same ports, showing what they wait for. */
export function showActivity(ports: Ports, activity: Activity): Ports {
  const {clusters, delegate} = ports;
  return {
    ...ports,
    clusters: {connect: (target, connection) => showCluster(clusters.connect(target, connection), activity)},
    delegate: {find: () => delegate.find(), run: (run) => activity.silently(() => delegate.run(run))},
    confirm: (question) => activity.silently(() => ports.confirm(question)),
    sleep: (milliseconds, waitsFor) => {
      const sleep = () => ports.sleep(milliseconds);
      return waitsFor === undefined ? sleep() : activity.during(BUILDER, sleep);
    },
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
    openTunnel: (exec) => during(() => cluster.openTunnel(exec)),
    readPullSecret: (name) => cluster.readPullSecret(name),
    lastLogin: () => cluster.lastLogin(),
    get pause() {
      return cluster.pause;
    },
  };
}
