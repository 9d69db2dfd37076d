/** Covers the words for errors of the operating system: none of those that files cause is a bare code, and each names what it is about. */
import {mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeSystemError, reasonOf} from '../../src/system-error.ts';

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

  it("keeps the words of an error whose code is not the system's", () => {
    for (const code of [7, 'cluster-denied'])
      expect(reasonOf(Object.assign(new Error('not allowed'), {code}))).to.equal('not allowed');
  });
});

const CASES = [
  [{code: 'EIO', syscall: 'read'}, 'Could not read "a": the device reported an error.'],
  [{code: 'ENOSPC', syscall: 'write'}, 'Could not write "a": the disk is full.'],
  [{code: 'EHOSTUNREACH', syscall: 'connect'}, 'Could not connect to "a": there is no route to it.'],
  [{code: 'ENOTFOUND', syscall: 'getaddrinfo'}, 'Could not connect to "a": no host has that name.'],
  [{code: 'ETIMEDOUT', syscall: 'connect'}, 'Could not connect to "a": it did not answer in time.'],
  [
    {code: 'ENOENT', syscall: 'spawn b', path: 'b'},
    'Could not start "b": it or its interpreter does not exist.',
  ],
  [
    {code: 'EMFILE', syscall: 'spawn'},
    'Could not start a program for "a": too many files are open in this process (ulimit -n).',
  ],
] as const;

describe('describeSystemError', () => {
  for (const [fields, message] of CASES) {
    it(`says: ${message}`, () => {
      const error = Object.assign(new Error('words of the system'), fields);
      expect(describeSystemError(error, '"a"')).to.have.property('message', message);
    });
  }

  it('leaves an error of the program itself as it is', () => {
    const error = Object.assign(new TypeError('x'), {code: 'ERR_INVALID_ARG_TYPE'});
    expect(describeSystemError(error)).to.equal(error);
  });
});
