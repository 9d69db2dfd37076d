/** Covers taking what a build gives back, from scripted packets. */
import {expect} from 'chai';
import {type Output, serveOutputs, type TreeOutput} from '../../../../src/buildkit/session/outputs.ts';
import {GoMode, Packet, type PacketIn, PacketType} from '../../../../src/buildkit/session/packets.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {BytesMessage} from '../../../../src/wire/grpc/byte-stream.ts';
import type {Header} from '../../../../src/wire/http2/hpack-tables.ts';
import {raw} from '../../../../src/wire/protobuf/message.ts';
import {Peer} from './peer.ts';

const METHOD = {path: '/moby.filesync.v1.FileSend/DiffCopy', request: raw, response: Packet};

/** Notes what is done to it. */
function recordTree(): TreeOutput & {readonly done: string[]} {
  const done: string[] = [];
  const note = async (...words: readonly unknown[]) => void done.push(words.join(' '));
  return {
    kind: 'tree',
    done,
    makeDirectory: (path) => note('directory', path),
    makeLink: (path, target, modified) => note('link', path, target, modified),
    makeHardLink: (path, existing) => note('hard', path, existing),
    write: async (path, chunk) => (chunk.length > 0 ? note('write', path, Buffer.from(chunk)) : undefined),
    finishFile: (path, mode, modified) => note('file', path, mode.toString(8), modified),
    finishDirectory: (path, mode, modified) => note('full', path, mode.toString(8), modified),
  };
}

const stat = (path: string, mode = 0o644, link = ''): PacketIn => ({
  type: PacketType.STAT,
  stat: {path, mode, link, modified: 7n},
});
const directory = (path: string) => stat(path, GoMode.DIRECTORY + 0o755);
const LISTED: PacketIn = {type: PacketType.STAT};

/** Sends the packets, and what is asked for: the number of the entry as its content. Gives the error that comes of it. */
async function send(output: Output, packets: readonly PacketIn[], metadata: readonly Header[] = []) {
  const peer = new Peer([serveOutputs([output])]);
  const call = peer.call(METHOD, metadata);
  const error = await (async () => {
    for (const packet of packets) await call.send(Packet.encode(packet));
    for await (const {type, id} of call) {
      if (type === PacketType.REQUEST) {
        await call.send(Packet.encode({type: PacketType.DATA, id, data: Buffer.from(`#${id}`)}));
        await call.send(Packet.encode({type: PacketType.DATA, id}));
      } else if (type === PacketType.FINISH) {
        await call.send(Packet.encode({type: PacketType.FINISH}));
      }
    }
    return undefined;
  })().catch((reason: Error) => reason);
  peer.connection.destroy();
  return {error, failures: peer.failures};
}

describe('taking a tree', () => {
  it('makes what is listed, hard links when their files are there, directories last', async () => {
    const output = recordTree();
    const {error} = await send(output, [
      directory('d'),
      stat('d/f', GoMode.SETUID + 0o755),
      stat('d/hard', 0o644, 'd/f'),
      stat('link', GoMode.SYMLINK + 0o777, '../anywhere'),
      stat('null', GoMode.DEVICE + GoMode.CHARACTER_DEVICE + 0o666),
      stat('pipe', GoMode.FIFO + 0o666),
      stat('z'),
      LISTED,
    ]);
    expect(error).to.be.undefined;
    expect(output.done).to.have.members([
      'directory d',
      'link link ../anywhere 7',
      'write d/f #1',
      'file d/f 4755 7',
      'write z #6',
      'file z 644 7',
      'hard d/hard d/f',
      'full d 755 7',
    ]);
    expect(output.done.slice(-2)).to.deep.equal(['hard d/hard d/f', 'full d 755 7']);
  });

  it('takes an empty one, and thousands of files', async () => {
    expect((await send(recordTree(), [LISTED])).error).to.be.undefined;
    const output = recordTree();
    const files = Array.from({length: 2_000}, (_, index) => stat(`f${index}`));
    expect((await send(output, [...files, LISTED])).error).to.be.undefined;
    expect(output.done).to.have.length(4_000);
  });

  const evil: Readonly<Record<string, readonly PacketIn[]>> = {
    'the parent': [directory('..')],
    'the root itself': [stat('.')],
    'an empty path': [stat('')],
    'an absolute path': [stat('/etc/passwd')],
    'a path with .. in it': [directory('a'), stat('a/../../b')],
    'a path that ends in a slash': [directory('a/')],
    'a path with a null character': [stat('a\0b')],
    'a path in no directory': [stat('a/b')],
    'a path in a file': [stat('a'), stat('a/b')],
    'a path through a link': [stat('a', GoMode.SYMLINK + 0o777, '/etc'), stat('a/passwd')],
    'a link in place of a directory': [directory('a'), stat('a', GoMode.SYMLINK + 0o777, '/etc')],
    'a hard link to outside': [stat('a', 0o644, '../b')],
    'a hard link to what is not there': [stat('a', 0o644, 'b')],
    'a hard link to a link': [stat('b', GoMode.SYMLINK + 0o777, '/etc/passwd'), stat('a', 0o644, 'b')],
  };
  for (const [what, packets] of Object.entries(evil)) {
    it(`refuses ${what}`, async () => {
      const output = recordTree();
      const {error, failures} = await send(output, [...packets, LISTED]);
      expect(error?.message).to.match(
        /^The build would write ".*" outside the output directory, or twice\.$/,
      );
      expect(failures[0]).to.be.instanceOf(TiltbuildError);
      expect(output.done.filter((one) => !/^(directory|link) a|link b/.test(one))).to.deep.equal([]);
    });
  }

  for (const [what, packets, message] of [
    [
      'data that nobody asked for',
      [stat('a'), {type: PacketType.DATA, id: 5, data: Buffer.from('x')}],
      /not asked for: 5/,
    ],
    ["the sender's error", [{type: PacketType.ERROR, data: Buffer.from('it broke')}], /^it broke$/],
  ] as const) {
    it(`fails with ${what}`, async () => {
      expect((await send(recordTree(), packets)).error?.message).to.match(message);
    });
  }

  it('fails where the sender ends too early', async () => {
    const peer = new Peer([serveOutputs([recordTree()])]);
    const call = peer.call(METHOD);
    await call.send(Packet.encode(stat('a')));
    call.end();
    const error = await (async () => {
      for await (const _ of call);
    })().catch((reason: Error) => reason);
    expect(error?.message).to.equal('BuildKit ended the output before it was complete');
    peer.connection.destroy();
  });
});

describe('taking an archive', () => {
  async function sendArchive(output: Output, metadata: readonly Header[] = []) {
    const peer = new Peer([serveOutputs([{...output, write: async () => undefined} as Output, output])]);
    const call = peer.call(METHOD, metadata);
    for (const chunk of ['one ', 'two']) await call.send(BytesMessage.encode({data: Buffer.from(chunk)}));
    call.end();
    const error = await (async () => {
      for await (const _ of call);
    })().catch((reason: Error) => reason);
    peer.connection.destroy();
    return {error, failures: peer.failures};
  }
  const record = () => {
    const done: string[] = [];
    const write = async (chunk: Uint8Array) => void done.push(Buffer.from(chunk).toString());
    return {kind: 'archive' as const, done, write, complete: async () => void done.push('complete')};
  };

  it('gives it to the output whose number the call has, and completes it', async () => {
    const output = record();
    const {error} = await sendArchive(output, [['buildkit-attachable-exporter-id', '1']]);
    expect(error).to.be.undefined;
    expect(output.done).to.deep.equal(['one ', 'two', 'complete']);
    expect((await sendArchive(record(), [['buildkit-attachable-exporter-id', '2']])).error?.message).to.equal(
      'exporter 2 not found',
    );
  });

  it('does not complete one that could not be written, and says why', async () => {
    const output = record();
    const failing = {
      ...output,
      write: async () => {
        throw Object.assign(new Error('EACCES'), {code: 'EACCES', syscall: 'write', path: '/x'});
      },
    };
    const {failures} = await sendArchive(failing, [['buildkit-attachable-exporter-id', '1']]);
    expect((failures[0] as Error).message).to.equal('Could not write "/x": permission denied.');
    expect(output.done).to.deep.equal([]);
  });
});
