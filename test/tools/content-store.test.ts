/** Covers blobs that BuildKit reads and writes in a session, on the disk: whole, by their digests, and nowhere else. */
import {existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {type ContentService, serveContent} from '../../src/buildkit/session/content.ts';
import {openBlobs} from '../../src/system/blob-disk.ts';
import {GrpcCode, type GrpcError} from '../../src/wire/grpc/status.ts';
import {catchError} from '../helpers/caught.ts';
import {ContentClient, digestOf} from '../helpers/content-client.ts';
import {Peer} from '../unit/buildkit/session/peer.ts';

describe('a store of blobs', () => {
  let root: string;
  let service: ContentService;
  let client: ContentClient;
  let peer: Peer;
  const at = (...path: readonly string[]) => join(root, ...path);
  const blobs = () => (existsSync(at('blobs')) ? readdirSync(at('blobs', 'sha256')) : []);
  const partial = () => (existsSync(at('ingest')) ? readdirSync(at('ingest')) : []);
  const codeOf = async (run: Promise<unknown>) => ((await catchError(run)) as GrpcError).code;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'blobs-'));
    service = serveContent(new Map([['local:cache', openBlobs(root)]]));
    peer = new Peer(service.routes);
    client = new ContentClient(peer.connection, 'local:cache');
  });
  afterEach(async () => {
    peer.connection.destroy();
    await service.close();
    expect(partial()).to.deep.equal([]);
    rmSync(root, {recursive: true});
  });

  it('has what was written, in whatever pieces it came, and gives any part of it', async () => {
    const sizes = fc.array(fc.integer({min: 1, max: 70_000}), {minLength: 1, maxLength: 5});
    const property = fc.asyncProperty(
      fc.uint8Array({minLength: 1, maxLength: 3_000}),
      fc.integer({min: 1, max: 60}),
      sizes,
      fc.nat(200_000),
      fc.nat(200_000),
      async (seed, times, sizes, offset, size) => {
        const blob = Buffer.concat(Array.from({length: times}, () => seed));
        const digest = digestOf(blob);
        if (blobs().includes(digest.slice(7))) return;
        await client.write(blob, {sizes});
        expect(readFileSync(at('blobs', 'sha256', digest.slice(7))).equals(blob)).to.equal(true);
        expect(await client.info(digest)).to.equal(blob.length);
        const start = Math.min(offset, blob.length);
        const end = size === 0 ? blob.length : start + size;
        expect((await client.read(digest, start, size)).equals(blob.subarray(start, end))).to.equal(true);
        expect(partial()).to.deep.equal([]);
      },
    );
    await fc.assert(property, {numRuns: 40});
  });

  it('goes on with a write that was cut off, and holds nothing of one that was aborted', async () => {
    const blob = Buffer.from('some blob '.repeat(20_000));
    expect(await client.write(blob, {ref: 'r', stopsAt: 70_000})).to.equal(0);
    expect(blobs()).to.deep.equal([]);
    expect(await client.write(blob, {ref: 'r'})).to.equal(70_000);
    expect((await client.read(digestOf(blob))).equals(blob)).to.equal(true);
    const other = Buffer.from('other');
    await client.write(other, {ref: 'r', stopsAt: 2});
    await client.abort('r');
    expect(partial()).to.deep.equal([]);
    expect(await client.write(other, {ref: 'r'})).to.equal(0);
  });

  it('takes one writer of a reference at a time, and many of different ones', async () => {
    const all = Array.from({length: 20}, (_, index) => Buffer.alloc(100_000, `blob ${index}`));
    await Promise.all(all.map((blob) => client.write(blob, {sizes: [999]})));
    expect(blobs().sort()).to.deep.equal(all.map((blob) => digestOf(blob).slice(7)).sort());
    const same = Buffer.alloc(100_000, 'same');
    const ends = await Promise.allSettled(
      Array.from({length: 5}, () => client.write(same, {ref: 'one', sizes: [999]})),
    );
    expect(ends.filter(({status}) => status === 'fulfilled')).to.have.length(1);
    for (const end of ends) {
      if (end.status === 'rejected')
        expect([GrpcCode.UNAVAILABLE, GrpcCode.ALREADY_EXISTS]).to.include(end.reason.code);
    }
    expect((await client.read(digestOf(same))).equals(same)).to.equal(true);
  });

  it('has one of two writes of the same blob, and says to the other that it is there', async () => {
    const blob = Buffer.alloc(50_000, 'twice');
    const ends = await Promise.allSettled(['a', 'b'].map((ref) => client.write(blob, {ref, sizes: [777]})));
    for (const end of ends)
      if (end.status === 'rejected') expect(end.reason.code).to.equal(GrpcCode.ALREADY_EXISTS);
    expect(await codeOf(client.write(blob))).to.equal(GrpcCode.ALREADY_EXISTS);
    expect(blobs()).to.have.length(1);
  });

  it('keeps nothing whose digest or size is not what was said', async () => {
    const blob = Buffer.from('blob');
    const wrong = {expected: digestOf(Buffer.from('other'))};
    expect(await codeOf(client.write(blob, wrong))).to.equal(GrpcCode.FAILED_PRECONDITION);
    expect(await codeOf(client.write(blob, {total: 5}))).to.equal(GrpcCode.FAILED_PRECONDITION);
    expect([blobs(), partial()]).to.deep.equal([[], []]);
  });

  it('takes no name for a digest that leads anywhere else', async () => {
    writeFileSync(at('secret'), 'secret');
    for (const digest of ['sha256:../../secret', 'secret', '', `sha512:${'a'.repeat(128)}`, 'sha256:A']) {
      expect(await codeOf(client.info(digest)), digest).to.equal(GrpcCode.INVALID_ARGUMENT);
      expect(await codeOf(client.read(digest)), digest).to.equal(GrpcCode.INVALID_ARGUMENT);
    }
    const write = client.write(Buffer.from('x'), {ref: '../../x', expected: 'sha256:../../x'});
    expect(await codeOf(write)).to.equal(GrpcCode.INVALID_ARGUMENT);
    expect(readdirSync(root).sort()).to.deep.equal(['ingest', 'secret']);
  });

  it('knows no other store, and no blob that it does not have', async () => {
    const absent = digestOf(Buffer.from('absent'));
    expect(await codeOf(client.info(absent))).to.equal(GrpcCode.NOT_FOUND);
    expect(await codeOf(new ContentClient(peer.connection, 'x').info(absent))).to.equal(GrpcCode.NOT_FOUND);
    const blob = Buffer.from('blob');
    await client.write(blob);
    expect(await codeOf(client.read(digestOf(blob), 5))).to.equal(GrpcCode.OUT_OF_RANGE);
  });
});
