/** Owns a stand-in of a node's containerd behind `buildctl dial-stdio`: its image service and its store, with faults at will. */
import {createHash} from 'node:crypto';
import {performServerHandshake, type ServerHttp2Stream} from 'node:http2';
import {type Duplex, duplexPair} from 'node:stream';
import {type Image, Images} from '../../src/node/containerd.ts';
import {Content} from '../../src/wire/containerd/content.ts';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {end, frame, readOne, respond} from './buildkit-stand-in-calls.ts';
import {ContainerdStore} from './containerd-stand-in-store.ts';
import type {World} from './world.ts';

/** `docker.io/library/web@sha256:…` */
type Name = string;

export class ContainerdStandIn {
  readonly images = new Map<Name, Image>();
  /** Names that the CRI plugin gives each image that is named in another way, and removes none of. */
  readonly ids = new Map<Name, Image>();
  readonly #later = new Map<Name, string>();
  readonly store = new ContainerdStore();
  /** Names of the methods that were called, in their order. */
  readonly calls: string[] = [];
  /** The methods that fail, and how: with a status, with the end of the connection, or never. */
  readonly faults = new Map<string, GrpcError | 'lost' | 'stalled'>();

  /** Adds an image as its builder does. */
  add(name: Name, digest: string, labels: Readonly<Record<string, string>> = {}): void {
    const target = {mediaType: MANIFEST, digest, size: 500n, annotations: new Map()};
    const image = {name, target, labels: new Map(Object.entries(labels)), createdAt: undefined};
    this.images.set(name, image);
    this.#identify(image);
  }

  #identify(image: Image): void {
    const id = `sha256:${createHash('sha256')
      .update(image.target?.digest ?? '')
      .digest('hex')}`;
    const labels = new Map([['io.cri-containerd.image', 'managed']]);
    this.ids.set(id, {...image, name: id, labels});
  }

  /** Adds an image as another build does, after somebody has not found it. */
  addLater(name: Name, digest: string): void {
    this.#later.set(name, digest);
  }

  /** Adds content: a manifest of layers, by what is in them, each of `size` bytes. */
  addManifest(digest: string, layers: readonly string[], size: number): void {
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    const described = layers.map((text) => ({digest: `sha256:${hash(text)}`, size}));
    this.store.blobs.set(digest, {data: Buffer.from(JSON.stringify({layers: described})), labels: new Map()});
  }

  readonly #clients = new Set<Duplex>();

  /** Ends all connections. */
  disconnect(): void {
    for (const client of this.#clients) client.destroy();
  }

  connect(): Duplex {
    const [client, server] = duplexPair();
    this.#clients.add(client);
    const http2 = performServerHandshake(server, {maxSessionMemory: MEMORY});
    http2.on('error', () => undefined).on('close', () => client.destroy());
    client.on('error', () => undefined).on('close', () => http2.destroy());
    http2.on('stream', async (stream, headers) => {
      stream.on('error', () => undefined);
      const name = String(headers[':path']).split('/').at(-1) ?? '';
      this.calls.push(name);
      try {
        const fault = this.faults.get(name);
        if (fault === 'lost') return http2.destroy();
        if (fault === 'stalled') return;
        if (fault !== undefined) throw fault;
        if (headers['containerd-namespace'] !== 'k8s.io') throw new Error('no namespace');
        const path = String(headers[':path']);
        const lease = String(headers['containerd-lease'] ?? '');
        if (!(await this.store.answer(stream, path, lease))) await this.#answer(stream, path);
      } catch (error) {
        end(stream, error instanceof GrpcError ? error : new GrpcError(GrpcCode.UNKNOWN, String(error)));
      }
    });
    return client;
  }

  async #answer(stream: ServerHttp2Stream, path: string): Promise<void> {
    const send = (bytes: Uint8Array) => {
      respond(stream);
      stream.write(frame(bytes));
      end(stream);
    };
    switch (path) {
      case Images.get.path: {
        const image = this.#find((await readOne(stream, Images.get.request)).name);
        return send(Images.get.response.encode({image}));
      }
      case Images.list.path: {
        const {filters} = await readOne(stream, Images.list.request);
        const images = [...this.images.values(), ...this.ids.values()].filter((image) =>
          filters.every((one) => matches(image, one)),
        );
        return send(Images.list.response.encode({images}));
      }
      case Images.create.path: {
        const {image} = await readOne(stream, Images.create.request);
        if (image === undefined || this.images.has(image.name))
          throw new GrpcError(GrpcCode.ALREADY_EXISTS, `image "${image?.name}": already exists`);
        const createdAt = {seconds: BigInt(Math.floor(Date.now() / 1000)), nanos: 0};
        this.images.set(image.name, {...image, createdAt});
        this.#identify(image);
        return send(Images.create.response.encode({image}));
      }
      case Images.update.path: {
        const {image, mask} = await readOne(stream, Images.update.request);
        const before = this.#find(image?.name ?? '');
        const isMasked = (field: string) => mask?.paths.includes(field) === true;
        const named = [...(image?.labels ?? [])].filter(([label]) => isMasked(`labels.${label}`));
        this.images.set(before.name, {
          ...before,
          target: isMasked('target') ? image?.target : before.target,
          labels: new Map([...before.labels, ...named]),
        });
        return send(Images.update.response.encode({image: before}));
      }
      case Images.delete.path: {
        const {name} = await readOne(stream, Images.delete.request);
        if (!this.ids.delete(name)) this.images.delete(this.#find(name).name);
        return send(Images.delete.response.encode({}));
      }
      case Content.list.path: {
        const infos = [...this.#blobs()].map(([digest, size]) => ({digest, size}));
        return send(Content.list.response.encode({infos}));
      }
      default:
        throw new GrpcError(GrpcCode.UNIMPLEMENTED, path);
    }
  }

  /** Of the manifests that an image leads to. */
  #blobs(): ReadonlyMap<string, bigint> {
    const targets = new Set(
      [...this.images.values(), ...this.ids.values()].map(({target}) => target?.digest),
    );
    const layers = [...this.store.blobs]
      .filter(([digest]) => targets.has(digest))
      .flatMap(([, {data}]) => JSON.parse(data.toString()).layers as {digest: string; size: number}[]);
    return new Map(layers.map(({digest, size}) => [digest, BigInt(size)]));
  }

  #find(name: Name): Image {
    const image = this.images.get(name);
    if (image !== undefined) return image;
    const digest = this.#later.get(name);
    if (digest !== undefined) this.add(name, digest);
    throw new GrpcError(GrpcCode.NOT_FOUND, `image "${name}": not found`);
  }
}

/** In MB, of what is waiting to be sent. */
const MEMORY = 1_000;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** `labels."KEY"=="VALUE"`, and `target.digest=="DIGEST"`; any other filter matches nothing. */
function matches({labels, target}: Image, filter: string): boolean {
  if (filter === `target.digest==${JSON.stringify(target?.digest)}`) return true;
  const [, label, value] = /^labels\.("[^"]*")==("[^"]*")$/.exec(filter) ?? [];
  return label !== undefined && labels.get(JSON.parse(label)) === JSON.parse(value ?? '""');
}

/** Puts it into the nodes of the builder's pods, beside whatever runs in the pods. */
export function serveContainerd({api}: Pick<World, 'api'>): ContainerdStandIn {
  const containerd = new ContainerdStandIn();
  const {exec} = api.state;
  api.state.exec = (command, pod) =>
    command.join(' ') === `buildctl --addr unix://${SOCKET} dial-stdio`
      ? {pipe: containerd.connect()}
      : exec(command, pod);
  return containerd;
}

const SOCKET = '/run/containerd/containerd.sock';
