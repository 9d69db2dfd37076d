/** Covers our HTTP/2 with that of Node on the other side, in both roles. */
import {once} from 'node:events';
import http2 from 'node:http2';
import {type Duplex, duplexPair} from 'node:stream';
import {expect} from 'chai';
import fc from 'fast-check';
import {Http2Connection} from '../../../src/wire/http2/connection.ts';
import {Http2Error} from '../../../src/wire/http2/errors.ts';
import {makeFrame, makeSettings, PREFACE} from '../../../src/wire/http2/frames.ts';
import type {Header} from '../../../src/wire/http2/hpack-tables.ts';
import type {Http2Stream} from '../../../src/wire/http2/stream.ts';
import {checkBlocks, makeBlocks, writeAll} from '../../helpers/wire/blocks.ts';
import {numbersFrom, socketPair} from '../../helpers/wire/sockets.ts';

const LARGE = {maxHeaderListPairs: 20_000, maxSendHeaderBlockLength: 8_000_000};
const ROOMY = {maxHeaderListSize: 8_000_000};

type NodeHandler = (
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  flags: number,
  raw: string[],
) => void;

/** Our client, and a server of Node's. */
async function withNodeServer(
  handle: NodeHandler,
): Promise<{ours: Http2Connection; node: http2.Http2Session}> {
  const [near, far] = await socketPair();
  const node = http2.performServerHandshake(far, {...LARGE, settings: ROOMY});
  node.on('stream', handle);
  node.on('error', () => undefined);
  return {ours: new Http2Connection(near, 'client'), node};
}

/** Our server, and a client of Node's. */
async function withNodeClient(
  onStream: (stream: Http2Stream) => void,
): Promise<{ours: Http2Connection; node: http2.ClientHttp2Session}> {
  const [near, far] = await socketPair();
  const node = http2.connect('http://localhost', {createConnection: () => near, ...LARGE, settings: ROOMY});
  node.on('error', () => undefined);
  return {ours: new Http2Connection(far, 'server', {onStream}), node};
}

const post: Header[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/'],
  [':authority', 'localhost'],
];
const status: Header[] = [[':status', '200']];
const own = (headers: readonly Header[] = []) => headers.filter(([name]) => name.startsWith('x-'));
const ownOfRaw = (raw: readonly string[]) =>
  raw.flatMap((name, at): Header[] =>
    at % 2 === 0 && name.startsWith('x-') ? [[name, raw[at + 1] ?? '']] : [],
  );

const value = fc
  .string({unit: fc.constantFrom(...'aZ0 %~^\\<\u00a1\u00ff\u0080@{}|'), maxLength: 30})
  .map((text) => `_${text}_`);
const name = fc.constantFrom('x-a', 'x-b', 'x-c', 'x-longer-name-that-is-not-in-any-table', 'x-followpaths');
const lists = fc.array(fc.array(fc.tuple(name, value), {maxLength: 12}), {minLength: 4, maxLength: 12});

describe('HTTP/2 with Node on the other side', () => {
  it('has the same headers as its client sent, whatever it remembers of earlier ones', async () => {
    const seen: Header[][] = [];
    const {node} = await withNodeClient((stream) => {
      seen.push(own(stream.headers));
      stream.respond(status);
      stream.end();
      stream.resume();
    });
    const sent = fc.sample(lists, {numRuns: 20, seed: 1}).flat();
    for (const headers of sent) {
      const flat = [...post, ...headers].flat();
      const stream = node.request(flat as unknown as http2.OutgoingHttpHeaders, {endStream: true});
      await once(stream.resume(), 'end');
    }
    expect(seen).to.deep.equal(sent);
    node.close();
  });

  it('sends headers that its server reads as they are', async () => {
    const {ours} = await withNodeServer((stream, _headers, _flags, raw) => {
      stream.respond({
        ':status': 200,
        'x-raw': JSON.stringify(ownOfRaw(raw)).replaceAll('\u0080', '?').length,
      });
      stream.end(JSON.stringify(ownOfRaw(raw)));
    });
    for (const headers of fc.sample(lists, {numRuns: 20, seed: 2}).flat()) {
      const stream = ours.request([...post, ...headers]);
      stream.end();
      expect(JSON.parse(String(Buffer.concat(await stream.toArray())))).to.deep.equal(headers);
    }
    ours.close();
  });

  it('has thousands of headers in one list, both ways', async () => {
    // Node takes no more than eight frames behind the first.
    const many = Array.from({length: 3_000}, (_, at): Header => ['x-followpaths', `directory/file-${at}`]);
    const received = Promise.withResolvers<Header[]>();
    const {node} = await withNodeClient((stream) => received.resolve(own(stream.headers)));
    node.request({':method': 'POST', 'x-followpaths': many.map(([, path]) => path)});
    expect(await received.promise).to.deep.equal(many);
    node.destroy();
    const sent = Promise.withResolvers<Header[]>();
    const {ours} = await withNodeServer((_stream, _headers, _flags, raw) => sent.resolve(ownOfRaw(raw)));
    ours.request([...post, ...many]);
    expect(await sent.promise).to.deep.equal(many);
    ours.destroy();
  });

  it('carries large data both ways in several streams, whole and in order, to its server', async () => {
    const {ours, node} = await withNodeServer(async (stream) => {
      stream.respond({':status': 200}, {waitForTrailers: true});
      stream.on('wantTrailers', () => stream.sendTrailers({'x-count': 'done'}));
      const [count] = await Promise.all([
        checkBlocks(stream, 3),
        writeAll(stream, makeBlocks(700, stream.id ?? 0)),
      ]);
      expect(count).to.equal(700);
    });
    const random = numbersFrom(4);
    const shifts = setInterval(() => node.settings({initialWindowSize: 20_000 + random(500_000)}), 3);
    const counts = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const stream = ours.request(post);
        const writing = writeAll(stream, makeBlocks(700, seed));
        const count = await checkBlocks(stream, seed);
        await writing;
        return [count, own(stream.trailers)];
      }),
    );
    clearInterval(shifts);
    expect(counts).to.deep.equal(Array.from({length: 3}, () => [700, [['x-count', 'done']]]));
    ours.close();
    expect(await ours.closed).to.equal(undefined);
  });

  it('carries large data both ways in several streams, whole and in order, to its client', async () => {
    const {node} = await withNodeClient(async (stream) => {
      stream.respond(status);
      await Promise.all([checkBlocks(stream, 5), writeAll(stream, makeBlocks(700, stream.id))]);
    });
    const counts = await Promise.all(
      [1, 2, 3].map(async (seed) => {
        const stream = node.request({':method': 'POST'});
        const [count] = await Promise.all([
          checkBlocks(stream, seed),
          writeAll(stream, makeBlocks(700, seed)),
        ]);
        return count;
      }),
    );
    expect(counts).to.deep.equal([700, 700, 700]);
    node.close();
  });

  it('resets streams, and is told of it', async () => {
    const codes: number[] = [];
    const {ours} = await withNodeServer((stream) => {
      stream.on('error', () => undefined);
      stream.on('close', () => codes.push(stream.rstCode));
      stream.respond({':status': 200});
      stream.write('half');
      stream.once('data', () => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM));
    });
    const refused = ours.request(post);
    refused.write('x');
    refused.resume();
    await new Promise((resolve) => refused.on('close', resolve));
    expect(refused.rstCode).to.equal(http2.constants.NGHTTP2_REFUSED_STREAM);
    const cancelled = ours.request(post);
    await once(cancelled, 'data');
    cancelled.close();
    const pinged = new Promise<void>((resolve) => ours.ping(resolve));
    await pinged;
    expect(codes).to.deep.equal([http2.constants.NGHTTP2_REFUSED_STREAM, http2.constants.NGHTTP2_CANCEL]);
    ours.close();
  });

  it('closes when it says goodbye, and answers its pings', async () => {
    const {ours, node} = await withNodeClient(() => undefined);
    await new Promise<void>((resolve, reject) => node.ping((error) => (error ? reject(error) : resolve())));
    node.close();
    await Promise.all([ours.closed, once(node, 'close')]);
  });
});

/** What Node's client, or its server, sends in a short exchange. */
async function record(role: 'client' | 'server'): Promise<Buffer> {
  const [near, between] = await socketPair();
  const [beyond, far] = await socketPair();
  const chunks: Buffer[] = [];
  (role === 'client' ? between : beyond).on('data', (chunk: Buffer) => chunks.push(chunk));
  between.pipe(beyond).pipe(between);
  const server = http2.performServerHandshake(far);
  server.on('stream', (stream) => {
    stream.respond({':status': 200, 'x-header': 'some value'}, {waitForTrailers: true});
    stream.on('wantTrailers', () => stream.sendTrailers({'x-trailer': 'one'}));
    stream.pipe(stream);
  });
  const client = http2.connect('http://localhost', {createConnection: () => near});
  await Promise.all(
    [1, 2].map(async () => {
      const stream = client.request({':method': 'POST', ':path': '/some/path'});
      stream.end(Buffer.alloc(300, 'abc'));
      await once(stream.resume(), 'end');
    }),
  );
  client.destroy();
  server.destroy();
  return Buffer.concat(chunks);
}

/** Has `bytes` come to a connection of ours that does what it is asked; tells what became of it. */
async function feed(role: 'client' | 'server', bytes: Buffer): Promise<Error | undefined> {
  const [near, far] = duplexPair();
  const echo = (stream: Http2Stream) => {
    stream.respond(status);
    stream.pipe(stream);
  };
  const connection = new Http2Connection(near as Duplex, role, {onStream: echo});
  if (role === 'client')
    for (let made = 0; made < 2; made++) connection.request(post).resume().end('some data');
  far.on('error', () => undefined);
  far.resume().end(bytes);
  const outcome = await connection.closed;
  expect(connection.openStreams).to.equal(0);
  return outcome;
}

describe('what no peer should send', () => {
  for (const [ours, role] of [
    ['server', 'client'],
    ['client', 'server'],
  ] as const) {
    it(`ends a ${ours} in order, at worst, where what Node sends is changed anywhere`, async () => {
      const recorded = await record(role);
      const changes = fc.array(fc.tuple(fc.nat(recorded.length - 1), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      });
      await fc.assert(
        fc.asyncProperty(changes, fc.boolean(), async (changed, cut) => {
          const bytes = Buffer.from(recorded);
          for (const [at, byte] of changed) bytes[at] = byte;
          const outcome = await feed(ours, cut ? bytes.subarray(0, changed[0]?.[0]) : bytes);
          if (outcome !== undefined) expect(outcome).to.be.instanceOf(Http2Error);
        }),
        {numRuns: 400},
      );
    });

    it(`ends a ${ours} in order, at worst, in frames of any kind`, async () => {
      const frame = fc
        .tuple(fc.nat(11), fc.nat(0x3f), fc.nat(6), fc.uint8Array({maxLength: 20}))
        .map(([type, flags, stream, payload]) => makeFrame(type, flags, stream, Buffer.from(payload)));
      await fc.assert(
        fc.asyncProperty(fc.array(frame, {maxLength: 12}), async (frames) => {
          const start = ours === 'server' ? [PREFACE] : [];
          const outcome = await feed(ours, Buffer.concat([...start, makeSettings([]), ...frames]));
          if (outcome !== undefined) expect(outcome).to.be.instanceOf(Http2Error);
        }),
        {numRuns: 400},
      );
    });
  }
});
