import {once} from 'node:events';
import http2 from 'node:http2';
import {duplexPair} from 'node:stream';
import {expect} from 'chai';
import {openByteStream} from '../../../src/wire/grpc/byte-stream.ts';
import {type CallOptions, callUnary, callWithOne, openCall} from '../../../src/wire/grpc/client.ts';
import type {Method} from '../../../src/wire/grpc/messages.ts';
import {type Route, type ServerCall, serveGrpc, streaming, unary} from '../../../src/wire/grpc/server.ts';
import {GrpcCode, GrpcError} from '../../../src/wire/grpc/status.ts';
import {Http2Connection} from '../../../src/wire/http2/connection.ts';
import {bytes, field, int32, message, string} from '../../../src/wire/protobuf/message.ts';
import {catchError} from '../../helpers/caught.ts';
import {checkBlocks, makeBlocks, writeAll} from '../../helpers/wire/blocks.ts';
import {socketPair} from '../../helpers/wire/sockets.ts';

const Text = message({text: field(1, string), number: field(2, int32)});
const Data = message({data: field(1, bytes)});
const ask = {path: '/test.Service/Ask', request: Text, response: Text};
const list = {path: '/test.Service/List', request: Text, response: Text};
const pipe = {path: '/test.Service/Pipe', request: Data, response: Data};

function connect(...routes: Route[]) {
  const [near, far] = duplexPair();
  const failures: unknown[] = [];
  const server = serveGrpc(far, {routes, onFailure: (_path, error) => failures.push(error)});
  return {client: new Http2Connection(near, 'client'), server, failures};
}

async function collect<T>(answers: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const answer of answers) all.push(answer);
  return all;
}

const error = async (run: Promise<unknown>) => (await catchError(run)) as GrpcError;

describe('gRPC', () => {
  it('answers one request with one message', async () => {
    const {client} = connect(unary(ask, ({text, number}) => ({text: `${text}!`, number: number + 1})));
    expect(await callUnary(client, ask, {text: 'hello', number: 41})).to.deep.equal({
      text: 'hello!',
      number: 42,
    });
    expect(await callUnary(client, ask, {})).to.deep.equal({text: '!', number: 1});
  });

  it('has metadata as it is, each value for itself', async () => {
    const calls: ServerCall[] = [];
    const {client} = connect(
      unary(ask, (_request, call) => {
        calls.push(call);
        return {};
      }),
    );
    const metadata = ['a, b', 'a', '', 'b,'].map((value) => ['followpaths', value] as const);
    await callUnary(client, ask, {}, {metadata});
    expect(calls[0]?.metadata.filter(([name]) => name === 'followpaths')).to.deep.equal(metadata);
    expect(calls[0]?.metadata).to.deep.include.members([
      [':path', '/test.Service/Ask'],
      ['te', 'trailers'],
      ['content-type', 'application/grpc'],
    ]);
  });

  it('streams answers no faster than they are read', async () => {
    let made = 0;
    const {client} = connect(
      streaming(list, async function* () {
        for (; made < 100_000; made++) yield {number: made, text: 'x'.repeat(1_000)};
      }),
    );
    const answers = callWithOne(client, list, {})[Symbol.asyncIterator]();
    for (let number = 0; number < 10; number++) expect((await answers.next()).value?.number).to.equal(number);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ahead = made;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made, 'it goes on by itself').to.equal(ahead);
    expect(made).to.be.below(10_000);
    await answers.return?.();
  });

  it('streams both ways at once', async () => {
    const {client} = connect(
      streaming(list, async function* (requests) {
        for await (const {text} of requests) yield {text: text.toUpperCase()};
      }),
    );
    const call = openCall(client, list);
    const answers = call[Symbol.asyncIterator]();
    for (const text of ['a', 'b']) {
      await call.send({text});
      expect((await answers.next()).value?.text).to.equal(text.toUpperCase());
    }
    call.end();
    expect(await answers.next()).to.deep.equal({done: true, value: undefined});
  });

  it('carries bytes as a stream of their own, whole and in order, with another HTTP/2 inside', async () => {
    const {client} = connect(
      streaming(pipe, async function* (requests) {
        // Buildkitd's place: a client of Node's in the data of the call.
        const [inside, outside] = duplexPair();
        (async () => {
          for await (const {data} of requests) if (!outside.write(data)) await once(outside, 'drain');
          outside.end();
        })();
        const inner = http2.connect('http://localhost', {createConnection: () => inside});
        const stream = inner.request({':method': 'POST'});
        const checked = Promise.all([checkBlocks(stream), writeAll(stream, makeBlocks(500, 1))]);
        checked.then(() => inner.close());
        for await (const data of outside) yield {data};
      }),
    );
    const {promise, resolve} = Promise.withResolvers<number>();
    const tunnel = openByteStream(openCall(client, pipe));
    const inner = new Http2Connection(tunnel, 'server', {
      onStream: async (stream) => {
        stream.respond([[':status', '200']]);
        const [count] = await Promise.all([checkBlocks(stream), writeAll(stream, makeBlocks(500, 2))]);
        resolve(count);
      },
    });
    expect(await promise).to.equal(500);
    await inner.closed;
  });

  it('tells the error of a call, with its details', async () => {
    const details = [{typeUrl: 'type.googleapis.com/test.Detail', value: new Uint8Array([1, 2, 3])}];
    const thrown = new GrpcError(GrpcCode.NOT_FOUND, 'no such thing: 100 % “größer”\n', {details});
    const {client, failures} = connect(
      unary(ask, () => {
        throw thrown;
      }),
    );
    expect(await error(callUnary(client, ask, {}))).to.deep.include({
      code: 5,
      message: thrown.message,
      details,
    });
    expect(failures).to.deep.equal([thrown]);
  });

  const failing: Record<string, [number, string, (call: ServerCall) => AsyncIterable<{text: string}>]> = {
    'an error that is no gRPC error': [
      GrpcCode.UNKNOWN,
      'a bug',
      () => {
        throw new TypeError('a bug');
      },
    ],
    'an error behind some answers': [
      GrpcCode.UNAVAILABLE,
      'gone',
      async function* () {
        yield {text: 'one'};
        throw new GrpcError(GrpcCode.UNAVAILABLE, 'gone');
      },
    ],
    'no answer': [GrpcCode.INTERNAL, 'no answer to /test.Service/List', async function* () {}],
    'more than one answer': [
      GrpcCode.INTERNAL,
      'more than one answer to /test.Service/List',
      async function* () {
        yield {text: 'one'};
        yield {text: 'two'};
      },
    ],
    'an answer that is too long': [
      GrpcCode.RESOURCE_EXHAUSTED,
      'a message of 2004 bytes, longer than 1000',
      async function* () {
        yield {text: 'x'.repeat(2_001)};
      },
    ],
  };
  for (const [what, [code, text, answer]] of Object.entries(failing)) {
    it(`fails a call with ${what}`, async () => {
      const {client} = connect(streaming(list, (_requests, call) => answer(call)));
      expect(await error(callUnary(client, list, {}, {longest: 1_000}))).to.include({code, message: text});
      expect(client.openStreams).to.equal(0);
    });
  }

  it('fails a call of a method that is not served, or has a wrong number of requests', async () => {
    const {client} = connect(unary(ask, () => ({})));
    const unknown = await error(callUnary(client, list, {}));
    expect(unknown).to.include({code: GrpcCode.UNIMPLEMENTED, message: 'unknown method /test.Service/List'});
    for (const count of [0, 2]) {
      const call = openCall(client, ask);
      for (let sent = 0; sent < count; sent++) await call.send({});
      call.end();
      expect((await error(collect(call))).message).to.equal('a call of this method has one request');
    }
  });

  it('cancels a call where its signal is aborted, and tells the other side', async () => {
    const seen = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const {client, failures} = connect(
      unary(ask, async (_request, {signal}) => {
        signal.addEventListener('abort', () => aborted.resolve());
        seen.resolve();
        await aborted.promise;
        throw new Error('too late');
      }),
    );
    const abort = new AbortController();
    const call = error(callUnary(client, ask, {}, {signal: abort.signal}));
    await seen.promise;
    abort.abort(new Error('enough'));
    expect(await call).to.include({code: GrpcCode.CANCELLED, message: 'the call was cancelled'});
    await aborted.promise;
    expect(client.openStreams).to.equal(0);
    expect(failures).to.deep.equal([]);
    expect((await error(callUnary(client, ask, {}, {signal: abort.signal}))).code).to.equal(
      GrpcCode.CANCELLED,
    );
    const tooLate = AbortSignal.abort(new DOMException('', 'TimeoutError'));
    expect((await error(callUnary(client, ask, {}, {signal: tooLate}))).message).to.equal('it took too long');
  });

  it('tells the other side where nobody reads on', async () => {
    const ended = Promise.withResolvers<void>();
    const {client} = connect(
      streaming(list, async function* () {
        try {
          while (true) yield {text: 'x'.repeat(10_000)};
        } finally {
          ended.resolve();
        }
      }),
    );
    for await (const _ of callWithOne(client, list, {})) break;
    await ended.promise;
  });

  it('ends a call whose answer is whole, though the requests are not', async () => {
    const {client, server} = connect(
      streaming(list, async function* () {
        yield {text: 'enough'};
      }),
    );
    const call = openCall(client, list);
    expect(await collect(call)).to.deep.equal([{text: 'enough', number: 0}]);
    const settled = new Promise<void>((resolve) => client.ping(resolve));
    await settled;
    expect([client.openStreams, server.openStreams]).to.deep.equal([0, 0]);
  });

  it('tells a peer that it wants no more, where the answer is whole', async () => {
    const [near, far] = duplexPair();
    const answer = streaming(list, async function* () {});
    const server = serveGrpc(far, {routes: [answer]});
    const peer = http2.connect('http://localhost', {createConnection: () => near});
    const stream = peer.request({':method': 'POST', ':path': list.path});
    const [[trailers]] = await Promise.all([once(stream.resume(), 'trailers'), once(stream, 'close')]);
    expect(trailers['grpc-status']).to.equal('0');
    expect([stream.rstCode, server.openStreams]).to.deep.equal([0, 0]);
    peer.close();
  });

  it('fails all calls as unavailable where the connection ends', async () => {
    const {client, server} = connect(unary(ask, () => new Promise<never>(() => undefined)));
    const call = error(callUnary(client, ask, {}));
    await new Promise((resolve) => setImmediate(resolve));
    server.destroy();
    expect((await call).code).to.equal(GrpcCode.UNAVAILABLE);
    expect((await error(callUnary(client, ask, {}))).code).to.equal(GrpcCode.UNAVAILABLE);
  });
});

describe('gRPC with a peer that is not one of ours', () => {
  type Reply = (stream: http2.ServerHttp2Stream) => void;
  const reply =
    (
      headers: http2.OutgoingHttpHeaders,
      body: string | undefined,
      trailers?: http2.OutgoingHttpHeaders,
    ): Reply =>
    (stream) => {
      stream.respond(
        {':status': 200, 'content-type': 'application/grpc', ...headers},
        {waitForTrailers: true},
      );
      stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
      stream.end(Buffer.from(body ?? '', 'latin1'));
    };
  const fine = {'grpc-status': '0'};
  const HELLO = '\x00\x00\x00\x00\x04\x0a\x02hi';
  const cases: Record<string, [code: number, message: string, reply: Reply, options?: CallOptions]> = {
    'a status without a body': [
      7,
      'not you',
      reply({'grpc-status': '7', 'grpc-message': 'not%20you'}, undefined),
    ],
    'a message with broken escapes': [
      13,
      '50% %zz ä',
      reply({}, '', {'grpc-status': '13', 'grpc-message': '50%25 %zz %C3%A4'}),
    ],
    'details that cannot be read': [
      13,
      'x',
      reply({}, '', {'grpc-status': '13', 'grpc-message': 'x', 'grpc-status-details-bin': '/////w'}),
    ],
    'a status that is no number': [
      2,
      'the server ended the call without a status',
      reply({}, HELLO, {'grpc-status': 'fine'}),
    ],
    'no status': [2, 'the server ended the call without a status', reply({}, HELLO)],
    'a message that is cut off': [
      13,
      'the stream ended within a message',
      reply({}, HELLO.slice(0, -1), fine),
    ],
    'a length that is cut off': [13, 'the stream ended within a message', reply({}, '\x00\x00', fine)],
    'a message that is compressed': [12, 'a message is compressed', reply({}, `\x01${HELLO.slice(1)}`, fine)],
    'a message that cannot be read': [
      13,
      'a message cannot be read',
      reply({}, '\x00\x00\x00\x00\x02\x0a\x05', fine),
    ],
    'a message of 4 GB': [
      8,
      'a message of 4294967295 bytes, longer than 16777216',
      reply({}, '\x00\xff\xff\xff\xff', fine),
    ],
    'a page of a proxy': [
      14,
      'the server answered with HTTP 503, text/html',
      reply({':status': 503, 'content-type': 'text/html'}, '<html>'),
    ],
    'a page that does not end': [
      12,
      'the server answered with HTTP 404, no content type',
      (stream) => stream.respond({':status': 404}),
    ],
    'a page in place of an answer': [
      2,
      'the server answered with HTTP 200, text/html',
      reply({'content-type': 'text/html'}, '<html>'),
    ],
    'a reset': [14, 'the peer reset the stream: REFUSED_STREAM', (stream) => stream.close(7)],
    'a reset of its own': [13, 'the peer reset the stream: code 2989', (stream) => stream.close(2_989)],
  };
  for (const [what, [code, text, handle]] of Object.entries(cases)) {
    it(`fails a call with ${what}`, async () => {
      const [near, far] = await socketPair();
      const session = http2.performServerHandshake(far);
      session.on('stream', (stream) => handle(stream.on('error', () => undefined)));
      const client = new Http2Connection(near, 'client');
      expect(await error(callUnary(client, ask, {text: 'x'}))).to.include({code, message: text});
      client.destroy();
    });
  }

  it('reads messages that come in any pieces', async () => {
    const [near, far] = await socketPair();
    http2.performServerHandshake(far).on('stream', async (stream) => {
      stream.respond({':status': 200, 'content-type': 'application/grpc+proto'}, {waitForTrailers: true});
      stream.on('wantTrailers', () => stream.sendTrailers(fine));
      for (const letter of HELLO.repeat(3)) {
        stream.write(letter, 'latin1');
        await new Promise((resolve) => setImmediate(resolve));
      }
      stream.end();
    });
    const client = new Http2Connection(near, 'client');
    expect((await collect(callWithOne(client, list, {}))).map(({text}) => text)).to.deep.equal([
      'hi',
      'hi',
      'hi',
    ]);
    client.destroy();
  });
});

// What a method is, for those who write one down.
ask satisfies Method<unknown, never, unknown, never>;
