/** Covers that a shown command can be pasted into a shell. */
import {execFileSync} from 'node:child_process';
import {expect} from 'chai';
import fc from 'fast-check';
import {maskText} from '../../../src/text/mask-secrets.ts';
import {formatCommand} from '../../../src/text/shell-words.ts';

/** What a real shell reads; each word ends in a NUL. */
function readPosix(command: string): string[] {
  const env = {...process.env, LC_ALL: 'C.UTF-8'};
  const output = execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], {encoding: 'utf8', env});
  return output.split('\0').slice(0, -1);
}

const WORDS = [
  '',
  'a\nb',
  "\x1b]0;\x07\u202e\u{e0041}\x9b\\'",
  ...'a b|it\'s|"|$HOME|`id`|\\|*|~|#x|!|a;b|&&|>x|é😀'.split('|'),
];
const FOR_WINDOWS = '%PATH%|^|a"b|a\\|a\\"|\\\\x\\|‘x’|\'\'|$(x)|<private>\\a'.split('|');

/** How PowerShell reads `& word word…`: bare words, and single quotes, in which a quote is doubled. */
function readPowerShell(command: string): string[] {
  const words: string[] = [];
  let rest = command.replace(/^& /, '');
  while (rest !== '') {
    const [all, quoted, escaped, bare] =
      /^(?:['‘’‚‛]((?:[^'‘’‚‛]|['‘’‚‛]{2})*)['‘’‚‛]|"((?:[^"“”„`$]|`u\{\w+\}|`.)*)"|([^\s'"$`;&|(){}@#,<>]+))(?: |$)/.exec(
        rest,
      ) ?? [];
    if (all === undefined) throw new Error(`not read: ${rest}`);
    const unescaped = escaped?.replaceAll(/`(?:u\{(\w+)\}|(.))/g, (_, code?: string, character?: string) =>
      code === undefined ? (character as string) : String.fromCodePoint(Number.parseInt(code, 16)),
    );
    words.push(unescaped ?? quoted?.replaceAll(/(['‘’‚‛])\1/g, '$1') ?? (bare as string));
    rest = rest.slice(all.length);
  }
  return words;
}

/** How cmd reads a line at its prompt, and then the C runtime. */
function readCmd(command: string): string[] {
  const line = command.replaceAll(/\^(.)|"[^"]*"?|[&|<>()%!]/gs, (all, escaped?: string) => {
    if ('&|<>()%!'.includes(all)) throw new Error(`cmd would act on ${all}`);
    return escaped ?? all;
  });
  const words: string[] = [];
  let word: string | undefined;
  let inside = false;
  for (const [piece, slashes] of line.matchAll(/(\\*)"|[^"]/g)) {
    if (slashes !== undefined) {
      const isQuote = slashes.length % 2 === 1;
      word = (word ?? '') + '\\'.repeat(slashes.length >> 1) + (isQuote ? '"' : '');
      if (!isQuote) inside = !inside;
    } else if (piece === ' ' && !inside) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + piece;
    }
  }
  return word === undefined ? words : [...words, word];
}

/** A NUL cannot be in a word anywhere; a command line of Windows is one line. */
const anyWord = (impossible: RegExp, words: readonly string[]) =>
  fc
    .oneof(fc.string(), fc.constantFrom(...words), fc.string({unit: 'grapheme'}))
    .map((text) => text.replaceAll(impossible, ''))
    .filter((text) => maskText(text) === text);

describe('formatCommand', () => {
  for (const [shell, read, word, numRuns] of [
    ['posix', readPosix, anyWord(/\0/g, WORDS), 40],
    ['powershell', readPowerShell, anyWord(/[\0\r\n]/g, [...WORDS, ...FOR_WINDOWS]), 100],
    ['cmd', readCmd, anyWord(/[\0\r\n]/g, [...WORDS, ...FOR_WINDOWS]), 100],
  ] as const) {
    it(`is read back by ${shell}, whatever the words`, function () {
      if (shell === 'posix' && process.platform === 'win32') this.skip();
      fc.assert(
        fc.property(fc.array(word, {minLength: 1, maxLength: 20}), (words) => {
          expect(read(formatCommand(words, {shell}))).to.deep.equal(words);
        }),
        {
          numRuns,
          examples: shell === 'posix' ? [[WORDS], ...WORDS.map((single): [string[]] => [[single]])] : [],
        },
      );
    });
  }

  const env = {A: undefined, B: 'x y'};
  for (const [shell, shown, words, changes] of [
    ['posix', "'https://me:***@host/x.git'", ['https://me:hunter2@host/x.git'], {}],
    ['powershell', "build '--tag' 'it’’s'", ['build', '--tag', 'it’s'], {}],
    ['cmd', 'x --tag a:b ^"50^%^" ^"a b\\\\^"', ['x', '--tag', 'a:b', '50%', 'a b\\'], {}],
    ['cmd', '^"^<private^>\\x^" ^"a\\^"b^"', ['<private>\\x', 'a"b'], {}],
    ['powershell', "& 'C:\\a b' x", ['C:\\a b', 'x'], {}],
    ['powershell', 'x "a`u{1b}`$b"', ['x', 'a\x1b$b'], {}],
    ['posix', "x $'a\\x1b\\u202e\\'b'", ['x', "a\x1b\u202e'b"], {}],
    ['posix', "env -u A B='x y' build .", ['build', '.'], env],
    ['powershell', "$env:A = $null; $env:B = 'x y'; build .", ['build', '.'], env],
    ['cmd', 'set "A=" && set "B=x y" && build .', ['build', '.'], env],
  ] as const) {
    it(`writes ${shown} for ${shell}`, () => {
      expect(formatCommand(words, {shell, env: changes})).to.equal(shown);
    });
  }
});
