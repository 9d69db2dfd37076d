/** Covers how errors and notes look on standard error. */
import {stripVTControlCharacters} from 'node:util';
import {expect} from 'chai';
import {
  chooseStyle,
  formatErrorJson,
  renderDetail,
  renderError,
  renderNote,
} from '../../../../src/cli/render/render.ts';
import {Interrupted, TiltbuildError} from '../../../../src/errors.ts';
import {advise, command, flag} from '../../../../src/text/advice.ts';

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
      expect(chooseStyle(isTerminal, env).colour).to.equal(colour);
    });
  }

  for (const [columns, width] of [
    [80, 80],
    [200, 100],
    [10, 40],
    [0, 80],
    [undefined, 80],
  ] as const) {
    it(`wraps at ${width} on a terminal of ${columns} columns, and nowhere else`, () => {
      expect(chooseStyle(true, {}, columns).width).to.equal(width);
      expect(chooseStyle(false, {}, columns).width).to.equal(undefined);
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

  it('shows where a foreseen error comes from with -vv, without its secrets', () => {
    const error = new TiltbuildError('usage', 'It is wrong.', {cause: new Error('token: hunter2')});
    const text = renderError(error, PLAIN, {verbosity: 2});
    expect(text).to.include('render.test.ts').and.include('caused by Error').and.not.include('hunter2');
    expect(renderError(error, PLAIN, {verbosity: 1})).to.equal('error: It is wrong.\n');
  });

  it('hides secrets in a bug as well, and names what runs us', () => {
    const error = new Error('password=hunter2');
    const text = renderError(error, PLAIN, {runtime: 'Node 26, linux/x64'});
    expect(text).to.include(', Node 26, linux/x64\n').and.not.include('hunter2');
    expect(formatErrorJson(error)).not.to.include('hunter2');
  });

  it('writes the flags of advice as they are written where it is read, and no others', () => {
    const error = new TiltbuildError('usage', 'Not --x.', {
      remedy: [advise`Use ${flag('x', '1')}.`, 'Or --x.'],
    });
    const writeFlag = () => 'x=…';
    expect(renderError(error, {...PLAIN, writeFlag})).to.equal(
      'error: Not --x.\nhint:  Use x=….\n       Or --x.\n',
    );
    expect(JSON.parse(formatErrorJson(error, writeFlag))).to.deep.include({remedy: ['Use x=….', 'Or --x.']});
    expect(JSON.parse(formatErrorJson(error))).to.deep.include({remedy: ['Use --x 1.', 'Or --x.']});
  });

  it('indents a command below a sentence', () => {
    const get = command('kubectl', 'get', 'nodes');
    const error = new TiltbuildError('usage', 'It is wrong.', {remedy: [get, 'See:', get]});
    expect(renderError(error, PLAIN)).to.equal(
      'error: It is wrong.\nhint:  kubectl get nodes\n       See:\n         kubectl get nodes\n',
    );
  });

  it('wraps messages and hints, but neither details nor commands, and counts no colour', () => {
    const long = command('kubectl', 'get', 'nodes', '--selector', 'kubernetes.io/os=linux');
    const error = new TiltbuildError('usage', 'It is wrong in more than one of all ways.', {
      detail: ['a line that is shown as it stands, whatever its length'],
      remedy: [advise`Look at the nodes: ${long}`],
    });
    const shown = (colour: boolean) => renderError(error, {...chooseStyle(true, {}, 40), colour});
    expect(shown(false).split('\n')).to.deep.equal([
      'error: It is wrong in more than one of',
      '       all ways.',
      '  a line that is shown as it stands, whatever its length',
      'hint:  Look at the nodes:',
      '       kubectl get nodes --selector kubernetes.io/os=linux',
      '',
    ]);
    expect(stripVTControlCharacters(shown(true))).to.equal(shown(false));
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

describe('formatErrorJson', () => {
  for (const [error, expected] of [
    [
      new TiltbuildError('refused-k3d', 'No.', {detail: ['a'], remedy: ['b']}),
      {code: 'refused-k3d', message: 'No.', detail: ['a'], remedy: ['b'], exitCode: 3},
    ],
    [
      new Interrupted('SIGINT'),
      {code: 'interrupted', message: 'Interrupted by SIGINT.', detail: [], remedy: [], exitCode: 130},
    ],
  ] as const) {
    it(`is one line for ${expected.code}`, () => {
      const text = formatErrorJson(error);
      expect(text.indexOf('\n')).to.equal(text.length - 1);
      expect(JSON.parse(text)).to.deep.equal(expected);
    });
  }

  it('tells a bug as one', () => {
    expect(JSON.parse(formatErrorJson(new TypeError('x')))).to.include({code: 'bug', exitCode: 70});
  });
});

describe('notes', () => {
  it('are lines that say what they are', () => {
    expect(renderNote(advise`use ${flag('push')}`, PLAIN)).to.equal('note:  use --push\n');
    expect(renderNote('this is so', PLAIN)).to.equal('note:  this is so\n');
    expect(renderNote('this is so', {colour: true})).to.equal(`${ESCAPE}33mnote:${ESCAPE}0m  this is so\n`);
  });

  it('of --verbose are plain lines', () => {
    expect(renderDetail('runs: x', PLAIN)).to.equal('runs: x\n');
    expect(renderDetail('runs: x', {colour: true})).to.equal(`${ESCAPE}2mruns: x${ESCAPE}0m\n`);
  });
});
