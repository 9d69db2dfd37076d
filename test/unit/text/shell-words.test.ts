/** Covers that a shown command can be pasted into a shell. */
import {execFileSync} from 'node:child_process';
import {expect} from 'chai';
import fc from 'fast-check';
import {maskUrlPassword} from '../../../src/text/mask-secrets.ts';
import {formatCommand} from '../../../src/text/shell-words.ts';

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

/** PowerShell's reading of `& word word…`: bare words and single quotes, in which a quote is doubled. */
function readPowerShell(command: string): string[] {
  const words: string[] = [];
  let rest = command.replace(/^& /, '');
  while (rest !== '') {
    const [all, quoted, bare] =
      /^(?:['‘’‚‛]((?:[^'‘’‚‛]|['‘’‚‛]{2})*)['‘’‚‛]|([^\s'"$`;&|(){}@#,<>]+))(?: |$)/.exec(rest) ?? [];
    if (all === undefined) throw new Error(`not read: ${rest}`);
    words.push(quoted === undefined ? (bare as string) : quoted.replaceAll(/(['‘’‚‛])\1/g, '$1'));
    rest = rest.slice(all.length);
  }
  return words;
}

/** cmd's reading at its prompt, and then the C runtime's. */
function readCmd(command: string): string[] {
  let line = '';
  let isQuoted = false;
  for (let at = 0; at < command.length; at += 1) {
    const char = command[at] as string;
    if (char === '"') isQuoted = !isQuoted;
    if (char === '^' && !isQuoted) line += command[++at] ?? '';
    else if (!isQuoted && '&|<>()%!'.includes(char)) throw new Error(`cmd would act on ${char}`);
    else line += char;
  }
  const words: string[] = [];
  let word: string | undefined;
  let inside = false;
  for (let at = 0; at < line.length; ) {
    const slashes = /^\\*/.exec(line.slice(at))?.[0].length ?? 0;
    const next = line[at + slashes];
    if (next === '"') {
      word = (word ?? '') + '\\'.repeat(slashes >> 1);
      if (slashes % 2 === 1) word += '"';
      else inside = !inside;
      at += slashes + 1;
    } else if (slashes > 0) {
      word = (word ?? '') + '\\'.repeat(slashes);
      at += slashes;
    } else if (next === ' ' && !inside) {
      if (word !== undefined) words.push(word);
      word = undefined;
      at += 1;
    } else {
      word = (word ?? '') + next;
      at += 1;
    }
  }
  return word === undefined ? words : [...words, word];
}

describe('formatCommand, for Windows', () => {
  for (const [shell, read] of [
    ['powershell', readPowerShell],
    ['cmd', readCmd],
  ] as const) {
    it(`is read back by ${shell}, whatever the words`, () => {
      const word = fc
        .oneof(
          fc.string(),
          fc.constantFrom(
            ...WORDS,
            '%PATH%',
            '^',
            'a"b',
            'a\\',
            'a\\"',
            '\\\\x\\',
            '‘x’',
            "''",
            '$(x)',
            '<private>\\a',
          ),
          fc.string({unit: 'grapheme'}),
        )
        // A command line of Windows is one line.
        .map((text) => text.replaceAll(/[\0\r\n]/g, ''))
        .filter((text) => maskUrlPassword(text) === text);
      fc.assert(
        fc.property(fc.array(word, {minLength: 1, maxLength: 10}), (words) => {
          expect(read(formatCommand(words, {shell}))).to.deep.equal(words);
        }),
      );
    });
  }

  for (const [shell, words, shown] of [
    ['powershell', ['kubectl-build', '--tag', 'a:b', 'it’s', '-'], "& kubectl-build '--tag' a:b 'it’’s' '-'"],
    ['powershell', ['C:\\Program Files\\kubectl-build.exe'], "& 'C:\\Program Files\\kubectl-build.exe'"],
    [
      'cmd',
      ['kubectl-build', '--tag', 'a:b', '50%', 'a b\\'],
      'kubectl-build --tag a:b ^"50^%^" ^"a b\\\\^"',
    ],
    ['cmd', ['<private>\\x', 'a"b'], '^"^<private^>\\x^" ^"a\\^"b^"'],
  ] as const) {
    it(`writes ${words.join(' ')} for ${shell}`, () => {
      expect(formatCommand(words, {shell})).to.equal(shown);
    });
  }
});

describe('formatCommand, with a changed environment', () => {
  for (const [shell, shown] of [
    ['posix', "env -u A B='x y' build ."],
    ['powershell', "$env:A = $null; $env:B = 'x y'; & build ."],
    ['cmd', 'set "A=" && set "B=x y" && build .'],
  ] as const) {
    it(`says so to ${shell}`, () => {
      expect(formatCommand(['build', '.'], {shell, env: {A: undefined, B: 'x y'}})).to.equal(shown);
    });
  }
});
