/** Covers what a peer may not do, frame by frame, and what it may only do so often. */
import {expect} from 'chai';
import {
  Flag,
  FrameType,
  makeFrame,
  makeHeaderFrames,
  makeNumberFrame,
  makeSettings,
} from '../../../src/wire/http2/frames.ts';
import type {Http2Stream} from '../../../src/wire/http2/stream.ts';
import {data, headers, OK, POST, withRawPeer} from '../../helpers/wire/raw-peer.ts';

const codes = {
  PROTOCOL: 1,
  FLOW_CONTROL: 3,
  STREAM_CLOSED: 5,
  FRAME_SIZE: 6,
  REFUSED: 7,
  COMPRESSION: 9,
  CALM: 11,
};
const {ACK, END_HEADERS, END_STREAM, PADDED} = Flag;
const bytes = (length: number) => Buffer.alloc(length);
const update = (stream: number, by: number) => makeNumberFrame(FrameType.WINDOW_UPDATE, stream, by);
const reset = (stream: number, code = 8) => makeNumberFrame(FrameType.RST_STREAM, stream, code);
const frame = (type: keyof typeof FrameType, flags: number, stream: number, payload = bytes(0)) =>
  makeFrame(FrameType[type], flags, stream, payload);
const open = (stream: number) => headers(stream, POST);

describe('a connection', () => {
  const fatal: Record<string, [keyof typeof codes, ...Buffer[]]> = {
    'a frame longer than allowed': ['FRAME_SIZE', frame('DATA', 0, 1, bytes(16_385))],
    'data of no stream': ['PROTOCOL', data(0, 'x')],
    'data of a stream that was not opened': ['PROTOCOL', data(3, 'x')],
    'more padding than bytes': ['PROTOCOL', open(1), data(1, '\x05abc', PADDED)],
    'padding without its length': ['PROTOCOL', open(1), data(1, '', PADDED)],
    'headers of no stream': ['PROTOCOL', headers(0, POST)],
    'headers of a stream of ours': ['PROTOCOL', headers(2, POST)],
    'headers with less than a weight': ['PROTOCOL', headers(1, bytes(4), END_HEADERS | Flag.PRIORITY)],
    'headers that are interrupted': ['PROTOCOL', headers(1, POST, 0), frame('PING', 0, 0, bytes(8))],
    'headers that go on in another stream': ['PROTOCOL', headers(1, POST, 0), frame('CONTINUATION', 4, 3)],
    'headers that go on without having begun': ['PROTOCOL', frame('CONTINUATION', 4, 1)],
    'headers that cannot be read': ['COMPRESSION', headers(1, Buffer.from([0xff]))],
    'a reset of no stream': ['PROTOCOL', reset(0)],
    'a reset of a stream that was not opened': ['PROTOCOL', reset(5)],
    'a reset of the wrong length': ['FRAME_SIZE', open(1), frame('RST_STREAM', 0, 1, bytes(5))],
    'settings of a stream': ['PROTOCOL', frame('SETTINGS', 0, 1)],
    'settings of a wrong length': ['FRAME_SIZE', frame('SETTINGS', 0, 0, bytes(7))],
    'settings with an acknowledgement': ['FRAME_SIZE', frame('SETTINGS', ACK, 0, bytes(6))],
    'a push that is neither on nor off': ['PROTOCOL', makeSettings([[2, 2]])],
    'an initial window without bounds': ['FLOW_CONTROL', makeSettings([[4, 2 ** 31]])],
    'an initial window that overflows one': [
      'FLOW_CONTROL',
      open(1),
      update(1, 2 ** 31 - 1 - 65_535),
      makeSettings([[4, 65_536]]),
    ],
    'frames shorter than all have to take': ['PROTOCOL', makeSettings([[5, 16_383]])],
    'frames longer than any can be': ['PROTOCOL', makeSettings([[5, 2 ** 24]])],
    'a push': ['PROTOCOL', open(1), frame('PUSH_PROMISE', END_HEADERS, 1, bytes(8))],
    'a ping of a stream': ['PROTOCOL', frame('PING', 0, 1, bytes(8))],
    'a ping of a wrong length': ['FRAME_SIZE', frame('PING', 0, 0, bytes(7))],
    'a goodbye of a stream': ['PROTOCOL', frame('GOAWAY', 0, 1, bytes(8))],
    'a goodbye of a wrong length': ['FRAME_SIZE', frame('GOAWAY', 0, 0, bytes(7))],
    'a window raised by nothing': ['PROTOCOL', update(0, 0)],
    'a window raised too far': ['FLOW_CONTROL', update(0, 2 ** 31 - 1)],
    'a window of a stream that was not opened': ['PROTOCOL', update(7, 1)],
    'an update of a wrong length': ['FRAME_SIZE', frame('WINDOW_UPDATE', 0, 0, bytes(3))],
    'more data in a stream than its window': [
      'FLOW_CONTROL',
      open(1),
      ...Array.from({length: 257}, () => data(1, bytes(16_384))),
    ],
    'more data than the window of the connection': [
      'FLOW_CONTROL',
      ...[1, 3, 5, 7, 9].flatMap((stream) => [
        open(stream),
        ...Array.from({length: 240}, () => data(stream, bytes(16_384))),
      ]),
    ],
    'headers without end in empty frames': [
      'CALM',
      headers(1, POST, 0),
      Buffer.concat(Array.from({length: 500_000}, () => frame('CONTINUATION', 0, 1))),
    ],
    'headers longer than allowed': [
      'CALM',
      headers(1, POST, 0),
      ...Array.from({length: 257}, () => frame('CONTINUATION', 0, 1, bytes(16_384))),
    ],
    'streams that are opened and reset over and over': [
      'CALM',
      ...Array.from({length: 3_000}, (_, at) => Buffer.concat([open(at * 2 + 1), reset(at * 2 + 1)])),
    ],
    'streams that are opened and ruined over and over': [
      'CALM',
      ...Array.from({length: 3_000}, (_, at) => Buffer.concat([open(at * 2 + 1), update(at * 2 + 1, 0)])),
    ],
  };
  for (const [what, [code, ...frames]] of Object.entries(fatal)) {
    it(`ends for ${what}`, async () => {
      const [connection, peer] = withRawPeer('server', {onStream: () => undefined});
      peer.send(...frames);
      expect(await peer.goodbye()).to.equal(codes[code]);
      expect(await connection.closed).to.have.property('code', codes[code]);
      expect(connection.openStreams).to.equal(0);
    });
  }

  const ruined: Record<string, [keyof typeof codes, ...Buffer[]]> = {
    'data behind its end': ['STREAM_CLOSED', data(1, 'x', END_STREAM), data(1, 'y')],
    'headers behind its end': ['STREAM_CLOSED', data(1, '', END_STREAM), headers(1, POST)],
    'headers in the middle': ['PROTOCOL', data(1, 'x'), headers(1, POST)],
    'its window raised by nothing': ['PROTOCOL', update(1, 0)],
    'its window raised too far': ['FLOW_CONTROL', update(1, 2 ** 31 - 1)],
  };
  for (const [what, [code, ...frames]] of Object.entries(ruined)) {
    it(`ends a stream alone for ${what}`, async () => {
      const [connection, peer] = withRawPeer('server', {onStream: () => undefined});
      peer.send(open(1), open(3), ...frames);
      const {payload} = await peer.next(FrameType.RST_STREAM, 1);
      expect(payload.readUInt32BE(0)).to.equal(codes[code]);
      expect(connection.openStreams).to.equal(1);
    });
  }

  it('refuses streams above the number that it takes, and goes on', async () => {
    const [connection, peer] = withRawPeer('server', {onStream: () => undefined, mostStreams: 2});
    peer.send(open(1), open(3), open(5));
    expect((await peer.next(FrameType.RST_STREAM, 5)).payload.readUInt32BE(0)).to.equal(codes.REFUSED);
    expect(connection.openStreams).to.equal(2);
  });

  it('ends where a peer begins with something else', async () => {
    for (const [role, first] of [
      ['server', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
      ['client', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ] as const) {
      const {Http2Connection} = await import('../../../src/wire/http2/connection.ts');
      const {duplexPair} = await import('node:stream');
      const [near, far] = duplexPair();
      const connection = new Http2Connection(near, role);
      far.resume().write(first);
      expect(await connection.closed, role)
        .to.have.property('code')
        .that.is.oneOf([codes.PROTOCOL, codes.FRAME_SIZE]);
    }
  });

  it('ends for a response before there are headers, in that stream alone', async () => {
    const [connection, peer] = withRawPeer('client');
    const first = connection.request([[':method', 'GET']]);
    const second = connection.request([[':method', 'GET']]);
    peer.send(data(1, 'x'), headers(3, OK, END_HEADERS | END_STREAM));
    expect((await peer.next(FrameType.RST_STREAM, 1)).payload.readUInt32BE(0)).to.equal(codes.PROTOCOL);
    expect([first.errored !== null, second.errored]).to.deep.equal([true, null]);
  });

  for (const [what, question] of [
    ['pings', frame('PING', 0, 0, bytes(8))],
    ['settings', makeSettings([[4, 1]])],
  ] as const) {
    it(`ends where a peer sends ${what} and does not read the answers`, async () => {
      const [connection, peer] = withRawPeer('server');
      peer.send(...Array.from({length: 30_000}, () => question));
      expect(await connection.closed).to.have.property('code', codes.CALM);
    });
  }

  it('answers any number of pings that are read, with what they hold', async () => {
    const [, peer] = withRawPeer('server');
    for (let at = 0; at < 20; at++) {
      const payloads = Array.from({length: 1_000}, (_, more) =>
        Buffer.from(String(at * 1_000 + more).padStart(8)),
      );
      peer.send(...payloads.map((payload) => frame('PING', 0, 0, payload)));
      for (const payload of payloads) {
        const answer = await peer.next(FrameType.PING);
        expect(answer.flags).to.equal(ACK);
        expect(answer.payload.equals(payload)).to.equal(true);
      }
    }
  });

  it('passes over what it does not know, and priorities', async () => {
    const [, peer] = withRawPeer('server');
    peer.send(
      makeFrame(0xfa, 0xff, 9, bytes(100)),
      frame('PRIORITY', 0, 11, bytes(5)),
      makeSettings([[99, 1]]),
    );
    peer.send(frame('PING', 0, 0, bytes(8)));
    await peer.next(FrameType.PING);
  });

  it('reads headers with weight and padding, in as many frames as they come', async () => {
    const {promise, resolve} = Promise.withResolvers<Http2Stream>();
    const [, peer] = withRawPeer('server', {onStream: resolve});
    const block = Buffer.concat([POST, Buffer.from('\x00\x01a\x01b')]);
    const first = Buffer.concat([Buffer.from([3]), bytes(5), block.subarray(0, 3), bytes(3)]);
    peer.send(headers(1, first, PADDED | Flag.PRIORITY));
    peer.send(frame('CONTINUATION', 0, 1), frame('CONTINUATION', 0, 1, block.subarray(3, 4)));
    peer.send(frame('CONTINUATION', END_HEADERS, 1, block.subarray(4)));
    expect((await promise).headers).to.deep.equal([
      [':method', 'POST'],
      [':path', '/'],
      ['a', 'b'],
    ]);
  });

  it('takes any number of header blocks that are not too long', async () => {
    const [connection, peer] = withRawPeer('server', {onStream: () => undefined, longestHeaders: 100});
    peer.send(...Array.from({length: 50}, (_, at) => open(at * 2 + 1)));
    peer.send(frame('PING', 0, 0, bytes(8)));
    await peer.next(FrameType.PING);
    expect(connection.openStreams).to.equal(50);
  });

  it('cuts headers into frames that every peer takes', async () => {
    const [connection, peer] = withRawPeer('client');
    connection.request([['x', 'y'.repeat(50_000)]]);
    const flags = [(await peer.next(FrameType.HEADERS)).flags];
    while (!((flags.at(-1) ?? 0) & END_HEADERS)) {
      const {payload, flags: more} = await peer.next(FrameType.CONTINUATION);
      expect(payload.length).to.be.at.most(16_384);
      flags.push(more);
    }
    expect(flags).to.deep.equal([0, 0, 0, END_HEADERS]);
    expect(makeHeaderFrames(1, bytes(16_384), true)).to.have.length(16_384 + 9);
  });
});
