/** Covers the words for errors of the operating system: none of those that files cause is a bare code. */
import {mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {reasonOf} from '../../src/system-error.ts';

describe('reasonOf', () => {
  let root: string;
  const at = (path: string) => join(root, path);
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'reasons-'));
    writeFileSync(at('file'), '');
  });
  afterEach(() => rmSync(root, {recursive: true}));

  for (const [words, act] of [
    ['there is no such file or directory', () => readFileSync(at('missing'))],
    ['something of that name is there already', () => mkdirSync(at('file'), {recursive: true})],
    ['a part of the path is not a directory', () => mkdirSync(at('file/below'), {recursive: true})],
    ['it is a directory', () => openSync(root, 'w')],
    ['a name is too long', () => openSync(at('x'.repeat(300)), 'w')],
    [
      'its symbolic links go round in circles',
      () => {
        symlinkSync('loop', at('loop'));
        readFileSync(at('loop'));
      },
    ],
  ] as const) {
    it(`says that ${words}`, () => {
      let error: unknown;
      try {
        act();
      } catch (caught) {
        error = caught;
      }
      expect(reasonOf(error)).to.equal(words);
    });
  }
});
