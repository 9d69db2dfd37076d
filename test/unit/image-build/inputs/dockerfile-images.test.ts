/** Covers which images a Dockerfile names, as BuildKit reads it, and what it is with others instead. */
import {expect} from 'chai';
import fc from 'fast-check';
import {findImages} from '../../../../src/image-build/inputs/dockerfile-images.ts';

const find = (text: string, given: Readonly<Record<string, string>> = {}) =>
  findImages(text, new Map(Object.entries(given)));
const named = (text: string, given?: Readonly<Record<string, string>>) =>
  find(text, given).map(({name}) => name);

/** A `§` stands for the sign that begins the use of an argument. */
const withArguments = (text: string) => text.replaceAll('§', '$');

/** Writes NEW1, NEW2 and so on instead of the images. */
function replaceAll(text: string): string {
  const images = find(text);
  const pieces = images.map(
    ({start, write}, index) => text.slice(images[index - 1]?.end ?? 0, start) + write(`NEW${index + 1}`),
  );
  return pieces.join('') + text.slice(images.at(-1)?.end ?? 0);
}

describe('the images of a Dockerfile', () => {
  for (const [what, text, replaced] of [
    ['FROM', 'FROM base\nRUN true\n', 'FROM NEW1\nRUN true\n'],
    ['lower case, and blanks', '\n  from\t base:1  as  x\n', '\n  from\t NEW1  as  x\n'],
    ['a platform', 'FROM --platform=$BUILDPLATFORM base', 'FROM --platform=$BUILDPLATFORM NEW1'],
    ['a digest', 'FROM base:1@sha256:ab AS x', 'FROM NEW1 AS x'],
    ['quotes', 'FROM "base"\nCOPY --from="b" x y', 'FROM NEW1\nCOPY --from=NEW2 x y'],
    ['a carriage return', 'FROM a\nRUN b\rc\nFROM d', 'FROM NEW1\nRUN b\rc\nFROM NEW2'],
    ['CRLF and a byte order mark', '\ufeffFROM a\r\nFROM b\r\n', '\ufeffFROM NEW1\r\nFROM NEW2\r\n'],
    ['other alphabets before it', '# 🚢 ü\nFROM a', '# 🚢 ü\nFROM NEW1'],
    [
      'comments',
      '# FROM no\nFROM a # b\n#FROM no \\\nFROM b',
      '# FROM no\nFROM NEW1 # b\n#FROM no \\\nFROM NEW2',
    ],
    ['continued lines', 'FROM \\\n# no\n\n  ba\\\nse \\\n AS x', 'FROM \\\n# no\n\n  NEW1 \\\n AS x'],
    [
      'another escape character',
      '# escape=`\nFROM `\n a\nRUN b \\\nFROM c',
      '# escape=`\nFROM `\n NEW1\nRUN b \\\nFROM NEW2',
    ],
    ['a syntax', '# syntax=docker/dockerfile:1\nFROM a', '# syntax=docker/dockerfile:1\nFROM NEW1'],
    [
      'commands that go on',
      'FROM a\nRUN x \\\n FROM b && \\\n\n FROM c',
      'FROM NEW1\nRUN x \\\n FROM b && \\\n\n FROM c',
    ],
    [
      'heredocs',
      'FROM a\nRUN <<E cat <<-"F"\nFROM b\nE\nCOPY --from=c x y\n\tF\nCOPY --from=d <<E /x\nFROM e\nE\nFROM f',
      'FROM NEW1\nRUN <<E cat <<-"F"\nFROM b\nE\nCOPY --from=c x y\n\tF\nCOPY --from=NEW2 <<E /x\nFROM e\nE\nFROM NEW3',
    ],
    [
      'COPY',
      'FROM a\ncopy --link --from=b:1 --chown=1 x y',
      'FROM NEW1\ncopy --link --from=NEW2 --chown=1 x y',
    ],
    [
      'mounts',
      'FROM a\nRUN --network=none --mount=type=bind,from=b,target=/x --mount=type=cache,target=/c --mount=FROM=c,ro true --mount=from=d',
      'FROM NEW1\nRUN --network=none --mount=type=bind,from=NEW2,target=/x --mount=type=cache,target=/c --mount=FROM=NEW3,ro true --mount=from=d',
    ],
    [
      'mounts with quotes and continued lines',
      'FROM a\nRUN --mount=type=bind,"from=b",target=/x --mount=type=bind,\\\nfrom=c true',
      'FROM NEW1\nRUN --mount=type=bind,from=NEW2,target=/x --mount=type=bind,from=NEW3 true',
    ],
    [
      'earlier stages',
      'FROM a AS One\nFROM one\nFROM two\nFROM b AS two',
      'FROM NEW1 AS One\nFROM one\nFROM NEW2\nFROM NEW3 AS two',
    ],
    [
      'a stage on an image of its name',
      'FROM base AS base\nFROM base\nCOPY --from=base x y',
      'FROM NEW1 AS base\nFROM base\nCOPY --from=base x y',
    ],
    [
      'all stages of COPY and RUN, by name or number',
      'FROM a AS Xy\nCOPY --from=0 . .\nRUN --mount=from=xY,target=/x true\nCOPY --from=y . .\nFROM b AS y',
      'FROM NEW1 AS Xy\nCOPY --from=0 . .\nRUN --mount=from=xY,target=/x true\nCOPY --from=y . .\nFROM NEW2 AS y',
    ],
    ['what a later build runs', 'FROM a\nONBUILD COPY --from=b x y', 'FROM NEW1\nONBUILD COPY --from=b x y'],
    ['an empty text', '', ''],
    ['what is incomplete', 'FROM\nCOPY --from x\nRUN --mount', 'FROM\nCOPY --from x\nRUN --mount'],
  ] as const) {
    it(`are found and replaced with ${what}`, () => expect(replaceAll(text)).to.equal(replaced));
  }

  for (const [text, given, names] of [
    ['ARG A=x\nFROM §A', {}, ['x']],
    ['ARG A=x\nFROM §A', {A: 'y'}, ['y']],
    ['arg A="x" B=\'y\'\nFROM §{A}-§B:1', {}, ['x-y:1']],
    ['ARG A=x\nARG A=z\nFROM §A', {}, ['z']],
    ['ARG A=x\nARG B=§A/y\nFROM §B', {A: 'z'}, ['z/y']],
    ['ARG A\nFROM a§A', {}, ['a']],
    ['ARG A\nFROM a§A', {A: 'b'}, ['ab']],
    ['FROM a§A', {A: 'b'}, ['a']],
    ['FROM a\nCOPY --from="b" x y', {}, ['a', 'b']],
    ['FROM a\nARG B=b\nFROM §{B:-c}', {B: 'd'}, ['a', 'c']],
    ['ARG A=\nFROM §{A:-x}\nFROM y§{A-x}\nFROM §{A:+x}z\nFROM §{A+x}', {}, ['x', 'y', 'z', 'x']],
    ['ARG A=1\nFROM §{A:-x}\nFROM x§{A:+§A}\nFROM §{B:-a§{A}}', {}, ['1', 'x1', 'a1']],
    ['ARG R=localhost \\\n  N=base\nFROM §{R}/§{N}', {}, ['localhost/base']],
    [
      'FROM a-§TARGETARCH\nFROM x§{X:-§BUILDOS}\nFROM c§TARGETSTAGE\nFROM d§TARGETOSVERSION\nFROM b',
      {},
      ['b'],
    ],
    ['ARG TARGETARCH=arm64\nFROM a-§TARGETARCH', {}, ['a-arm64']],
    ['ARG A=x-y\nFROM §{A%-y}\nFROM b§', {}, []],
  ] as const) {
    it(`have the names ${names} in ${JSON.stringify(text)} with ${JSON.stringify(given)}`, () =>
      expect(named(withArguments(text), given)).to.deep.equal(names));
  }

  it('has no name where an argument of unknown value replaces another', () => {
    const unknown = withArguments('ARG A=old\nARG A=§TARGETARCH\nFROM §{A:-new}\nFROM b');
    expect(named(unknown)).to.deep.equal(['b']);
    expect(named(unknown, {A: 'given'})).to.deep.equal(['given', 'b']);
  });

  it('has no name that arguments within arguments make endless', () => {
    const arguments_ = `ARG A=aaaaaaaaaa\n${`ARG A=${'$A'.repeat(10)}\n`.repeat(12)}`;
    expect(named(`${arguments_}FROM $A\nFROM b`)).to.deep.equal(['b']);
  });

  it('are parts of the text, one after another, whatever it is', () => {
    const piece = fc.constantFrom(
      ...[
        'FROM ',
        'from\t',
        'COPY --from=',
        'RUN --mount=from=',
        'ARG A=',
        '--platform=x ',
        ' AS x',
        '<<E',
        'E',
      ],
      ...[
        '\n',
        '\r\n',
        ' \\\n',
        '# escape=`\n',
        '`\n',
        '# c',
        '§A',
        '§{A:-b}',
        '"',
        ',',
        '=',
        'base',
        'x',
        '\ufeff',
        '🚢',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, {maxLength: 25}), (pieces) => {
        const text = withArguments(pieces.join(''));
        let end = 0;
        for (const image of find(text)) {
          expect(image.start).to.be.at.least(end);
          expect(image.end).to.be.within(image.start + 1, text.length);
          ({end} = image);
        }
      }),
      {numRuns: 500},
    );
  });
});
