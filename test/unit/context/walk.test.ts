/** Covers what of a context is sent: the order, the filters, links, and what cannot be read. */
import {expect} from 'chai';
import {archiveContext} from '../../../src/context/archive.ts';
import {syncDirectory} from '../../../src/context/directory.ts';
import {excluding, including, only} from '../../../src/context/filters.ts';
import {followLinks} from '../../../src/context/follow-links.ts';
import {Patterns} from '../../../src/context/patterns.ts';
import {surveyContext} from '../../../src/context/survey.ts';
import {TiltbuildError} from '../../../src/errors.ts';
import {catchError} from '../../helpers/caught.ts';
import {memoryDirectory, memoryFiles} from './memory-files.ts';

const TREE = {'a/b': '', 'a.b': '', 'a-b': '', 'src/gen/x': 'x', 'src/go/y': 'y', 'src/z': 'z', 'ä/n': ''};
const exclude = (...lines: readonly string[]) => excluding(new Patterns(lines, 'test'));
const include = (...lines: readonly string[]) => including(new Patterns(lines, 'test'));

describe('walkContext', () => {
  for (const [what, filters, paths] of [
    [
      'everything, in the order of bytes, a directory before what is in it',
      [],
      ['a', 'a/b', 'a-b', 'a.b', 'src', 'src/gen', 'src/gen/x', 'src/go', 'src/go/y', 'src/z', 'ä', 'ä/n'],
    ],
    [
      'a directory with the first thing in it that passes',
      [include('src/go/*')],
      ['src', 'src/go', 'src/go/y'],
    ],
    [
      'what no filter leaves out',
      [only(['src']), exclude('src/g*', '!**/gen')],
      ['src', 'src/gen', 'src/gen/x', 'src/z'],
    ],
    ['an exception below what is excluded', [exclude('**', '!src/go')], ['src', 'src/go', 'src/go/y']],
    ['one file of --only', [only(['src/z'])], ['src', 'src/z']],
    ['nothing', [exclude('**')], []],
  ] as const) {
    it(`sends ${what}`, () => {
      const entries = [...memoryDirectory(TREE).walk(filters)];
      expect(entries.map(({path}) => path)).to.deep.equal(paths);
    });
  }

  it('does not enter a directory in which nothing can pass', () => {
    const listed: string[] = [];
    const files = memoryFiles(TREE);
    const list = (directory: string) => {
      listed.push(directory);
      return files.list(directory);
    };
    const directory = syncDirectory('/context', {...files, list});
    expect([...directory.walk([exclude('src', 'ä')])]).to.have.length(4);
    expect(listed).to.deep.equal(['/context', '/context/a']);
  });

  it('takes names with the characters of patterns as they are in --only', () => {
    const entries = [
      ...memoryDirectory({'a]b/c': '', 'x\\y/z': '', ' z': '', z: ''}).walk([only(['a]b/c', 'x\\y', ' z'])]),
    ];
    expect(entries.map(({path}) => path)).to.deep.equal([' z', 'a]b', 'a]b/c', 'x\\y', 'x\\y/z']);
  });

  it('links the later names of a file to the first one that is sent', () => {
    const file = {content: 'abc', identity: '1:2'};
    const directory = memoryDirectory({a: file, b: file, c: file});
    const sent = (...lines: string[]) =>
      [...directory.walk([exclude(...lines)])].map(({path, size, link}) => [path, size, link]);
    expect(sent('-')).to.deep.equal([
      ['a', 3, undefined],
      ['b', 0, 'a'],
      ['c', 0, 'a'],
    ]);
    expect(sent('a')).to.deep.equal([
      ['b', 3, undefined],
      ['c', 0, 'b'],
    ]);
  });

  it('sends a symbolic link as it is, wherever it leads', () => {
    const [entry] = memoryDirectory({l: {link: '../etc/passwd'}}).walk([]);
    expect(entry).to.include({path: 'l', kind: 'symlink', link: '../etc/passwd'});
  });

  it('refuses a name that is not UTF-8, and shows it', () => {
    const files = {...memoryFiles({}), list: () => [Buffer.from([0x66, 0xff])]};
    expect(() => [...syncDirectory('/context', files).walk([])])
      .to.throw(TiltbuildError)
      .with.property('message')
      .that.includes('not UTF-8')
      .and.includes('"fÿ"');
  });

  it('names what may not be read, unless it is excluded anyway', () => {
    const files = memoryFiles({'a/b': '', 'a/c': ''});
    const denied = {
      ...files,
      lstat: (path: string) => {
        if (path.endsWith('/b')) throw Object.assign(new Error('denied'), {code: 'EACCES'});
        return files.lstat(path);
      },
    };
    const directory = syncDirectory('/context', denied);
    expect(() => [...directory.walk([])]).to.throw(TiltbuildError, 'Could not read "a/b"');
    expect([...directory.walk([exclude('a/b')])].map(({path}) => path)).to.deep.equal(['a', 'a/c']);
  });
});

describe('a file that changes while it is sent', () => {
  const directory = (read: string) => {
    const files = memoryFiles({f: 'four'});
    return syncDirectory('/context', {
      ...files,
      read: (_path, size) => [Buffer.from(read).subarray(0, size)],
    });
  };
  const readAll = async (read: string) => {
    const synced = directory(read);
    const [entry] = [...synced.walk([])];
    const chunks: Uint8Array[] = [];
    if (entry) for await (const chunk of synced.read(entry)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  it('is sent as it was where it grew', async () => expect(await readAll('fourteen')).to.equal('four'));

  it('is an error where it shrank', async () => {
    const error = await catchError(readAll('fo'));
    expect(error).to.be.instanceOf(TiltbuildError);
    expect((error as Error).message)
      .to.include('"f"')
      .and.include('2 bytes shorter');
  });
});

describe('followLinks', () => {
  const directory = memoryDirectory({
    'real/x': '',
    'real/y': '',
    to: {link: 'real'},
    abs: {link: '/real/x'},
    out: {link: '../../real'},
    loop: {link: 'loop'},
    'd/up': {link: '../real'},
    w1: {link: 'real/x'},
    w2: '',
  });
  for (const [paths, found] of [
    [['real'], ['real']],
    [['to/x'], ['real/x', 'to']],
    [['abs'], ['abs', 'real/x']],
    [['out/y'], ['out', 'real/y']],
    [['loop'], ['loop']],
    [['d/up'], ['d/up', 'real']],
    [['w*'], ['real/x', 'w*']],
    [['real', 'real/x'], ['real']],
    [['../real/./x'], ['real/x']],
    [['missing/x'], ['missing/x']],
    [['.'], undefined],
  ] as const) {
    it(`finds ${found ?? 'everything'} for ${paths}`, () => {
      expect(followLinks(paths, directory)).to.deep.equal(found);
    });
  }
});

describe('surveyContext', () => {
  it('counts files and bytes that pass, for each directory', () => {
    const {directories, ...sums} = surveyContext(memoryDirectory(TREE), [only(['src'])]);
    expect(sums).to.include({files: 3, bytes: 3});
    expect([...directories]).to.deep.equal([
      ['src/gen', 1],
      ['src/go', 1],
      ['src', 1],
    ]);
  });

  it('finds the paths of --only for which nothing is sent', () => {
    const paths = ['a', 'a/b', 'em', 'empty', 'ignored', 'c/d', 'missing'];
    const tree = {'a/b/c': '', 'empty/': {}, 'ignored/x': '', 'c/dd': ''};
    const filters = [only(paths), exclude('ignored')];
    const {unmatched} = surveyContext(memoryDirectory(tree), filters, undefined, paths);
    expect(unmatched).to.deep.equal(['em', 'ignored', 'c/d', 'missing']);
  });
});

describe('archiveContext', () => {
  it('ends after the content of every file, padded to blocks', async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of archiveContext(memoryDirectory({'d/f': 'abc', l: {link: 'd/f'}})))
      chunks.push(chunk);
    const archive = Buffer.concat(chunks);
    expect(archive.length % 512).to.equal(0);
    expect(archive.subarray(-1024).every((byte) => byte === 0)).to.equal(true);
  });
});
