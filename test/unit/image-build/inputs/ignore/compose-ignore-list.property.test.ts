/** Covers that the one file leaves out what any of the three lists does, for all lists, by matchers not ours. */
import ignore from '@balena/dockerignore';
import {expect} from 'chai';
import fc from 'fast-check';
import {composeIgnoreList} from '../../../../../src/image-build/inputs/ignore/compose-ignore-list.ts';
import {parseIgnoreFile} from '../../../../../src/image-build/inputs/ignore/ignore-file.ts';
import {leavesOut, leavesOutIn2021, type Verdict} from './matchers.ts';

/** What `@balena/dockerignore`, a port of docker 19.03's matcher, leaves out; by default it ignores case. */
function leavesOutByBalena(file: string): Verdict {
  const list = ignore.default({ignorecase: false}).add(file);
  return (path) => list.ignores(path);
}

// Few names and letters, so that patterns and paths meet.
const word = fc.constantFrom('a', 'b', 'ab', 'c.d', 'ba');
const path = fc.array(fc.oneof(word, fc.constantFrom('a+b', '(a)', 'aab', 'c-d')), {
  minLength: 1,
  maxLength: 5,
});
const paths = fc.array(
  path.map((names) => names.join('/')),
  {minLength: 1, maxLength: 8},
);

const simplePart = fc.constantFrom('a', 'b', 'c', '.', '*', '?', '[ab]', '[a-c]', '\\a'.slice(1), '\\.');
const oddPart = fc.constantFrom(
  '+',
  '(',
  ')',
  '|',
  '{',
  '[^a]',
  '[^a/]',
  '[+-c]',
  '**',
  '***',
  ']',
  '\\*',
  '-',
  '^',
);

function list(part: fc.Arbitrary<string>) {
  const glob = fc
    .array(part, {minLength: 1, maxLength: 4})
    .map((parts) => parts.join(''))
    // A `**` within a name is one of the corners where the port looks at fewer folders than moby does.
    .filter((text) => part !== simplePart || !text.includes('**'));
  const name = fc.oneof(
    {weight: 2, arbitrary: word},
    {weight: 2, arbitrary: glob},
    fc.constantFrom('**', '*', '..'),
  );
  const pattern = fc
    .array(name, {minLength: 1, maxLength: 4})
    .map((names) => names.join('/'))
    // Of `!../../a` Go's Clean makes `a`, which leaves out; we take no path above the context for one in it.
    .filter((text) => !text.startsWith('../') && !text.includes('/../../'));
  const line = fc.tuple(fc.constantFrom('', '', '!', '/', '! '), pattern).map(([mark, text]) => mark + text);
  return fc.array(line, {maxLength: 5});
}

const only = fc.array(
  path.map((names) => names.slice(0, 3).join('/')),
  {maxLength: 3},
);

type Matcher = (file: string) => Verdict;

interface Lists {
  readonly own: readonly string[];
  readonly ignored: readonly string[];
  readonly kept: readonly string[];
}

function compose({own, ignored, kept}: Lists): string {
  const file = {text: own.join('\n'), source: '.dockerignore'};
  return composeIgnoreList({file, ignore: [...ignored], only: [...kept], platform: 'linux'});
}

function expectUnion(lists: Lists, some: readonly string[], matcher: Matcher, ofComposed = matcher) {
  const text = compose(lists);
  const composed = ofComposed(text);
  const own = matcher(lists.own.join('\n'));
  const ignored = matcher(lists.ignored.join('\n'));
  for (const one of some) {
    const kept = lists.kept.length === 0 || lists.kept.some((each) => `${one}/`.startsWith(`${each}/`));
    const wanted = own(one) || ignored(one) || !kept;
    expect(composed(one), `${one} by:\n${text}`).to.equal(wanted);
  }
}

function lists(part: fc.Arbitrary<string>) {
  return fc.record({own: list(part), ignored: list(part), kept: only});
}

/** Whether what our reading refuses, or leaves to the matcher, is in the list. */
function isPlain({own, ignored}: Lists): boolean {
  try {
    const all = parseIgnoreFile([...own, ...ignored].join('\n'), 'a list', 'linux');
    return all.every(({peculiar}) => peculiar === undefined);
  } catch {
    return false;
  }
}

describe('the composed ignore file', () => {
  it('leaves out what any of the lists does, by @balena/dockerignore', () => {
    // That port escapes neither `+` nor `(`, so that only an --only path in which both are would differ.
    const kept = fc.array(
      fc.array(word, {minLength: 1, maxLength: 3}).map((names) => names.join('/')),
      {maxLength: 3},
    );
    fc.assert(
      fc.property(lists(simplePart), kept, paths, (all, plain, some) => {
        fc.pre(isPlain(all));
        expectUnion({...all, kept: plain}, some, leavesOutByBalena);
      }),
    );
  });

  for (const [name, part] of [
    ['plain', simplePart],
    ['odd', fc.oneof(simplePart, oddPart)],
  ] as const) {
    it(`leaves out what any of the lists does, by moby's matcher, for ${name} patterns`, () => {
      fc.assert(
        fc.property(lists(part), paths, (all, some) => {
          fc.pre(isPlain(all));
          expectUnion(all, some, leavesOut);
        }),
      );
    });
  }

  it("is read in the same way by docker 20.10's matcher", () => {
    fc.assert(
      fc.property(lists(fc.oneof(simplePart, oddPart)), paths, (all, some) => {
        fc.pre(isPlain(all));
        const text = compose(all);
        // What stands at the top for the walk of 2021 decides nothing, there or here.
        for (const one of some)
          expect(leavesOut(text, {old: true})(one), text).to.equal(leavesOut(text)(one));
      }),
    );
  });

  it('is what the walk of 2021 sends by, where no list has a !', () => {
    fc.assert(
      fc.property(lists(simplePart), paths, ({own, ignored, kept}, some) => {
        const bare = (lines: readonly string[]) => lines.map((line) => line.replace(/^!/, ''));
        const all = {own: bare(own), ignored: bare(ignored), kept};
        fc.pre(isPlain(all));
        expectUnion(all, some, leavesOut, leavesOutIn2021);
      }),
    );
  });

  it('is what the walk of 2021 sends by, where only --ignore has a ! without a glob', () => {
    const plain = fc.array(
      fc.array(word, {minLength: 1, maxLength: 3}).map((names) => `!${names.join('/')}`),
      {maxLength: 3},
    );
    fc.assert(
      fc.property(list(simplePart), list(simplePart), plain, paths, (own, ignored, back, some) => {
        const bare = (lines: readonly string[]) => lines.map((line) => line.replace(/^!/, ''));
        const all = {own: bare(own), ignored: [...bare(ignored), ...back], kept: []};
        fc.pre(isPlain(all));
        expectUnion(all, some, leavesOut, leavesOutIn2021);
      }),
    );
  });
});
