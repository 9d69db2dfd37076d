/** Covers how errors and notes look on standard error. */

import {expect} from 'chai';
import {chooseStyle, renderDetail, renderError, renderNote} from '../../../src/cli/render.ts';
import {Interrupted, TiltbuildError} from '../../../src/errors.ts';

const PLAIN = {colour: false};
const ESCAPE = '\u001b[';

describe('chooseStyle', () => {
  for (const [isTerminal, env, colour] of [
    [true, {}, true],
    [true, {TERM: 'xterm-256color'}, true],
    [true, {NO_COLOR: ''}, true],
    [true, {NO_COLOR: '1'}, false],
    [true, {NO_COLOR: '0'}, false],
    [true, {TERM: 'dumb'}, false],
    [false, {}, false],
    [false, {TERM: 'xterm'}, false],
  ] as const) {
    it(`${colour ? 'has' : 'has no'} colour for terminal ${isTerminal} and ${JSON.stringify(env)}`, () => {
      expect(chooseStyle(isTerminal, env)).to.deep.equal({colour});
    });
  }
});

describe('renderError', () => {
  it('shows message, detail and remedy, each in its place', () => {
    const error = new TiltbuildError('usage', 'It is wrong.', {
      detail: ['first', 'second'],
      remedy: ['Do this.', 'Or that.'],
    });
    expect(renderError(error, PLAIN)).to.equal(
      'error: It is wrong.\n  first\n  second\nhint:  Do this.\n       Or that.\n',
    );
  });

  it('shows a message alone as one line', () => {
    expect(renderError(new TiltbuildError('usage', 'It is wrong.'), PLAIN)).to.equal('error: It is wrong.\n');
  });

  it('does not show the cause of a foreseen error, which may hold anything', () => {
    const error = new TiltbuildError('usage', 'It is wrong.', {cause: new Error('token abc')});
    expect(renderError(error, PLAIN)).not.to.include('abc');
  });

  it('says nothing of an interruption', () => {
    expect(renderError(new Interrupted('SIGINT'), {colour: true})).to.equal('');
  });

  for (const [unknown, shown] of [
    [new TypeError('x is no function'), 'TypeError: x is no function'],
    ['a string', '  a string\n'],
    [undefined, '  undefined\n'],
  ] as const) {
    it(`calls ${String(unknown)} a bug, and shows what there is of it`, () => {
      const text = renderError(unknown, PLAIN);
      expect(text).to.match(/^error: kubectl tiltbuild \d+\.\d+\.\d+\S* .*This is a bug\.\n/);
      expect(text).to.include(shown).and.include('Please report it');
      expect(text.endsWith('\n')).to.equal(true);
    });
  }

  it('colours the labels only where colour is wanted', () => {
    const error = new TiltbuildError('usage', 'It is wrong.', {remedy: ['Do this.']});
    expect(renderError(error, PLAIN)).not.to.include(ESCAPE);
    expect(renderError(error, {colour: true})).to.equal(
      `${ESCAPE}31merror:${ESCAPE}0m It is wrong.\n${ESCAPE}36mhint:${ESCAPE}0m  Do this.\n`,
    );
  });
});

describe('notes', () => {
  it('are lines that say what they are', () => {
    expect(renderNote('this is so', PLAIN)).to.equal('note:  this is so\n');
    expect(renderNote('this is so', {colour: true})).to.equal(`${ESCAPE}33mnote:${ESCAPE}0m  this is so\n`);
  });

  it('of --verbose are plain lines', () => {
    expect(renderDetail('runs: x', PLAIN)).to.equal('runs: x\n');
    expect(renderDetail('runs: x', {colour: true})).to.equal(`${ESCAPE}2mruns: x${ESCAPE}0m\n`);
  });
});
