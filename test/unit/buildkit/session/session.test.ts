/** Covers how a session is opened, and the small things that it serves. */
import {duplexPair} from 'node:stream';
import {expect} from 'chai';
import fc from 'fast-check';
import {readFailure} from '../../../../src/buildkit/failure.ts';
import {serveLogins, serveSecrets} from '../../../../src/buildkit/session/services.ts';
import {makeId, openSession} from '../../../../src/buildkit/session/session.ts';
import {serveAgents} from '../../../../src/buildkit/session/ssh.ts';
import {BytesMessage} from '../../../../src/wire/grpc/byte-stream.ts';
import {GrpcCode, type GrpcError} from '../../../../src/wire/grpc/status.ts';
import {Http2Connection} from '../../../../src/wire/http2/connection.ts';
import {field, message, string} from '../../../../src/wire/protobuf/message.ts';
import {collect, Peer} from './peer.ts';

describe('a session', () => {
  it('has an id of 25 characters of base 36, whatever is random', () => {
    const random = fc.uint8Array({minLength: 17, maxLength: 17});
    fc.assert(fc.property(random, (bytes) => /^[0-9a-z]{25}$/.test(makeId(() => bytes))));
    expect(makeId((size) => new Uint8Array(size))).to.equal('0'.repeat(25));
  });

  it('is opened with its id, its shared key and each method that it serves', async () => {
    const [ours, theirs] = duplexPair();
    const requested = new Promise<readonly (readonly [string, string])[]>((resolve) => {
      new Http2Connection(theirs, 'server', {onStream: (stream) => resolve(stream.headers ?? [])});
    });
    const connection = new Http2Connection(ours, 'client');
    const routes = [serveSecrets(async () => undefined)];
    openSession(connection, {id: 'an-id', sharedKey: 'a key', routes, onFailure: () => undefined});
    const headers = (await requested).filter(([name]) => name === ':path' || name.startsWith('x-'));
    expect(headers).to.deep.equal([
      [':path', '/moby.buildkit.v1.Control/Session'],
      ['x-docker-expose-session-uuid', 'an-id'],
      ['x-docker-expose-session-sharedkey', 'a key'],
      ['x-docker-expose-session-grpc-method', '/moby.buildkit.secrets.v1.Secrets/GetSecret'],
      ['x-docker-expose-session-grpc-method', '/grpc.health.v1.Health/Check'],
    ]);
    connection.destroy();
  });
});

describe('a login', () => {
  it('is given for a host that has one, and is empty for another', async () => {
    const peer = new Peer([
      serveLogins(async (host) => (host === 'here' ? {username: 'u', secret: 's'} : undefined)),
    ]);
    const response = message({username: field(1, string), secret: field(2, string)});
    const method = {
      path: '/moby.filesync.v1.Auth/Credentials',
      request: message({host: field(1, string)}),
      response,
    };
    const ask = async (host: string) => {
      const call = peer.call(method);
      await call.send({host});
      call.end();
      return (await collect(call)).all;
    };
    expect([await ask('here'), await ask('there')]).to.deep.equal([
      [{username: 'u', secret: 's'}],
      [{username: '', secret: ''}],
    ]);
    peer.connection.destroy();
  });
});

describe('an SSH agent that is forwarded', () => {
  const method = {
    path: '/moby.sshforward.v1.SSH/ForwardAgent',
    request: BytesMessage,
    response: BytesMessage,
  };
  /** Answers each question with its own bytes. */
  const echo = () => {
    const [ours, theirs] = duplexPair();
    theirs.pipe(theirs);
    return ours;
  };
  async function forward(connect: Parameters<typeof serveAgents>[1], ...chunks: readonly number[][]) {
    const peer = new Peer(serveAgents(new Set(['default']), connect));
    const call = peer.call(method);
    for (const chunk of chunks) await call.send({data: Buffer.from(chunk)});
    call.end();
    const {all, error} = await collect(call);
    peer.connection.destroy();
    return {
      answers: all.map(({data}) => Buffer.from(data).toString('hex')),
      error: error as GrpcError | undefined,
    };
  }

  it('is asked for its keys and signatures, in whatever pieces that comes, and for nothing else', async () => {
    const {answers, error} = await forward(
      async () => echo(),
      [0, 0, 0],
      [1, 11, 0, 0, 0, 1, 13],
      [0, 0, 0, 1, 19],
      [0, 0, 0, 0],
    );
    expect(error).to.be.undefined;
    expect(answers).to.deep.equal(['000000010b', '000000010d', '0000000105', '0000000105']);
  });

  it('that cannot be reached, or breaks, is an error', async () => {
    const missing = Object.assign(new Error('connect'), {code: 'ENOENT', syscall: 'connect'});
    expect((await forward(() => Promise.reject(missing))).error?.message).to.equal(
      'Could not connect to the SSH agent of --ssh default: its socket does not exist.',
    );
    const broken = async () => {
      const agent = echo();
      setImmediate(() => agent.destroy(new Error('reset')));
      return agent;
    };
    expect((await forward(broken, [0, 0, 0, 5, 11])).answers).to.deep.equal([]);
  });

  it('takes no message that is longer than any of its own', async () => {
    expect((await forward(async () => echo(), [0xff, 0, 0, 0])).error?.code).to.equal(GrpcCode.INTERNAL);
  });
});

describe('the details of a failure', () => {
  const detail = (type: string, value: unknown) => ({
    typeUrl: `github.com/moby/buildkit/${type}+json`,
    value: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)),
  });

  it('are read where they are there, and passed over where they cannot be', () => {
    const source = {
      info: {filename: 'Dockerfile', data: Buffer.from('FROM a\n').toString('base64')},
      ranges: [{start: {line: 3}, end: {line: 4}}, {start: {line: 6}}, {}],
    };
    const ranges = [
      [3, 4],
      [6, 6],
      [0, 0],
    ].map(([first, last]) => ({first, last}));
    const details = [
      detail('stack.Stack', {}),
      detail('errdefs.Source', source),
      detail('errdefs.Source', {}),
      detail('errdefs.Source', 'no json'),
      detail('errdefs.Vertex', {digest: 'sha256:1'}),
    ];
    expect(readFailure({details})).to.deep.equal({
      sources: [
        {filename: 'Dockerfile', text: 'FROM a\n', ranges},
        {filename: '', text: '', ranges: []},
      ],
      isUnsupported: false,
    });
    expect(readFailure({details: []})).to.deep.equal({sources: [], isUnsupported: false});
  });
});
