/** Covers how messages are broken into lines, and that commands are not. */
import {expect} from 'chai';
import fc from 'fast-check';
import {wrapText} from '../../../../src/cli/render/wrap-text.ts';

const SECRET = 'kubectl create secret docker-registry a --namespace b --docker-server=c';

describe('wrapText', () => {
  for (const [what, text, lines] of [
    ['words', 'It is wrong in many ways.', ['It is wrong in many', 'ways.']],
    ['a long word', 'See https://example.org/a/b/c/d now', ['See', 'https://example.org/a/b/c/d', 'now']],
    ['a command at the end', `Make it: ${SECRET}`, ['Make it:', SECRET]],
    ['a line that is a command', `  ${SECRET}`, [`  ${SECRET}`]],
    ['flags at the end', 'Wait longer: --builder-timeout 5m', ['Wait longer:', '--builder-timeout 5m']],
    [
      'backticks',
      'Use a cluster (`kind create cluster`), or not.',
      ['Use a cluster', '(`kind create cluster`),', 'or not.'],
    ],
    [
      'our own commands',
      'See that kubectl tiltbuild builder ls shows those.',
      ['See that', 'kubectl tiltbuild builder ls', 'shows those.'],
    ],
    ['a flag with a placeholder', 'Or else give it --context NAME.', ['Or else give it', '--context NAME.']],
  ] as const) {
    it(`breaks ${what}`, () => {
      expect(wrapText(text, 20)).to.deep.equal(lines);
      expect(wrapText(text, undefined)).to.deep.equal([text]);
    });
  }

  it('loses no word, and goes beyond the width for one piece alone', () => {
    const word = fc.constantFrom(
      'a',
      'kubectl',
      'tiltbuild',
      'build',
      '`',
      '`x y`',
      '--context',
      'NAME',
      'longer-than-it',
      '(x',
    );
    fc.assert(
      fc.property(fc.array(word, {maxLength: 20}), fc.integer({min: 10, max: 40}), (words, width) => {
        const text = words.join(' ');
        const lines = wrapText(text, width);
        expect(lines.join(' ')).to.equal(text);
        for (const line of lines) if (line.length > width) expect(wrapText(line, 1)[0]).to.equal(line);
      }),
    );
  });
});
