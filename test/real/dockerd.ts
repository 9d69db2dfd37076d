/** Owns a real BuildKit for tests: the one inside dockerd, from Debian's package docker.io. */
import {spawn, spawnSync} from 'node:child_process';
import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {request} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {Duplex} from 'node:stream';

export interface Dockerd {
  /** The socket of its API. */
  readonly socket: string;
  /** Opens the gRPC connection that `buildctl dial-stdio` gives in a builder's pod. */
  connect(): Promise<Duplex>;
  /**
   * Docker's own client on the same daemon; gives its standard error, where a build's progress is,
   * behind its standard output. Throws with what it said.
   */
  docker(args: readonly string[], input?: string): string;
  stop(): Promise<void>;
}

/** Why there can be none here; undefined where there can. */
export function whyNoDockerd(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  if (spawnSync('dockerd', ['--version']).status !== 0) return 'dockerd is not installed';
  return existsSync(BUSYBOX) ? undefined : `there is no ${BUSYBOX}, which RUN steps need`;
}

/** A program that needs no libraries: a shell for RUN steps. */
export const BUSYBOX = '/bin/busybox';

/** Debian's, which speaks to BuildKit itself; another one on PATH may need a plugin for it. */
const DOCKER = process.env.DOCKER ?? '/usr/bin/docker';

export async function startDockerd(): Promise<Dockerd> {
  // Short, since the path of a socket has little room.
  const directory = mkdtempSync(join(tmpdir(), 'dockerd-'));
  const socket = join(directory, 'docker.sock');
  const at = (name: string) => join(directory, name);
  const args = [
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    '--userland-proxy=false',
    '--storage-driver=vfs',
    ...['data-root', 'exec-root', 'pidfile'].flatMap((name) => [`--${name}`, at(name)]),
    '-H',
    `unix://${socket}`,
  ];
  const log: string[] = [];
  const daemon = spawn('dockerd', args, {stdio: ['ignore', 'ignore', 'pipe'], detached: true});
  daemon.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const ended = new Promise<void>((resolve) => daemon.on('close', () => resolve()));
  const deadline = Date.now() + 60_000;
  while (!existsSync(socket) || !(await answers(socket))) {
    if (daemon.exitCode !== null || Date.now() > deadline)
      throw new Error(`dockerd did not start:\n${log.join('')}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    socket,
    connect: () => connectToBuildkit(socket),
    docker: (dockerArgs, input) => {
      const env = {...process.env, DOCKER_BUILDKIT: '1', HOME: directory};
      const ran = spawnSync(DOCKER, ['-H', `unix://${socket}`, ...dockerArgs], {
        env,
        input,
        encoding: 'utf8',
      });
      if (ran.status !== 0) throw new Error(`docker ${dockerArgs.join(' ')}: ${ran.stderr}`);
      return ran.stdout + ran.stderr;
    },
    stop: async () => {
      daemon.kill('SIGTERM');
      await ended;
      unmount(directory);
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

function unmount(directory: string): void {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  for (const line of mounts.reverse()) {
    const [, place] = line.split(' ');
    if (place?.startsWith(`${directory}/`)) spawnSync('umount', ['--lazy', place]);
  }
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    request({socketPath, path: '/_ping'}, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    })
      .on('error', () => resolve(false))
      .end();
  });
}

export function connectToBuildkit(socketPath: string): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const headers = {Connection: 'Upgrade', Upgrade: 'h2c'};
    request({socketPath, path: '/grpc', method: 'POST', headers})
      .on('upgrade', (_response, socket: Duplex, head) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      })
      .on('response', ({statusCode}) => reject(new Error(`dockerd answered ${statusCode}`)))
      .on('error', reject)
      .end();
  });
}
