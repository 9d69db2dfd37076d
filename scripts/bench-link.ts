/** Owns counting the bytes that cross the link to a second node when an image is copied there. */
import {compose, type Duplex, Transform} from 'node:stream';
import {openCopy} from '../src/node/copy-image.ts';
import {NodeImages} from '../src/node/node-images.ts';
import {ContainerdStandIn} from '../test/helpers/containerd-stand-in.ts';
import {storeImage} from '../test/helpers/image-samples.ts';

/** Bytes in both directions, HTTP/2 included. */
export interface LinkRow {
  readonly name: string;
  readonly bytes: number;
  /** Divided by those of the first row. */
  readonly ratio: number;
}

const NAME = 'localhost/web:dev';
/** What does not change, in layers of 1 MB. */
const REST = Array.from({length: 8}, (_, index) => String(index).repeat(1_000_000));
const CASES = [
  ['the whole image', 'old'],
  ['one changed file of 10 kB', 'new'],
  ['nothing changed', 'new'],
] as const;

/** Between stand-ins of two nodes' containerds. */
export async function measureLink(): Promise<readonly LinkRow[]> {
  const [one, two] = [new ContainerdStandIn(), new ContainerdStandIn()];
  // As containerd sends it.
  one.store.piece = 1024 * 1024;
  const rows: LinkRow[] = [];
  for (const [name, word] of CASES) {
    const digest = storeImage(one, [...REST, word.padEnd(10_000)]);
    const link = countBytes(two.connect());
    const from = {name: 'one', images: new NodeImages(one.connect())};
    const to = {name: 'two', images: new NodeImages(link.stream)};
    const target = {mediaType: 'manifest', digest, size: 1n, annotations: new Map()};
    const copy = openCopy(from, {names: [NAME], target, labels: new Map()});
    const outcome = await copy.to(to).finally(copy.close);
    for (const {images} of [from, to]) images.close();
    if (outcome === undefined || outcome.kind === 'failed') throw outcome?.error;
    const bytes = link.bytes();
    rows.push({name, bytes, ratio: bytes / (rows[0]?.bytes ?? bytes)});
  }
  return rows;
}

function countBytes(stream: Duplex) {
  let bytes = 0;
  const count = () =>
    new Transform({
      transform: (chunk: Buffer, _, done) => {
        bytes += chunk.length;
        done(null, chunk);
      },
    });
  return {stream: compose(count(), stream, count()), bytes: () => bytes};
}
