/** Covers the README's picture of a terminal: how it is read and drawn, and that it shows what the program shows now. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {drawDemo, withoutTimes} from '../../scripts/demo-picture.ts';
import {formatPicture} from '../../scripts/terminal-picture.ts';
import {readScreen} from '../../scripts/terminal-screen.ts';
import {hasTerminal} from '../helpers/on-terminal.ts';
import {program} from '../helpers/programs.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the screen of a terminal', () => {
  for (const [what, output, lines] of [
    ['lines', 'a\r\nb\r\n', ['a', 'b']],
    ['a line that is written over', 'waiting\r\u001b[Kdone', ['done']],
    ['the end of a longer line that stays', 'abc\rx', ['xbc']],
    ['a view that is drawn again, shorter', 'a\r\nb\r\n\r\u001b[2A\u001b[Jc\r\n', ['c']],
    ['blanks between what is written apart', 'a\r\n  b', ['a', '  b']],
  ] as const)
    it(`has ${what}`, () => {
      expect(readScreen(output).map((spans) => spans.map(({text}) => text).join(''))).to.deep.equal(lines);
    });

  it('has colours', () => {
    expect(readScreen('\u001b[32mgood:\u001b[0m  a')).to.deep.equal([
      [
        {text: 'good:', style: '32'},
        {text: '  a', style: ''},
      ],
    ]);
  });

  for (const sequence of ['\u001b[2B', '\u001b[35m', '\u001b]0;title\u0007', '\t'])
    it(`refuses ${JSON.stringify(sequence)}, which the program does not write`, () => {
      expect(() => readScreen(`a${sequence}b`)).to.throw('picture does not know');
    });
});

describe('the picture of a terminal', () => {
  it('keeps columns apart, and has a title and both themes', () => {
    const lines = [[{text: 'a   <b>', style: '34' as const}]];
    const picture = formatPicture({title: 'A & B', columns: 10, lines});
    expect(picture).to.contain('<title>A &amp; B</title>').and.contain('prefers-color-scheme: dark');
    expect(picture.match(/<tspan x="([\d.]+)" class="s34">/g)).to.have.length(2);
    expect(picture).to.contain('&lt;b&gt;');
  });

  it('in the README shows what the program shows now; npm run demo -- --svg docs/demo.svg draws it', async function () {
    if (!hasTerminal || process.arch !== 'x64' || program.name !== 'binary') this.skip();
    const picture = readFileSync(join(root, 'docs', 'demo.svg'), 'utf8');
    expect(withoutTimes(picture)).to.equal(withoutTimes(await drawDemo(program.command)));
  });
});
