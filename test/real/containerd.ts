/** Owns a real containerd for tests, from Debian's package, with a state of its own. */
import {spawn, spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {connect, type Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';

export interface Containerd {
  /** Its socket. */
  readonly address: string;
  /** What `buildctl --addr unix://SOCKET dial-stdio` gives in a builder's pod. */
  connect(): Socket;
  /** containerd's own client, in the kubelet's namespace. Throws with what it said. */
  ctr(...args: readonly string[]): string;
  /**
   * Imports an image with a layer for each text that holds it in a file named as `fileOf` says, under this name; gives
   * its digest. All layers but the first are compressed.
   */
  importImage(name: string, ...texts: readonly string[]): string;
  /** From now on it does nothing, and nobody is told. */
  freeze(): void;
  /** It ends without a chance to put anything in order. */
  crash(): Promise<void>;
  /** After either of them it goes on with what it has. */
  revive(): Promise<void>;
  stop(): Promise<void>;
}

/** Why there can be none here; undefined where there can. */
export function whyNoContainerd(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs root on Linux';
  return spawnSync('containerd', ['--version']).status === 0 ? undefined : 'containerd is not installed';
}

/** `disk`: in MB; it has no more. */
export async function startContainerd({disk}: {readonly disk?: number} = {}): Promise<Containerd> {
  const directory = mkdtempSync(join(tmpdir(), 'containerd-'));
  const at = (name: string) => join(directory, name);
  const socket = at('containerd.sock');
  const config = [
    'version = 2',
    `root = "${at('root')}"`,
    `state = "${at('state')}"`,
    // It needs a network, and nothing here is a pod.
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = "${socket}"`,
  ];
  writeFileSync(at('config.toml'), config.join('\n'));
  const run = (program: string, args: readonly string[]) => {
    const {status, stdout, stderr} = spawnSync(program, args, {encoding: 'utf8'});
    if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  if (disk !== undefined) {
    mkdirSync(at('root'));
    run('mount', ['-t', 'tmpfs', '-o', `size=${disk}m`, 'tmpfs', at('root')]);
  }
  const ctr = (...args: readonly string[]) =>
    run('ctr', ['--address', socket, '--namespace', 'k8s.io', ...args]);
  const start = async () => {
    const log: string[] = [];
    rmSync(socket, {force: true});
    const daemon = spawn('containerd', ['--config', at('config.toml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    daemon.stderr.on('data', (chunk: Buffer) => log.push(chunk.toString()));
    const ended = new Promise<void>((resolve) => daemon.on('close', () => resolve()));
    const deadline = Date.now() + 30_000;
    while (!existsSync(socket) || spawnSync('ctr', ['--address', socket, 'version']).status !== 0) {
      if (daemon.exitCode !== null || Date.now() > deadline)
        throw new Error(`containerd did not start:\n${log.join('')}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return {daemon, ended};
  };
  let running = await start();
  return {
    address: socket,
    connect: () => connect(socket),
    ctr,
    importImage: (name, ...texts) => {
      const layout = mkdtempSync(at('image-'));
      const digest = writeLayout(layout, name, texts, run);
      run('tar', ['-C', layout, '-cf', `${layout}.tar`, '.']);
      ctr('images', 'import', '--no-unpack', `${layout}.tar`);
      for (const made of [layout, `${layout}.tar`]) rmSync(made, {recursive: true});
      return digest;
    },
    freeze: () => void running.daemon.kill('SIGSTOP'),
    crash: async () => {
      running.daemon.kill('SIGKILL');
      await running.ended;
    },
    revive: async () => {
      if (running.daemon.signalCode === null) running.daemon.kill('SIGCONT');
      else running = await start();
    },
    stop: async () => {
      for (const signal of ['SIGCONT', 'SIGTERM'] as const) running.daemon.kill(signal);
      await running.ended;
      if (disk !== undefined) run('umount', [at('root')]);
      rmSync(directory, {recursive: true, force: true});
    },
  };
}

/** Each layer has one of its own, by which all of them are seen in the end. */
export function fileOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** An OCI image layout; gives the digest of its manifest. */
function writeLayout(
  layout: string,
  name: string,
  texts: readonly string[],
  run: (program: string, args: readonly string[]) => string,
): string {
  const blobs = join(layout, 'blobs', 'sha256');
  mkdirSync(blobs, {recursive: true});
  const add = (mediaType: string, bytes: string | Buffer) => {
    const hash = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hash), bytes);
    return {
      mediaType: `application/vnd.oci.image.${mediaType}`,
      digest: `sha256:${hash}`,
      size: bytes.length,
    };
  };
  const made = texts.map((text, place) => {
    const files = mkdtempSync(join(tmpdir(), 'layer-'));
    writeFileSync(join(files, fileOf(text)), text);
    run('tar', ['-C', files, '--mtime=@0', '-cf', `${files}.tar`, fileOf(text)]);
    const tar = readFileSync(`${files}.tar`);
    for (const made of [files, `${files}.tar`]) rmSync(made, {recursive: true});
    const layer = place === 0 ? add('layer.v1.tar', tar) : add('layer.v1.tar+gzip', gzipSync(tar));
    return {layer, diffId: `sha256:${createHash('sha256').update(tar).digest('hex')}`};
  });
  const rootfs = {type: 'layers', diff_ids: made.map(({diffId}) => diffId)};
  const layers = made.map(({layer}) => layer);
  const config = add(
    'config.v1+json',
    JSON.stringify({architecture: 'amd64', os: 'linux', rootfs, config: {}}),
  );
  const manifest = add('manifest.v1+json', JSON.stringify({schemaVersion: 2, config, layers}));
  const annotations = {'io.containerd.image.name': name};
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(
    join(layout, 'index.json'),
    JSON.stringify({schemaVersion: 2, manifests: [{...manifest, annotations}]}),
  );
  return manifest.digest;
}
