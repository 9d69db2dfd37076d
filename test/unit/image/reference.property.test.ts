/** Covers what holds for every reference, and for every other text. */
import {expect} from 'chai';
import fc from 'fast-check';
import {TiltbuildError} from '../../../src/errors.ts';
import {canonicalReference, familiarReference, parseReference} from '../../../src/image/reference.ts';

const component = fc.stringMatching(/^[a-z0-9]{1,8}(?:(?:\.|_|__|-{1,3})[a-z0-9]{1,6}){0,3}$/);
const path = fc.array(component, {minLength: 1, maxLength: 4}).map((parts) => parts.join('/'));
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,6}[a-zA-Z0-9])?';
const domain = fc.oneof(
  fc.constantFrom('localhost', 'docker.io', 'index.docker.io', 'gcr.io', 'REG'),
  fc.stringMatching(new RegExp(`^${label}(?:\\.${label}){1,3}$`)),
  fc.stringMatching(new RegExp(`^${label}(?:\\.${label}){0,2}:[0-9]{1,5}$`)),
  fc.stringMatching(/^\[[a-fA-F0-9]{0,4}(?::[a-fA-F0-9]{0,4}){1,7}\](?::[0-9]{1,5})?$/),
);
const tag = fc.stringMatching(/^\w[\w.-]{0,127}$/);
const digest = fc.stringMatching(/^(?:sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128})$/);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, {nil: undefined});

const reference = fc
  .record({domain: optional(domain), path, tag: optional(tag), digest: optional(digest)})
  .map((parts) => ({
    ...parts,
    text:
      (parts.domain === undefined ? '' : `${parts.domain}/`) +
      parts.path +
      (parts.tag === undefined ? '' : `:${parts.tag}`) +
      (parts.digest === undefined ? '' : `@${parts.digest}`),
  }))
  .filter(({text}) => !/^[a-f0-9]{64}$/.test(text));

/** Texts that are almost references. */
const almost = fc
  .array(
    fc.oneof(fc.constantFrom(...'aA0._-:/@[] \t%é😀'), fc.constantFrom('sha256:', '://', '__', 'localhost/')),
    {maxLength: 24},
  )
  .map((parts) => parts.join(''));

const anyText = fc.oneof(fc.string(), fc.string({unit: 'binary'}), almost);

function refusal(text: string): TiltbuildError | undefined {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
  return undefined;
}

describe('references', () => {
  it('are parsed into the parts that they were made of', () => {
    fc.assert(
      fc.property(reference, ({text, ...parts}) => {
        const parsed = parseReference(text);
        expect([parsed.tag, parsed.digest]).to.deep.equal([parts.tag, parts.digest]);
        if (parts.domain === undefined || parts.domain.endsWith('docker.io')) return;
        expect(parsed).to.include({domain: parts.domain, path: parts.path, explicitDomain: true});
      }),
    );
  });

  it('do not change once they are canonical, and are the same as their familiar form', () => {
    fc.assert(
      fc.property(reference, ({text}) => {
        const parsed = parseReference(text);
        const canonical = canonicalReference(parsed);
        expect(canonicalReference(parseReference(canonical))).to.equal(canonical);
        const familiar = familiarReference(parsed);
        // distribution/reference shortens these as well, although they then mean something else.
        if (parsed.domain === 'docker.io' && /^(localhost|[^/]*\.[^/]*)\//.test(parsed.path)) return;
        if (/^[a-f0-9]{64}$/.test(familiar)) return;
        expect(canonicalReference(parseReference(familiar))).to.equal(canonical);
      }),
    );
  });
});

describe('any text', () => {
  it('is a reference, or is rejected with a caret below one of its characters or just after it', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const error = refusal(text);
        if (!error) return;
        expect(error.code).to.equal('invalid-reference');
        const [shown = '', caret = ''] = error.detail;
        expect(error.detail).to.have.lengthOf(2);
        expect(shown).to.not.match(/[\p{C}\p{M}]/u);
        expect(caret).to.match(/^ *\^$/);
        expect(caret.length - 1).to.be.at.most([...shown].length);
      }),
      {numRuns: 2000},
    );
  });

  it('is a reference up to the caret, or can become one', () => {
    const endings = ' a /a 0/a :0/a :a a/a :1]/a 1]/a ]:1/a a.b/a @sha256:'.split(' ');
    const hex = '0'.repeat(64);
    fc.assert(
      fc.property(almost, (text) => {
        const error = refusal(text);
        if (!error || text === '' || text.includes('@')) return;
        const caret = error.detail[1]?.length ?? 0;
        const kept = text.slice(0, caret - 1);
        // Everything before the caret is ASCII, so that columns are indexes.
        const taken = endings.some((ending) => !refusal(kept + ending + (ending.endsWith(':') ? hex : '')));
        expect(taken, JSON.stringify(kept)).to.equal(true);
      }),
      {numRuns: 2000, examples: [['[a]/'], ['[a].']]},
    );
  });

  it('takes linear time to parse, and makes a short error, however long', () => {
    const n = 100_000;
    const pieces = [...'a a- a/ a. - _ : 1 t f a+ https:// A \u0000 😀'.split(' '), ' '];
    const frames = '* *! a*! */x a*.b/x [* a:*/ a@sha256:*'.split(' ');
    for (const [piece, frame] of pieces.flatMap((piece) => frames.map((frame) => [piece, frame] as const))) {
      const error = refusal(frame.replace('*', piece.repeat(n)));
      expect(error?.message.length ?? 0).to.be.below(1500);
      expect([...(error?.detail[0] ?? '')].length).to.be.below(1500);
    }
  });
});
