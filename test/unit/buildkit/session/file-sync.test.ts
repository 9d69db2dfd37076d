/** Covers sending a directory, against a scripted receiver. */
import {expect} from 'chai';
import {syncFiles} from '../../../../src/buildkit/session/file-sync.ts';
import {GoMode, Packet, PacketType, toStat} from '../../../../src/buildkit/session/packets.ts';
import {type SyncedDirectory, syncDirectory} from '../../../../src/context/directory.ts';
import {excluding} from '../../../../src/context/filters.ts';
import {Patterns} from '../../../../src/context/patterns.ts';
import {GrpcCode, type GrpcError} from '../../../../src/wire/grpc/status.ts';
import type {Header} from '../../../../src/wire/http2/hpack-tables.ts';
import {memoryDirectory, memoryFiles} from '../../context/memory-files.ts';
import {Peer} from './peer.ts';

const METHOD = {path: '/moby.filesync.v1.FileSync/DiffCopy', request: Packet, response: Packet};
const FILES = {
  'a/x': 'one',
  'a/y': '',
  b: 'x'.repeat(200_000),
  Ä: 'three',
  hard: {content: 'h', identity: '1'},
  hard2: {content: 'h', identity: '1'},
  link: {link: 'b'},
  sock: {kind: 'socket', content: 'no'},
} as const;

interface Received {
  readonly paths: string[];
  readonly contents: Map<string, string>;
  readonly error: GrpcError | undefined;
  readonly sent: number;
}

/** Asks for the files whose paths it is given, in this order, once everything is listed. */
async function receive(
  directory: SyncedDirectory,
  metadata: readonly Header[],
  wanted: readonly (string | number)[] = [],
): Promise<Received> {
  let sent = 0;
  const peer = new Peer([
    syncFiles(new Map([['context', directory]]), (bytes) => {
      sent += bytes;
    }),
  ]);
  const call = peer.call(METHOD, [['dir-name', 'context'], ...metadata]);
  const paths: string[] = [];
  const contents = new Map<string, string>();
  const asked = new Map<number, Buffer[]>();
  let error: GrpcError | undefined;
  try {
    for await (const {type, stat, id, data} of call) {
      if (type === PacketType.STAT && stat !== undefined) paths.push(stat.path);
      else if (type === PacketType.STAT) {
        for (const one of wanted) {
          const number = typeof one === 'number' ? one : paths.indexOf(one);
          asked.set(number, []);
          await call.send({type: PacketType.REQUEST, id: number});
        }
        if (wanted.length === 0) await call.send({type: PacketType.FINISH});
      } else if (type === PacketType.DATA && data.length > 0) asked.get(id)?.push(Buffer.from(data));
      else if (type === PacketType.DATA) {
        contents.set(paths[id] ?? '', Buffer.concat(asked.get(id) ?? []).toString());
        if (contents.size === wanted.length) await call.send({type: PacketType.FINISH});
      }
    }
  } catch (reason) {
    error = reason as GrpcError;
  }
  peer.connection.destroy();
  return {paths, contents, error, sent};
}

describe('sending a directory', () => {
  it('lists all of it in order, and sends what is asked for in any order', async () => {
    const wanted = ['b', 'a/x', 'Ä', 'a/y', 'hard', 'sock'];
    const {paths, contents, sent, error} = await receive(memoryDirectory(FILES), [], wanted);
    expect(error).to.be.undefined;
    expect(paths).to.deep.equal(['a', 'a/x', 'a/y', 'b', 'hard', 'hard2', 'link', 'sock', 'Ä']);
    expect([...contents.keys()]).to.deep.equal(wanted);
    expect([contents.get('b'), contents.get('Ä'), contents.get('a/y'), contents.get('sock')]).to.deep.equal([
      FILES.b,
      'three',
      '',
      '',
    ]);
    expect(sent).to.equal(200_000 + 3 + 5 + 1);
  });

  it('sends files while a long list is still on its way', async () => {
    const files = Object.fromEntries(Array.from({length: 100_000}, (_, index) => [`f${index}`, 'x']));
    const peer = new Peer([syncFiles(new Map([['context', memoryDirectory(files)]]), () => undefined)]);
    const call = peer.call(METHOD, [['dir-name', 'context']]);
    let listed = 0;
    for await (const {type, stat} of call) {
      if (type === PacketType.DATA) break;
      if (stat === undefined) throw new Error('all was listed before anything was sent');
      if (listed === 0) await call.send({type: PacketType.REQUEST, id: 0});
      listed += 1;
    }
    peer.connection.destroy();
    expect(listed).to.be.lessThan(100_000);
  });

  for (const [what, id] of [
    ['is not listed', 99],
    ['is a directory', 0],
    ['is a hard link', 5],
    ['is a symbolic link', 6],
  ] as const) {
    it(`fails where a file is asked for that ${what}`, async () => {
      const {error} = await receive(memoryDirectory(FILES), [], [id]);
      expect(error?.message).to.equal(`invalid file id ${id}`);
    });
  }

  it('fails with what the receiver says', async () => {
    const peer = new Peer([syncFiles(new Map([['context', memoryDirectory(FILES)]]), () => undefined)]);
    const call = peer.call(METHOD, [['dir-name', 'context']]);
    await call.send({type: PacketType.ERROR, data: Buffer.from('no space left')});
    const error = await (async () => {
      for await (const _ of call);
    })().catch((reason: Error) => reason);
    expect(error?.message).to.equal('BuildKit could not take a file: no space left');
    peer.connection.destroy();
  });

  it('fails where a file went away, with its name', async () => {
    const files = memoryFiles({gone: 'content'});
    const directory = syncDirectory('/context', {
      ...files,
      read: () => {
        throw Object.assign(new Error('ENOENT'), {code: 'ENOENT'});
      },
    });
    const {error} = await receive(directory, [], ['gone']);
    expect(error?.message).to.match(/^The file "gone" of the build context could not be read/);
  });

  it('knows no other directory', async () => {
    const peer = new Peer([syncFiles(new Map(), () => undefined)]);
    const call = peer.call(METHOD, [['dir-name', 'elsewhere']]);
    const error = await (async () => {
      for await (const _ of call);
    })().catch((reason: GrpcError) => reason);
    expect(error).to.include({code: GrpcCode.NOT_FOUND, message: 'no access allowed to dir "elsewhere"'});
    peer.connection.destroy();
  });

  describe('by what the call names', () => {
    const listed = async (...metadata: readonly Header[]) =>
      (await receive(memoryDirectory(FILES), metadata)).paths;

    it('leaves out what is excluded, and all but what is included or followed', async () => {
      expect(await listed(['exclude-patterns', 'a'], ['exclude-patterns', '*ard*'])).to.deep.equal([
        'b',
        'link',
        'sock',
        'Ä',
      ]);
      expect(await listed(['include-patterns', 'a/x'])).to.deep.equal(['a', 'a/x']);
      expect(await listed(['followpaths', 'link'])).to.deep.equal(['b', 'link']);
    });

    it('reads names that are escaped, where that is said of them', async () => {
      expect(
        await listed(
          ['include-patterns-encoded', '1'],
          ['include-patterns', '%C3%84'],
          ['include-patterns', 'no+such'],
        ),
      ).to.deep.equal(['Ä']);
      expect(await listed(['include-patterns', '%C3%84'])).to.deep.equal([]);
    });

    it('takes thousands of patterns', async () => {
      const many = Array.from({length: 5_000}, (_, index): Header => ['exclude-patterns', `none-${index}`]);
      expect(await listed(...many, ['exclude-patterns', 'b'])).to.deep.equal([
        'a',
        'a/x',
        'a/y',
        'hard',
        'hard2',
        'link',
        'sock',
        'Ä',
      ]);
    });
  });

  it("has its own filters hold, but for the ignore file's sake", async () => {
    const directory = syncDirectory(
      '/context',
      memoryFiles({'.dockerignore': 'x', 'Dockerfile.dockerignore': 'y', b: ''}),
      [excluding(new Patterns(['*ignore', 'c'], 'test'))],
    );
    const paths = async (...metadata: readonly Header[]) => (await receive(directory, metadata)).paths;
    expect(await paths()).to.deep.equal(['b']);
    expect(await paths(['followpaths', '.dockerignore'])).to.deep.equal(['.dockerignore']);
    expect(await paths(['include-patterns', 'Dockerfile.dockerignore'])).to.deep.equal([
      'Dockerfile.dockerignore',
    ]);
    expect(await paths(['followpaths', '.dockerignore'], ['followpaths', 'b'])).to.deep.equal(['b']);
  });

  it('has modes, sizes and devices in the form of Go', () => {
    const entry = {path: 'p', kind: 'file', mode: 0o6755, size: 3, modified: 5n, changed: 6n} as const;
    const {DIRECTORY, SYMLINK, FIFO, DEVICE, CHARACTER_DEVICE, SETUID, SETGID, STICKY} = GoMode;
    const rows = [
      [entry, {mode: 0o755 + SETUID + SETGID, size: 3n}],
      [
        {...entry, kind: 'directory', mode: 0o1777},
        {mode: 0o777 + DIRECTORY + STICKY, size: 0n},
      ],
      [
        {...entry, kind: 'symlink', mode: 0o777, link: 't'},
        {mode: 0o777 + SYMLINK, link: 't'},
      ],
      [{...entry, kind: 'fifo', mode: 0o600}, {mode: 0o600 + FIFO}],
      [{...entry, kind: 'socket', mode: 0o600}, {mode: 0o600}],
      [
        {...entry, kind: 'block-device', mode: 0o600, device: 0x801},
        {mode: 0o600 + DEVICE, deviceMajor: 8n, deviceMinor: 1n},
      ],
      [
        {...entry, kind: 'character-device', mode: 0o600, device: 0x103},
        {mode: 0o600 + DEVICE + CHARACTER_DEVICE},
      ],
    ] as const;
    for (const [given, expected] of rows) expect(toStat(given)).to.include(expected);
  });

  it('has a time of its own for each file and each state of it, in the same second', () => {
    const time = 1_700_000_000_123_456_789n;
    const file = {
      path: 'p',
      kind: 'file',
      mode: 0o644,
      size: 3,
      modified: time,
      changed: time,
      inode: 7n,
    } as const;
    const others = [{inode: 8n}, {inode: 7n + (1n << 64n)}, {changed: time + 1n}, {modified: time + 1n}];
    const stamps = [file, ...others.map((change) => ({...file, ...change}))].map(
      (one) => toStat(one).modified,
    );
    expect(new Set(stamps).size).to.equal(5);
    expect(toStat(file).modified).to.equal(stamps[0]);
    for (const stamp of stamps) expect(stamp / 1_000_000_000n).to.equal(1_700_000_000n);
    expect(toStat({...file, modified: -1n}).modified >= -1_000_000_000n).to.equal(true);
    expect(toStat({...file, kind: 'symlink'}).modified).to.equal(time);
  });
});
