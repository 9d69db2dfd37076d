/** Owns what the stand-in of buildkitd does with OCI layouts of its client: caches, images and contexts. */
import type {ClientHttp2Session} from 'node:http2';
import {STORE_ID} from '../../src/buildkit/session/content.ts';
import {Content, WriteAction} from '../../src/wire/containerd/content.ts';
import {exchange} from './buildkit-stand-in-calls.ts';
import {digestOf} from './content-client.ts';

interface Asked {
  readonly attributes: ReadonlyMap<string, string>;
  readonly exporter: {readonly type: string; readonly attributes: ReadonlyMap<string, string>};
  readonly cacheExports: readonly {readonly type: string; readonly attributes: ReadonlyMap<string, string>}[];
}

/** Writes a blob for each cache and image that is to be in a layout. Gives what the exporters answer. */
export async function exportBlobs(
  client: ClientHttp2Session,
  {exporter, cacheExports}: Asked,
): Promise<ReadonlyMap<string, string>> {
  const answer = new Map<string, string>();
  const put = async (store: string, text: string) => {
    const data = Buffer.from(text);
    const whole = {ref: text, expected: digestOf(data), total: BigInt(data.length)};
    const {STAT, WRITE, COMMIT} = WriteAction;
    const offset = BigInt(data.length);
    const messages = [
      {action: STAT, ...whole},
      {action: WRITE, data},
      {action: COMMIT, offset, ...whole},
    ];
    await exchange(client, Content.write, {[STORE_ID]: store}, messages).catch((error: Error) => {
      // It was there before.
      if (!error.message.endsWith(' 6')) throw error;
    });
    return JSON.stringify({mediaType: 'application/x', digest: whole.expected, size: data.length});
  };
  for (const {type, attributes} of cacheExports) {
    if (type === 'local')
      answer.set('cache.manifest', await put(`local:${attributes.get('dest')}`, 'the cache'));
  }
  if (exporter.attributes.get('tar') === 'false') {
    const descriptor = await put('export', 'the image');
    answer.set('containerimage.descriptor', Buffer.from(descriptor).toString('base64'));
    answer.set('image.name', exporter.attributes.get('name') ?? '');
  }
  return answer;
}

/** The blobs that a build reads from its client's layouts. */
export async function importBlobs(
  client: ClientHttp2Session,
  {attributes}: Pick<Asked, 'attributes'>,
): Promise<readonly string[]> {
  const caches = JSON.parse(attributes.get('cache-imports') ?? '[]') as {
    readonly Type: string;
    readonly Attrs: {readonly src: string; readonly digest: string};
  }[];
  const wanted = caches
    .filter(({Type}) => Type === 'local')
    .map(({Attrs: {src, digest}}) => ({store: `local:${src}`, digest}));
  for (const source of attributes.values()) {
    const [, id, digest] = /^oci-layout:\/\/([a-z0-9-]+):[\w.-]+@(sha256:[0-9a-f]{64})$/.exec(source) ?? [];
    if (id !== undefined && digest !== undefined) wanted.push({store: `oci:${id}`, digest});
  }
  const texts: string[] = [];
  for (const {store, digest} of wanted) {
    const parts = await exchange(client, Content.read, {[STORE_ID]: store}, [{digest}]);
    texts.push(Buffer.concat(parts.map(({data}) => data)).toString());
  }
  return texts;
}
