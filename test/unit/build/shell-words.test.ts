/** Covers that a shown command can be pasted into a shell, and shows no password of a URL. */

import {execFileSync} from 'node:child_process';
import {expect} from 'chai';
import fc from 'fast-check';
import {formatCommand, maskUrlPassword} from '../../../src/build/shell-words.ts';

/** What a real shell makes of it; each word ends in a NUL. */
function readBack(command: string): string[] {
  const output = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${command}`], {encoding: 'utf8'});
  return output.split('\0').slice(0, -1);
}

const WORDS = [
  'a b',
  '',
  "it's",
  '"',
  '$HOME',
  '`id`',
  '\\',
  'a\nb',
  '*',
  '~',
  '#x',
  '!',
  'a;b',
  '&&',
  '>x',
  'é😀',
];

describe('formatCommand', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('is read back by a shell word for word', () => {
    expect(readBack(formatCommand(WORDS))).to.deep.equal(WORDS);
    for (const word of WORDS) expect(readBack(formatCommand([word])), word).to.deep.equal([word]);
  });

  it('is read back by a shell, whatever the words', () => {
    const word = fc
      .oneof(fc.string(), fc.constantFrom(...WORDS), fc.string({unit: 'grapheme'}))
      .map((text) => text.replaceAll('\0', ''))
      .filter((text) => maskUrlPassword(text) === text);
    fc.assert(
      fc.property(fc.array(word, {minLength: 1, maxLength: 20}), (words) => {
        expect(readBack(formatCommand(words))).to.deep.equal(words);
      }),
      {numRuns: 40},
    );
  });

  it('leaves plain words without quotes', () => {
    const words = [
      '/usr/bin/kubectl-build',
      '--tag',
      'docker.io/library/app:dev',
      '--output',
      'type=image,a=b',
      '-',
    ];
    expect(formatCommand(words)).to.equal(words.join(' '));
  });

  it('masks before it quotes', () => {
    expect(formatCommand(['https://me:hunter2@host/x.git'])).to.equal("'https://me:***@host/x.git'");
  });
});

describe('maskUrlPassword', () => {
  for (const [text, masked] of [
    ['https://me:hunter2@host/x.git#main', 'https://me:***@host/x.git#main'],
    ['https://:hunter2@host', 'https://:***@host'],
    ['https://hunter2@host/x', 'https://***@host/x'],
    ['HTTPS_PROXY=http://me:hunter2@proxy:3128', 'HTTPS_PROXY=http://me:***@proxy:3128'],
    ['a=http://u:hunter2@h,b=socks5://v:hunter2@i', 'a=http://u:***@h,b=socks5://v:***@i'],
    ['https://me:hunter2:hunter2@host', 'https://me:***@host'],
    ['git+ssh://git:hunter2@host/x', 'git+ssh://git:***@host/x'],
    ['https://host/x', 'https://host/x'],
    ['https://host/a@b', 'https://host/a@b'],
    ['https://host:8080/a:b@c', 'https://host:8080/a:b@c'],
    ['git@github.com:me/x.git', 'git@github.com:me/x.git'],
    ['me:pass@host', 'me:pass@host'],
    ['app@sha256:0123', 'app@sha256:0123'],
    // As URL parsers take it, the last @ before the path ends the password.
    ['https://me:hunter2@hunter2@host/x', 'https://me:***@host/x'],
  ] as const) {
    it(`makes ${masked} of ${text.replaceAll('hunter2', '…')}`, () => {
      expect(maskUrlPassword(text)).to.equal(masked);
    });
  }
});
