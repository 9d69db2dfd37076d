/** Covers how messages are broken into lines, and that commands and flags are not. */
import {expect} from 'chai';
import fc from 'fast-check';
import {wrapText} from '../../../../src/cli/render/wrap-text.ts';
import {type Advice, advise, command, flag, formatAdvice, type Piece} from '../../../../src/text/advice.ts';

const SECRET = command('kubectl', 'create', 'secret', 'docker-registry', 'a', '--namespace', 'b');
const WRAPPED: readonly (readonly [what: string, advice: Advice, lines: readonly string[]])[] = [
  ['words', 'It is wrong in many ways.', ['It is wrong in many', 'ways.']],
  [
    'around a long word',
    'See https://example.org/a/b/c/d now',
    ['See', 'https://example.org/a/b/c/d', 'now'],
  ],
  ['no command', SECRET, [formatAdvice(SECRET)]],
  ['no command at the end', advise`Create it: ${SECRET}`, ['Create it:', formatAdvice(SECRET)]],
  [
    'no command in a sentence',
    advise`Use a cluster (${command('kind', 'create', 'cluster')}), or not.`,
    ['Use a cluster', '(`kind create cluster`),', 'or not.'],
  ],
  [
    'no flag with a value',
    advise`Or else you give it ${flag('context', 'NAME')}.`,
    ['Or else you give it', '--context NAME.'],
  ],
];

describe('wrapText', () => {
  for (const [what, advice, lines] of WRAPPED) {
    it(`breaks ${what}`, () => {
      expect(wrapText(advice, 20)).to.deep.equal(lines);
      expect(wrapText(advice, undefined)).to.deep.equal([formatAdvice(advice)]);
    });
  }

  it('writes flags as they are written where the advice is read', () => {
    const writeFlag = () => '`a (b c)`';
    expect(wrapText(advise`Use ${flag('x')} now.`, 10, {writeFlag})).to.deep.equal([
      'Use',
      '`a (b c)`',
      'now.',
    ]);
  });

  it('loses no word, and exceeds the width for one piece alone', () => {
    const piece: fc.Arbitrary<Piece> = fc.oneof(
      fc.constantFrom(' ', ' a ', ' words and more', ', ', ' longer-than-it ', '  two'),
      fc.constant(flag('context', 'NAME')),
      fc.constant(command('kubectl', 'get', 'the nodes')),
    );
    fc.assert(
      fc.property(
        fc.array(piece, {minLength: 1, maxLength: 12}),
        fc.integer({min: 10, max: 40}),
        (advice, width) => {
          const lines = wrapText(advice, width);
          expect(lines.join(' ')).to.equal(formatAdvice(advice));
          const alone = wrapText(advice, 1);
          for (const line of lines) if (line.length > width) expect(alone).to.include(line);
        },
      ),
    );
  });
});
