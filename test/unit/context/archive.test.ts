/** Covers a context as an archive, read by tar's own parser. */
import {expect} from 'chai';
import {Header, Parser, type ReadEntry} from 'tar';
import {archiveContext} from '../../../src/context/archive.ts';
import {estimateArchive, surveyContext} from '../../../src/context/survey.ts';
import {memoryDirectory} from './memory-files.ts';

describe('a context as an archive', () => {
  const files = {
    Ä: {content: 'umlaut', modified: 1_500_000_000n},
    ['x'.repeat(300)]: 'long',
    a: {content: 'y'.repeat(1_000), mode: 0o4755, identity: '1'},
    b: {content: 'y'.repeat(1_000), identity: '1'},
    'd/e/': {kind: 'directory'},
    link: {link: 'a'},
  } as const;

  it('has all that the walk gives', async () => {
    const entries: string[] = [];
    const onReadEntry = (entry: ReadEntry) => {
      const {path, type, mode, size, linkpath = '', mtime} = entry;
      entries.push([path, type, mode?.toString(8), size, linkpath, Number(mtime)].join(' ').trim());
      entry.resume();
    };
    const parser = new Parser({onReadEntry});
    for await (const chunk of archiveContext(memoryDirectory(files))) parser.write(Buffer.from(chunk));
    parser.end();
    expect(entries).to.deep.equal([
      './ Directory 755 0  0',
      'a File 4755 1000  0',
      'b Link 644 0 a 0',
      'd/ Directory 755 0  0',
      'd/e/ Directory 755 0  0',
      'link SymbolicLink 644 0 a 0',
      `${'x'.repeat(300)} File 644 4  0`,
      'Ä File 644 6  1500',
    ]);
  });

  it('is about as large as it is said to be, with many small files and with large ones', async () => {
    for (const [count, size] of [
      [500, 0],
      [500, 300],
      [20, 100_000],
    ] as const) {
      const names = Array.from({length: count}, (_, index) => [`f${index}`, 'x'.repeat(size)] as const);
      const directory = memoryDirectory(Object.fromEntries(names));
      let length = 0;
      for await (const chunk of archiveContext(directory)) length += chunk.length;
      expect(estimateArchive(surveyContext(directory, [])) / length).to.be.within(0.75, 1.25);
    }
  });

  it('begins with the header of an entry, by which BuildKit tells it from a Dockerfile', async () => {
    const {value} = await archiveContext(memoryDirectory({Ä: ''})).next();
    const header = new Header(Buffer.from(value as Uint8Array));
    expect([header.cksumValid, header.type, header.path]).to.deep.equal([true, 'Directory', './']);
  });
});
