/** Owns whole commands on a real BuildKit: the stand-in API server joins their exec to the BuildKit inside dockerd. */
import {spawnSync} from 'node:child_process';
import {copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {duplexPair} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {expect} from 'chai';
import {answerQuietly} from '../helpers/api/exec-answers.ts';
import type {Ended} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {describeCommand, type World} from '../helpers/world.ts';
import {BUSYBOX, connectToBuildkit, type Dockerd, startDockerd, whyNoDockerd} from './dockerd.ts';

/** A connection of one command to BuildKit. */
export interface Link {
  /** Whether BuildKit has sent this text, e.g. as the output of a step. */
  sent(text: string): boolean;
  /** Both ends are told. */
  cut(): void;
  /** Nothing goes through from now on, and nobody is told. */
  stall(): void;
}

export interface RealBuild {
  readonly world: World;
  readonly daemon: Dockerd;
  /** Oldest first. */
  readonly links: readonly Link[];
  /** Builds `localhost/NAME:dev` into dockerd's own store, with no plugin on PATH. */
  build(name: string, args: readonly string[], options?: Parameters<World['tiltbuild']>[1]): Promise<Ended>;
  /** Runs it with no plugin on PATH. */
  tiltbuild: World['tiltbuild'];
  /** Replaces the build context. */
  write(files: Files): void;
  /** The text of a file in `localhost/NAME:dev`. */
  read(name: string, path: string): string;
  /** Whether this BuildKit says which lines of the Dockerfile an error is about; that of docker 20.10 does not. */
  quotesDockerfile(): boolean;
  /** The first number of docker's version. */
  version(): number;
  /** One field of `localhost/NAME:dev`, as docker's template names it. */
  inspect(name: string, field: string): unknown;
}

/** Texts by path; `BUSYBOX` for a copy of it. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** A Dockerfile's start whose RUN steps have a shell; the context needs `busybox`. */
export const WITH_SHELL = [
  'FROM scratch AS shell',
  'COPY busybox /bin/',
  'SHELL ["/bin/busybox", "sh", "-c"]',
];
/** dockerd has no network to give to RUN steps. */
export const NO_NETWORK = ['--network', 'none'];

/** After each test no process of its commands may be left. There are no tests where there is no dockerd. */
export function describeRealBuild(title: string, declare: (real: RealBuild) => void): void {
  if (whyNoDockerd() !== undefined) return;
  describeCommand(title, (world) => {
    let daemon: Dockerd;
    let links: Link[];
    before(async () => {
      daemon = await startDockerd();
    });
    beforeEach(() => {
      links = [];
      world.api.state.exec = async (command) => {
        if (command.join(' ') !== 'buildctl dial-stdio') return answerQuietly(command);
        const {link, pipe} = await openLink(daemon.socket);
        links.push(link);
        return {pipe};
      };
    });
    afterEach(() => expect(processesOf(world.sandbox.root), 'processes left').to.deep.equal([]));
    after(() => daemon?.stop());

    const tiltbuild: World['tiltbuild'] = (args, {env, ...options} = {}) =>
      world.tiltbuild(args, {timeoutMs: 120_000, ...options, env: {PATH: realKubectlDirectory(), ...env}});
    declare({
      world,
      get daemon() {
        return daemon;
      },
      get links() {
        return links;
      },
      tiltbuild,
      build: (name, args, options) =>
        tiltbuild(['-t', `localhost/${name}:dev`, '--output', 'type=moby', ...args], options),
      write: (files) => {
        rmSync(world.sandbox.work, {recursive: true});
        writeTree(world.sandbox.work, files);
      },
      read: (name, path) => {
        const container = daemon.docker(['create', `localhost/${name}:dev`, 'none']).trim();
        const copy = join(world.sandbox.root, 'copy');
        daemon.docker(['cp', `${container}:${path}`, copy]);
        daemon.docker(['rm', container]);
        const text = readFileSync(copy, 'utf8');
        rmSync(copy);
        return text;
      },
      quotesDockerfile: () => versionOf(daemon) >= 23,
      version: () => versionOf(daemon),
      inspect: (name, field) =>
        JSON.parse(daemon.docker(['inspect', '--format', `{{json ${field}}}`, `localhost/${name}:dev`])),
    });
  });
}

function versionOf(daemon: Dockerd): number {
  return Number.parseInt(daemon.docker(['version', '--format', '{{.Server.Version}}']), 10);
}

const LONGEST_KEPT = 100_000;

async function openLink(socketPath: string) {
  const buildkit = await connectToBuildkit(socketPath);
  const [pipe, inner] = duplexPair();
  // Texts are looked for soon after they came.
  let received = '';
  buildkit.on('data', (chunk: Buffer) => {
    received = (received + chunk.toString('utf8')).slice(-LONGEST_KEPT);
  });
  buildkit.pipe(inner).pipe(buildkit);
  for (const stream of [buildkit, inner, pipe]) stream.on('error', () => undefined);
  buildkit.on('close', () => pipe.destroy());
  pipe.on('close', () => buildkit.destroy());
  const link: Link = {
    sent: (text) => received.includes(text),
    cut: () => void buildkit.destroy(),
    stall: () => {
      buildkit.unpipe(inner);
      inner.unpipe(buildkit);
    },
  };
  return {link, pipe};
}

/** Makes the directory and what is in it, modified at that second. */
export function writeTree(root: string, files: Files, modified?: number): void {
  mkdirSync(root, {recursive: true});
  for (const [path, content] of Object.entries(files)) {
    const place = join(root, path);
    mkdirSync(dirname(place), {recursive: true});
    if (content === BUSYBOX) copyFileSync(BUSYBOX, place);
    else writeFileSync(place, content);
    if (modified !== undefined) utimesSync(place, modified, modified);
  }
}

/** Waits for what the test cannot do without; the test's own limit ends it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(20);
}

/** The command lines of processes which have the text in their environment. */
export function processesOf(text: string): readonly string[] {
  return findProcesses('environ', text);
}

/** The command lines of processes which have the text in theirs. */
export function processesCalled(text: string): readonly string[] {
  return findProcesses('cmdline', text);
}

function findProcesses(file: 'environ' | 'cmdline', text: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((id) => {
      try {
        const isIt = readFileSync(`/proc/${id}/${file}`, 'utf8').includes(text);
        return isIt ? [readFileSync(`/proc/${id}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()] : [];
      } catch {
        return []; // It has ended.
      }
    });
}

/** An archive of a directory, as tar makes it. */
export function archive(root: string): Buffer {
  return spawnSync('tar', ['-C', root, '-c', '.']).stdout;
}
