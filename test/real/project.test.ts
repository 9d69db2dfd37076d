/** Covers, against a real BuildKit, that an image has its own project's files and nobody else's. */
import {mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {type SyncedDirectory, syncDirectory} from '../../src/context/directory.ts';
import {contextDisk} from '../../src/system/context-disk.ts';
import {buildDirectory} from './build-directory.ts';
import {type Dockerd, startDockerd, whyNoDockerd} from './dockerd.ts';

const reason = whyNoDockerd();

(reason === undefined ? describe : describe.skip)('projects on one BuildKit', () => {
  let daemon: Dockerd;
  let root: string;
  before(async () => {
    daemon = await startDockerd();
    root = mkdtempSync(join(tmpdir(), 'projects-'));
  });
  after(async () => {
    await daemon?.stop();
    rmSync(root, {recursive: true, force: true});
  });

  /** Without a key of its own it is sent as by kubectl build: with nothing that tells its files from others alike. */
  function build(directory: string, sharedKey: string, name: string) {
    if (sharedKey !== '') return buildDirectory(daemon, {directory, sharedKey, name});
    const synced = syncDirectory(directory, contextDisk);
    const walk: SyncedDirectory['walk'] = (filters) =>
      [...synced.walk(filters)].map((entry) => ({...entry, inode: 0n, changed: 0n}));
    const directories = new Map(['context', 'dockerfile'].map((id) => [id, {...synced, walk}]));
    return buildDirectory(daemon, {directory, directories, sharedKey, name});
  }

  /** Alike in path, size, modification time and mode, as from an archive. */
  function makeProject(name: string, content: string): string {
    const directory = join(root, name);
    mkdirSync(directory, {recursive: true});
    for (const [file, text] of [
      ['Dockerfile', 'FROM scratch\nCOPY package.json /\n'],
      ['package.json', content],
    ] as const) {
      writeFileSync(join(directory, file), text);
      utimesSync(join(directory, file), 1, 1);
    }
    return directory;
  }

  function readBack(name: string): string {
    const id = daemon.docker(['create', name, 'x']).trim();
    const archive = daemon.docker(['cp', `${id}:/package.json`, '-']);
    daemon.docker(['rm', id]);
    return /\{[^}]*\}/.exec(archive)?.[0] ?? '';
  }

  const contents = Array.from({length: 8}, (_, index) => `{"name":"project-${index}"}`);

  async function buildAll(
    key: (index: number) => string,
    prefix: string,
    atOnce: boolean,
  ): Promise<readonly string[]> {
    const builds = contents.map((content, index) => async () => {
      await build(makeProject(`${prefix}-${index}`, content), key(index), `${prefix}-${index}:dev`);
    });
    if (atOnce) await Promise.all(builds.map((start) => start()));
    else for (const start of builds) await start();
    return contents.map((_, index) => readBack(`${prefix}-${index}:dev`));
  }

  it("get each other's files where they share one copy, so that these tests can fail", async () => {
    const images = await buildAll(() => '', 'shared', false);
    expect(images.filter((image, index) => image === contents[index])).to.have.length(1);
  });

  for (const round of [1, 2]) {
    it(`have their own files, one after the other (round ${round})`, async () => {
      expect(await buildAll((index) => `key-${index}`, 'one', false)).to.deep.equal(contents);
    });

    it(`have their own files, all at once (round ${round})`, async () => {
      expect(await buildAll((index) => `key-${index}`, 'all', true)).to.deep.equal(contents);
    });
  }
});
