/** Covers what becomes of streams: windows that change under them, ends, resets and goodbyes. */
import {once} from 'node:events';
import {duplexPair, PassThrough} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {expect} from 'chai';
import {Http2Connection} from '../../../src/wire/http2/connection.ts';
import {ErrorCode} from '../../../src/wire/http2/errors.ts';
import {
  Flag,
  FrameType,
  makeFrame,
  makeGoaway,
  makeNumberFrame,
  makeSettings,
} from '../../../src/wire/http2/frames.ts';
import {watchLiveness} from '../../../src/wire/http2/liveness.ts';
import type {Http2Stream} from '../../../src/wire/http2/stream.ts';
import {catchError} from '../../helpers/caught.ts';
import {data, headers, OK, POST, type RawPeer, withRawPeer} from '../../helpers/wire/raw-peer.ts';

const {END_HEADERS, END_STREAM} = Flag;
const update = (stream: number, by: number) => makeNumberFrame(FrameType.WINDOW_UPDATE, stream, by);
const reset = (stream: number, code: number) => makeNumberFrame(FrameType.RST_STREAM, stream, code);
const initialWindow = (size: number) => makeSettings([[4, size]]);
const request = [[':method', 'POST']] as const;

/** What comes in a stream, until a ping that is sent behind it is answered. */
async function sentSoFar(peer: RawPeer): Promise<Record<number, number>> {
  peer.send(makeFrame(FrameType.PING, 0, 0, Buffer.alloc(8)));
  const lengths: Record<number, number> = {};
  while (true) {
    const frame = await peer.nextOf(FrameType.DATA, FrameType.PING);
    if (frame.type === FrameType.PING) return lengths;
    lengths[frame.stream] = (lengths[frame.stream] ?? 0) + frame.payload.length;
  }
}

async function read(stream: Http2Stream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream.iterator({destroyOnReturn: false})) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function serve(): Promise<{peer: RawPeer; stream: Http2Stream}> {
  const {promise, resolve} = Promise.withResolvers<Http2Stream>();
  const [, peer] = withRawPeer('server', {onStream: resolve});
  peer.send(headers(1, POST));
  return {peer, stream: await promise};
}

describe('what is sent', () => {
  it('stays within windows that are raised and lowered while streams are open', async () => {
    const [connection, peer] = withRawPeer('client', {}, [[4, 100]]);
    await sentSoFar(peer);
    const streams = [connection.request(request), connection.request(request)];
    for (const stream of streams) stream.write(Buffer.alloc(1_000));
    expect(await sentSoFar(peer), 'at first').to.deep.equal({1: 100, 3: 100});
    peer.send(initialWindow(150));
    expect(await sentSoFar(peer), 'raised by 50').to.deep.equal({1: 50, 3: 50});
    peer.send(initialWindow(20), update(1, 129));
    expect(await sentSoFar(peer), 'lowered by 130, and one of them raised by 129').to.deep.equal({});
    peer.send(update(1, 11), update(3, 130));
    expect(await sentSoFar(peer), 'below nought, and above').to.deep.equal({1: 10});
    peer.send(initialWindow(21));
    expect(await sentSoFar(peer), 'raised by one').to.deep.equal({1: 1, 3: 1});
    peer.send(initialWindow(5_000));
    expect(await sentSoFar(peer), 'raised far').to.deep.equal({1: 839, 3: 849});
  });

  it('fails in plain words if the connection is ending', async () => {
    const transport = new PassThrough();
    transport.end();
    const connection = new Http2Connection(transport, 'client');
    expect(await connection.closed).to.have.property('message', 'the connection ended');
  });

  it('stays within the window of the connection, and takes turns', async () => {
    const [connection, peer] = withRawPeer('client', {}, [[4, 10_000_000]]);
    await sentSoFar(peer);
    const streams = [connection.request(request), connection.request(request)];
    for (const stream of streams) stream.write(Buffer.alloc(1_000_000));
    const first = await sentSoFar(peer);
    expect((first[1] ?? 0) + (first[3] ?? 0)).to.equal(65_535);
    peer.send(update(0, 16_384 * 4));
    expect(await sentSoFar(peer)).to.deep.equal({1: 32_768, 3: 32_768});
  });

  it('waits in its stream, not in the transport, where that takes no more', async () => {
    const [connection, peer] = withRawPeer('client', {}, [[4, 10_000_000]]);
    peer.send(update(0, 10_000_000));
    await sentSoFar(peer);
    const stream = connection.request(request);
    stream.end(Buffer.alloc(5_000_000));
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.waiting).to.be.below(1_000_000);
    let sent = 0;
    while (sent < 5_000_000) sent += (await peer.next(FrameType.DATA)).payload.length;
  });

  it('is done when the transport has it, and an end is sent behind it', async () => {
    const [connection, peer] = withRawPeer('client');
    const stream = connection.request(request);
    stream.end('all');
    await once(stream, 'finish');
    expect((await peer.next(FrameType.DATA)).payload.toString()).to.equal('all');
    expect((await peer.next(FrameType.DATA)).flags).to.equal(END_STREAM);
  });

  it('fails where the peer resets the stream in the middle of it', async () => {
    const [connection, peer] = withRawPeer('client', {}, [[4, 10]]);
    await sentSoFar(peer);
    const stream = connection.request(request);
    const written = new Promise<Error | null | undefined>((resolve) =>
      stream.write(Buffer.alloc(100), resolve),
    );
    await peer.next(FrameType.DATA);
    peer.send(reset(1, ErrorCode.CANCEL));
    expect(await written).to.have.property('code', ErrorCode.CANCEL);
    expect(connection.openStreams).to.equal(0);
  });

  it('goes nowhere, without an error, where the answer is whole and the rest not wanted', async () => {
    const [connection, peer] = withRawPeer('client', {}, [[4, 10]]);
    await sentSoFar(peer);
    const stream = connection.request(request);
    stream.write(Buffer.alloc(100));
    peer.send(headers(1, OK), data(1, 'answer', END_STREAM), reset(1, ErrorCode.NO_ERROR));
    expect(await read(stream)).to.equal('answer');
    await new Promise((resolve) => stream.end('more', () => resolve(undefined)));
    expect([stream.errored, connection.openStreams]).to.deep.equal([null, 0]);
  });
});

describe('what comes', () => {
  it('is given back to the peer when it is used, and not before', async () => {
    const {peer, stream} = await serve();
    const half = 2 * 1024 * 1024;
    for (let sent = 0; sent < 2 * half; sent += 16_384) peer.send(data(1, Buffer.alloc(16_384)));
    peer.send(makeFrame(FrameType.PING, 0, 0, Buffer.alloc(8)));
    expect(
      (await peer.nextOf(FrameType.PING, FrameType.WINDOW_UPDATE)).stream,
      'the connection, once',
    ).to.equal(0);
    expect((await peer.nextOf(FrameType.PING, FrameType.WINDOW_UPDATE)).type).to.equal(FrameType.PING);
    stream.resume();
    const {payload} = await peer.next(FrameType.WINDOW_UPDATE, 1);
    expect(payload.readUInt32BE(0)).to.equal(half);
  });

  it('is given back to the connection where nobody reads it', async () => {
    const [connection, peer] = withRawPeer('server', {onStream: () => undefined});
    const megabyte = (id: number) => Array.from({length: 64}, () => data(id, Buffer.alloc(16_384)));
    // The half of it, not given back, would be more than may come.
    for (let id = 1; id < 40; id += 2) {
      peer.send(headers(id, POST), ...megabyte(id), reset(id, ErrorCode.CANCEL), ...megabyte(id));
      await sentSoFar(peer);
    }
    expect(connection.openStreams).to.equal(0);
  });

  it('counts its padding, which is given back', async () => {
    const {peer, stream} = await serve();
    stream.resume();
    const padded = Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]);
    // Without that, 4 MiB of padding would be all there ever could be.
    for (let sent = 0; sent < 17_000; sent++) peer.send(data(1, padded, Flag.PADDED));
    expect((await peer.next(FrameType.WINDOW_UPDATE, 1)).payload.readUInt32BE(0)).to.be.at.least(
      2 * 1024 * 1024,
    );
    peer.send(data(1, 'x', END_STREAM));
    await once(stream, 'end');
  });

  it('takes no more room than it has bytes, however short its frames', async () => {
    const {peer, stream} = await serve();
    const frames = Buffer.concat(Array.from({length: 100_000}, () => data(1, 'x')));
    for (let round = 0; round < 3; round++) peer.send(frames);
    peer.send(data(1, '', END_STREAM));
    await new Promise((resolve) => setImmediate(resolve));
    let pieces = 0;
    let length = 0;
    for await (const chunk of stream) {
      pieces++;
      length += chunk.length;
    }
    expect(length).to.equal(300_000);
    expect(pieces).to.be.below(3_000);
  });

  it('can be read with its headers and trailers, behind early ones', async () => {
    const [connection, peer] = withRawPeer('client');
    const stream = connection.request(request);
    const early = Buffer.from('\x08\x03103', 'latin1');
    peer.send(headers(1, early), headers(1, OK), data(1, 'body'), headers(1, OK, END_HEADERS | END_STREAM));
    expect(await read(stream)).to.equal('body');
    expect([stream.headers, stream.trailers]).to.deep.equal([[[':status', '200']], [[':status', '200']]]);
  });

  it('can still be read where the connection ends behind it', async () => {
    const [connection, peer] = withRawPeer('client');
    const stream = connection.request(request);
    peer.send(headers(1, OK), data(1, 'all of it', END_STREAM));
    peer.transport.end();
    await connection.closed;
    expect(await read(stream)).to.equal('all of it');
    expect(connection.openStreams).to.equal(0);
  });

  it('is an error where the peer resets the stream in the middle, or the connection ends', async () => {
    for (const cut of [(peer: RawPeer) => peer.send(reset(1, 2)), (peer: RawPeer) => peer.transport.end()]) {
      const [connection, peer] = withRawPeer('client');
      const stream = connection.request(request);
      peer.send(headers(1, OK), data(1, 'half'));
      cut(peer);
      expect(await catchError(read(stream))).to.have.property('name', 'Http2Error');
    }
  });
});

describe('a goodbye', () => {
  it('of the peer fails what it did not look at, and leaves the rest', async () => {
    const [connection, peer] = withRawPeer('client');
    const [first, second] = [connection.request(request), connection.request(request)];
    peer.send(makeGoaway(1, ErrorCode.ENHANCE_YOUR_CALM, 'too_many_\npings'));
    expect(await catchError(read(second))).to.include({
      code: ErrorCode.REFUSED_STREAM,
      message: 'the peer closes the connection: ENHANCE_YOUR_CALM (too_many_ pings)',
    });
    expect(() => connection.request(request)).to.throw('too_many_ pings');
    peer.send(headers(1, OK), data(1, 'fine', END_STREAM));
    first.end();
    expect(await read(first)).to.equal('fine');
    expect(await connection.closed).to.have.property('code', ErrorCode.ENHANCE_YOUR_CALM);
  });

  it('of the peer that is no complaint ends the connection in order', async () => {
    const [connection, peer] = withRawPeer('client');
    peer.send(makeGoaway(0, ErrorCode.NO_ERROR));
    expect(await connection.closed).to.equal(undefined);
  });

  it('of ours lets go on what is under way, and begins nothing', async () => {
    const [connection, peer] = withRawPeer('client');
    const stream = connection.request(request);
    connection.close();
    expect((await peer.next(FrameType.GOAWAY)).payload.readUInt32BE(4)).to.equal(ErrorCode.NO_ERROR);
    expect(() => connection.request(request)).to.throw('closed');
    stream.end();
    peer.send(headers(1, OK, END_HEADERS | END_STREAM));
    await read(stream);
    expect(await connection.closed).to.equal(undefined);
  });

  it('of a server ignores streams that come after it', async () => {
    const [connection, peer] = withRawPeer('server', {onStream: () => expect.fail('it was begun')});
    peer.send(headers(1, Buffer.alloc(0), 0));
    await new Promise((resolve) => setImmediate(resolve));
    connection.close();
    peer.send(makeFrame(FrameType.CONTINUATION, END_HEADERS, 1, POST), data(1, 'x'));
    expect(await connection.closed).to.equal(undefined);
  });
});

describe('a request', () => {
  it('is refused above the number that the peer takes', async () => {
    const [connection, peer] = withRawPeer('client', {}, [[3, 1]]);
    await sentSoFar(peer);
    connection.request(request);
    expect(() => connection.request(request)).to.throw('no more than 1 request');
  });

  it('is cancelled where its stream is closed', async () => {
    const [connection, peer] = withRawPeer('client');
    connection.request(request).close();
    expect((await peer.next(FrameType.RST_STREAM, 1)).payload.readUInt32BE(0)).to.equal(ErrorCode.CANCEL);
  });
});

describe('a peer that is gone', () => {
  it('is found out by its silence, and what is under way fails', async () => {
    const [connection] = withRawPeer('client');
    const stream = connection.request(request);
    watchLiveness(connection, {silence: 5, patience: 5});
    const error = await catchError(read(stream));
    expect(error.message).to.equal('no answer within 0.01 s');
    expect(await connection.closed).to.equal(error);
  });

  it('is not one that has not said anything yet', async () => {
    const [near, far] = duplexPair();
    const connection = new Http2Connection(near, 'client');
    watchLiveness(connection, {silence: 1, patience: 1});
    expect(await Promise.race([connection.closed, sleep(30, 'open')])).to.equal('open');
    far.write(makeSettings([]));
    expect(await connection.closed).to.be.instanceOf(Error);
  });

  it('is not one that answers', async () => {
    const [connection, peer] = withRawPeer('client');
    watchLiveness(connection, {silence: 1, patience: 60_000});
    for (let answered = 0; answered < 3; answered++) {
      const {payload} = await peer.next(FrameType.PING);
      peer.send(makeFrame(FrameType.PING, Flag.ACK, 0, payload));
    }
    connection.close();
    expect(await connection.closed).to.equal(undefined);
  });

  it('answers a ping, which is told', async () => {
    const [connection, peer] = withRawPeer('client');
    const answered = new Promise<void>((resolve) => connection.ping(resolve));
    const {payload} = await peer.next(FrameType.PING);
    peer.send(makeFrame(FrameType.PING, Flag.ACK, 0, payload));
    await answered;
  });
});
