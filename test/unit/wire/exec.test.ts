import {spawn} from 'node:child_process';
import {createHash} from 'node:crypto';
import {once} from 'node:events';
import {createServer, type IncomingMessage, type RequestListener} from 'node:http';
import {performServerHandshake} from 'node:http2';
import {createServer as createTlsServer, type ServerOptions} from 'node:https';
import type {AddressInfo} from 'node:net';
import {type Duplex, duplexPair} from 'node:stream';
import {expect} from 'chai';
import {type WebSocket, WebSocketServer} from 'ws';
import type {ExecTarget, Tunnel} from '../../../src/cluster/ports.ts';
import {makeOpenUpgrade, type UpgradeOptions, UpgradeRefused} from '../../../src/system/upgrade-transport.ts';
import {openChildTunnel} from '../../../src/wire/child-tunnel.ts';
import {readExecStatus} from '../../../src/wire/exec/exec-status.ts';
import {execPath, openExec} from '../../../src/wire/exec/open-exec.ts';
import {Http2Connection} from '../../../src/wire/http2/connection.ts';
import {catchError} from '../../helpers/caught.ts';
import {makeCertificateAuthority} from '../../helpers/certificates.ts';
import {checkBlocks, makeBlocks, writeAll} from '../../helpers/wire/blocks.ts';

const target: ExecTarget = {
  namespace: 'apps',
  pod: 'buildkit-0',
  container: 'buildkitd',
  command: ['buildctl', 'dial-stdio'],
};
const success = JSON.stringify({metadata: {}, status: 'Success'});
const channel = (number: number, text: string | Buffer = '') =>
  Buffer.concat([Buffer.from([number]), Buffer.from(text)]);

interface Tls {
  readonly server: ServerOptions;
  readonly client: UpgradeOptions['tls'];
}

/** An API server that runs `program` with the WebSocket of an exec. */
async function withApi(
  program: (client: WebSocket, request: IncomingMessage) => void,
  protocol = 'v5.channel.k8s.io',
  tls?: Tls,
  timeout = 60_000,
) {
  const refuse: RequestListener = (_request, response) => response.writeHead(403).end('{"message": "no"}');
  const api = (tls ? createTlsServer(tls.server, refuse) : createServer(refuse)).listen(0, '127.0.0.1');
  const sockets = new WebSocketServer({noServer: true, handleProtocols: () => protocol});
  api.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (client) => program(client, request));
  });
  await once(api, 'listening');
  const open = makeOpenUpgrade({
    base: `${tls ? 'https' : 'http'}://127.0.0.1:${(api.address() as AddressInfo).port}/prefix`,
    tls: tls?.client ?? {},
    headers: {Authorization: ['Bearer secret']},
    timeout,
    onTimeout: () => new Error('too slow'),
  });
  const stop = () => {
    for (const client of sockets.clients) client.terminate();
    api.closeAllConnections();
    api.close();
  };
  return {open, api, stop};
}

const read = async (stream: Duplex) => String(Buffer.concat(await stream.toArray()));

/** `cat`, as the API server would run it. */
function cat(client: WebSocket): void {
  client.on('message', (message: Buffer) => {
    if (message[0] === 0) client.send(channel(1, message.subarray(1)));
    else if (message.equals(Buffer.from([255, 0]))) {
      client.send(channel(3, success));
      client.close(1000);
    } else client.terminate();
    if (client.bufferedAmount < 1_000_000) return;
    client.pause();
    const wait = setInterval(() => {
      if (client.bufferedAmount > 0) return;
      clearInterval(wait);
      client.resume();
    }, 1);
  });
}

describe('a program in a pod', () => {
  it('is asked for by its words, with the credentials', async () => {
    const asked = Promise.withResolvers<IncomingMessage>();
    const {open, stop} = await withApi((client, request) => {
      asked.resolve(request);
      client.send(channel(3, success));
    });
    const tunnel = await openExec(open, {...target, command: ['sh', '-c', 'a&b=c d/ü']});
    const {url, headers} = await asked.promise;
    expect(url).to.equal(
      '/prefix/api/v1/namespaces/apps/pods/buildkit-0/exec?container=buildkitd&stdin=true&stdout=true&stderr=true' +
        '&command=sh&command=-c&command=a%26b%3Dc+d%2F%C3%BC',
    );
    expect(headers).to.include({
      authorization: 'Bearer secret',
      'sec-websocket-protocol': 'v5.channel.k8s.io, v4.channel.k8s.io',
      'sec-websocket-version': '13',
    });
    expect(execPath({...target, pod: 'a/../b'})).to.include('/pods/a%2F..%2Fb/exec');
    expect(await tunnel.ended).to.include({exitCode: 0});
    stop();
  });

  it('takes and gives large data, whole and in order, and ends when its input does', async () => {
    const {open, stop} = await withApi(cat);
    const {stream, ended} = await openExec(open, target);
    const [count] = await Promise.all([checkBlocks(stream, 7), writeAll(stream, makeBlocks(2_000, 8))]);
    expect(count).to.equal(2_000);
    expect(await ended).to.deep.equal({exitCode: 0, failure: undefined, stderr: ''});
    stop();
  });

  it('carries HTTP/2 over TLS, with the certificates of both sides', async () => {
    const authority = await makeCertificateAuthority();
    const [own, user] = await Promise.all([authority.signServer(['127.0.0.1']), authority.signClient('me')]);
    const ca = authority.certificate;
    const server = {ca, cert: own.certificate, key: own.key, requestCert: true};
    const client = {ca, cert: user.certificate, key: user.key};
    const dial = (socket: WebSocket) => {
      const [inside, outside] = duplexPair();
      performServerHandshake(inside).on('stream', async (stream) => {
        stream.respond({':status': 200});
        await Promise.all([checkBlocks(stream), writeAll(stream, makeBlocks(1_000, 1))]);
      });
      socket.on('message', (message: Buffer) => outside.write(message.subarray(1)));
      outside.on('data', (chunk: Buffer) => socket.send(channel(1, chunk)));
    };
    const {open, stop} = await withApi(dial, undefined, {server, client});
    const connection = new Http2Connection((await openExec(open, target)).stream, 'client');
    const stream = connection.request([
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'localhost'],
    ]);
    const [count] = await Promise.all([checkBlocks(stream), writeAll(stream, makeBlocks(1_000, 2))]);
    expect(count).to.equal(1_000);
    connection.destroy();
    stop();
    const stranger = await withApi(dial, undefined, {server, client: {}});
    expect(await catchError(openExec(stranger.open, target)))
      .to.have.property('code')
      .that.matches(/CERT|SIGN/);
    stranger.stop();
  });

  it('writes no faster than it is read', async () => {
    const {open, stop} = await withApi((client) => client.pause());
    const {stream} = await openExec(open, target);
    let taken = 0;
    for (let written = 0; written < 1_000; written++) {
      stream.write(Buffer.alloc(100_000), (error) => {
        if (!error) taken++;
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(taken).to.be.below(900);
    stream.destroy();
    stop();
  });

  it('is read no faster than its output is taken', async () => {
    const {open, stop} = await withApi((client) => {
      for (let sent = 0; sent < 500; sent++) client.send(channel(1, Buffer.alloc(100_000)));
    });
    const {stream} = await openExec(open, target);
    stream.read(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(stream.readableLength).to.be.below(2_000_000);
    let length = 0;
    for await (const chunk of stream.iterator({destroyOnReturn: false})) {
      length += chunk.length;
      if (length === 50_000_000) break;
    }
    stream.destroy();
    stop();
  });

  it('tells how it ended, with the last that it said about it', async () => {
    const status = {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: 'command terminated with exit code 7',
      details: {causes: [{reason: 'ExitCode', message: '7'}]},
    };
    const {open, stop} = await withApi((client) => {
      client.send(channel(1, 'out'));
      client.send(channel(2, `${'x'.repeat(100_000)}\n`));
      client.send(channel(2, 'no such socket\n'));
      client.send(channel(3, JSON.stringify(status)));
      client.close(1000);
    });
    const {stream, ended} = await openExec(open, target);
    expect(await read(stream)).to.equal('out');
    const {stderr, ...end} = await ended;
    expect(end).to.deep.equal({exitCode: 7, failure: 'command terminated with exit code 7'});
    expect(stderr)
      .to.match(/x\nno such socket\n$/)
      .and.have.length(16_384);
    stop();
  });

  it('is closed with the connection where the protocol cannot close an input', async () => {
    const closed = Promise.withResolvers<number>();
    const {open, stop} = await withApi((client) => client.on('close', closed.resolve), 'v4.channel.k8s.io');
    const {stream} = await openExec(open, target);
    stream.end();
    expect(await closed.promise).to.equal(1000);
    stop();
  });

  it('is an error where the connection is cut', async () => {
    const {open, stop} = await withApi((client) => {
      client.send(channel(1, 'half'));
      client.terminate();
    });
    const {stream, ended} = await openExec(open, target);
    expect((await catchError(read(stream))).message).to.match(/cut|reset|ECONN/i);
    expect(await ended).to.have.property('exitCode', undefined);
    stop();
  });

  it('is refused with the answer of the server', async () => {
    const {open, api, stop} = await withApi(() => undefined);
    api.removeAllListeners('upgrade');
    const error = (await catchError(openExec(open, target))) as UpgradeRefused;
    expect(error).to.be.instanceOf(UpgradeRefused);
    expect(error).to.include({status: 403, body: '{"message": "no"}'});
    stop();
  });

  it('is refused where the server speaks another protocol', async () => {
    const {open, stop} = await withApi(() => undefined, 'v3.channel.k8s.io');
    expect((await catchError(openExec(open, target))).message).to.match(/no protocol that we know.*: v3/);
    stop();
  });

  it('is given up where the server does not answer in time', async () => {
    const {open, api, stop} = await withApi(() => undefined, undefined, undefined, 50);
    api.removeAllListeners('upgrade');
    api.removeAllListeners('request');
    expect((await catchError(openExec(open, target))).message).to.equal('too slow');
    stop();
  });
});

/** An exec whose server sends bytes by hand. */
async function withBytes(...bytes: readonly Buffer[]): Promise<{tunnel: Tunnel; far: Duplex}> {
  const [near, far] = duplexPair();
  const tunnel = await openExec(async (_path, {'Sec-WebSocket-Key': key}) => {
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    const headers = {
      upgrade: 'WebSocket',
      'sec-websocket-accept': accept,
      'sec-websocket-protocol': 'v5.channel.k8s.io',
    };
    return {socket: near, head: Buffer.concat(bytes), headers};
  }, target);
  return {tunnel, far};
}

function frame(opcode: number, payload: string | Buffer, isLast = true): Buffer {
  const body = Buffer.from(payload);
  const length =
    body.length > 125 ? Buffer.from([126, body.length >> 8, body.length & 0xff]) : Buffer.from([body.length]);
  return Buffer.concat([Buffer.from([opcode | (isLast ? 0x80 : 0)]), length, body]);
}

describe('the messages of a program in a pod', () => {
  it('may come in pieces of any length, with control messages between them', async () => {
    const whole = Buffer.concat([
      frame(2, '\x01one ', false),
      frame(9, 'still there?'),
      frame(0, 'and ', false),
      frame(10, ''),
      frame(0, 'the same'),
      frame(2, ''),
      frame(2, `\x01${'.'.repeat(300)}`),
      frame(2, '\x07of no stream that we know'),
      frame(2, `\x03${success.slice(0, 10)}`, false),
      frame(0, success.slice(10)),
      frame(8, Buffer.from([3, 0xe8])),
    ]);
    for (const length of [1, 2, 3, 7, whole.length]) {
      const {tunnel, far} = await withBytes();
      far.resume();
      const reading = read(tunnel.stream);
      for (let at = 0; at < whole.length; at += length) far.write(whole.subarray(at, at + length));
      expect(await reading).to.equal(`one and the same${'.'.repeat(300)}`);
      expect(await tunnel.ended).to.include({exitCode: 0});
    }
  });

  it('are masked, each with a mask of its own, and pings are answered', async () => {
    const {tunnel, far} = await withBytes(frame(9, 'hello'));
    for (const length of [0, 1, 2, 3, 4, 5, 118, 124, 125, 126, 70_000])
      tunnel.stream.write(Buffer.alloc(length, 'abcdefg'));
    const server = new WebSocketServer({noServer: true});
    const received = Promise.withResolvers<void>();
    const messages: Buffer[] = [];
    const pongs: string[] = [];
    // The server's side of ws reads what we write, as after an upgrade.
    const [inside, outside] = duplexPair();
    const request = {
      method: 'GET',
      headers: {
        'sec-websocket-key': `${'A'.repeat(22)}==`,
        'sec-websocket-version': '13',
        upgrade: 'websocket',
        connection: 'upgrade',
      },
    };
    server.handleUpgrade(request as never, inside, Buffer.alloc(0), (client) => {
      client.on('pong', (payload) => pongs.push(String(payload)));
      client.on('message', (message: Buffer) => {
        messages.push(message);
        if (message[0] === 255) received.resolve();
      });
    });
    const seen: Buffer[] = [];
    far.on('data', (chunk: Buffer) => {
      // The server takes the mask off where it lies.
      seen.push(Buffer.from(chunk));
      outside.write(chunk);
    });
    tunnel.stream.end();
    await received.promise;
    expect(pongs).to.deep.equal(['hello']);
    expect(messages.at(-1)?.equals(Buffer.from([255, 0]))).to.equal(true);
    const text = Buffer.concat(messages.slice(0, -1).map((message) => message.subarray(1))).toString();
    expect(text.replaceAll('abcdefg', '')).to.match(/^[a-g]*$/);
    expect(text).to.have.length(70_000 + 126 + 125 + 124 + 118 + 5 + 4 + 3 + 2 + 1);
    expect(messages.map((message) => message[0]))
      .to.include(0)
      .and.not.include(1);
    expect(Buffer.concat(seen).includes('abcdefgabcdefg'), 'nothing is sent as it is').to.equal(false);
  });

  const broken: Record<string, [string, Buffer]> = {
    'a mask': ['masked', Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0])],
    compression: ['compressed', Buffer.from([0xc2, 0])],
    'a length without bounds': [
      '9223372036854775807 bytes',
      Buffer.from([0x82, 127, 0x7f, ...Array(7).fill(0xff)]),
    ],
    'a long ping': ['too long', Buffer.from([0x89, 126, 1, 0])],
    'a ping in pieces': ['too long', Buffer.from([0x09, 0])],
    'a message within another': ['interrupted', Buffer.concat([frame(2, '\x01a', false), frame(2, '\x01b')])],
    'the end of no message': ['no message', frame(0, 'x')],
    'a kind that there is not': ['kind 3', frame(3, 'x')],
    'a status without bounds': [
      'too long a status',
      Buffer.concat(
        Array.from({length: 70}, (_, at) => frame(at ? 0 : 2, `\x03${'x'.repeat(1_000)}`, false)),
      ),
    ],
  };
  for (const [what, [text, bytes]] of Object.entries(broken)) {
    it(`end it in order with ${what}`, async () => {
      const {tunnel} = await withBytes(bytes);
      const error = await catchError(read(tunnel.stream));
      expect(error.message.replace('9223372036854776000', '9223372036854775807')).to.include(text);
      expect(await tunnel.ended).to.include({exitCode: undefined, failure: error.message});
    });
  }
});

describe('the last word of the API server', () => {
  const failed = {exitCode: undefined, failure: 'the server did not tell why it failed'};
  const cases: Record<string, object> = {
    [success]: {exitCode: 0, failure: undefined},
    '{"status": "Failure", "message": "container not found", "reason": "InternalError"}': {
      exitCode: undefined,
      failure: 'container not found',
    },
    '{"status": "Failure", "message": "m", "reason": "NonZeroExitCode", "details": {"causes": [{}, {"reason": "ExitCode", "message": "126"}]}}':
      {exitCode: 126, failure: 'm'},
    '{"status": "Failure", "message": 7, "reason": "NonZeroExitCode", "details": {"causes": [null, {"reason": "ExitCode", "message": "-1"}]}}':
      failed,
    '{"details": {"causes": {}}}': failed,
    null: failed,
    '[]': failed,
    '{"stat': failed,
    '': failed,
  };
  for (const [json, expected] of Object.entries(cases)) {
    it(`is read from ${json || 'nothing'}`, () => expect(readExecStatus(json)).to.deep.equal(expected));
  }
});

describe('a program that a child process reaches', () => {
  function start(script: string): Tunnel & {pid: number | undefined} {
    const child = spawn(process.execPath, ['-e', script]);
    const ended = once(child, 'close').then(([exitCode, signal]) => ({
      exitCode: exitCode ?? undefined,
      signal: signal ?? undefined,
    }));
    return {...openChildTunnel({...child, ended, kill: () => child.kill()} as never), pid: child.pid};
  }

  it('takes and gives large data, whole and in order, and ends when its input does', async () => {
    const {stream, ended} = start('process.stdin.pipe(process.stdout)');
    const [count] = await Promise.all([checkBlocks(stream, 9), writeAll(stream, makeBlocks(1_000, 10))]);
    expect(count).to.equal(1_000);
    expect(await ended).to.deep.equal({exitCode: 0, failure: undefined, stderr: ''});
  });

  it('tells how it ended', async () => {
    const {stream, ended} = start('console.error("no pod"); process.exit(3)');
    stream.resume();
    expect(await ended).to.deep.equal({
      exitCode: 3,
      failure: 'it ended with exit code 3',
      stderr: 'no pod\n',
    });
  });

  it('is ended where the stream is given up', async () => {
    const {stream, ended} = start('setInterval(() => undefined, 1000)');
    stream.on('error', () => undefined).destroy();
    expect(await ended).to.deep.equal({exitCode: undefined, failure: undefined, stderr: ''});
  });
});
