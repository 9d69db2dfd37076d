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
  for (const [isTerminal, env, columns, style] of [
    [true, {}, undefined, {colour: true, width: 80}],
    [true, {TERM: 'xterm-256color'}, 200, {colour: true, width: 100}],
    [true, {NO_COLOR: ''}, 10, {colour: true, width: 40}],
    [true, {NO_COLOR: '1'}, 0, {colour: false, width: 80}],
    [true, {NO_COLOR: '0'}, 90, {colour: false, width: 90}],
    [true, {TERM: 'dumb'}, 80, {colour: false, width: 80}],
    [false, {TERM: 'xterm'}, 80, {colour: false}],
  ] as const) {
    it(`is ${JSON.stringify(style)} for terminal ${isTerminal}, ${columns} columns, ${JSON.stringify(env)}`, () => {
      expect(chooseStyle(isTerminal, env, columns)).to.deep.equal(style);
    });
  }
});

describe('renderError', () => {
  const cause = new Error('token: hunter2');
  const error = new TiltbuildError('usage', 'It is wrong.', {remedy: ['Do this.'], cause});
  const shown = 'error: It is wrong.\nhint:  Do this.\n';

  it('shows the cause of a foreseen error, which may hold anything, only with -vv and without its secrets', () => {
    expect(renderError(error, PLAIN, {verbosity: 1})).to.equal(shown);
    const text = renderError(error, PLAIN, {verbosity: 2});
    expect(text).to.include('render.test.ts').and.include('caused by Error').and.not.include('hunter2');
  });

  it('colours the labels only where colour is wanted', () => {
    expect(renderError(error, {colour: true})).to.equal(
      `${ESCAPE}31merror:${ESCAPE}0m It is wrong.\n${ESCAPE}36mhint:${ESCAPE}0m  Do this.\n`,
    );
  });

  it('writes the flags of advice as they are written where it is read, and no others', () => {
    const remedy = [advise`Use ${flag('x', '1')}.`, 'Or --x.'];
    const flagged = new TiltbuildError('usage', 'Not --x.', {remedy});
    const writeFlag = () => 'x=…';
    expect(renderError(flagged, {...PLAIN, writeFlag})).to.equal(
      'error: Not --x.\nhint:  Use x=….\n       Or --x.\n',
    );
    expect(JSON.parse(formatErrorJson(flagged, {writeFlag})).remedy).to.deep.equal(['Use x=….', 'Or --x.']);
    expect(JSON.parse(formatErrorJson(flagged)).remedy).to.deep.equal(['Use --x 1.', 'Or --x.']);
  });

  it('wraps messages and hints, but neither details nor commands, and counts no colour', () => {
    const long = command('kubectl', 'get', 'nodes', '--selector', 'kubernetes.io/os=linux');
    const wide = new TiltbuildError('usage', 'It is wrong in more than one of all ways.', {
      detail: ['a line that is shown as it stands, whatever its length'],
      remedy: [long, advise`Look at the nodes: ${long}`, long],
    });
    const show = (colour: boolean) => renderError(wide, {...chooseStyle(true, {}, 40), colour});
    expect(show(false).split('\n')).to.deep.equal([
      'error: It is wrong in more than one of',
      '       all ways.',
      '  a line that is shown as it stands, whatever its length',
      'hint:  kubectl get nodes --selector kubernetes.io/os=linux',
      '       Look at the nodes:',
      '       kubectl get nodes --selector kubernetes.io/os=linux',
      '         kubectl get nodes --selector kubernetes.io/os=linux',
      '',
    ]);
    expect(stripVTControlCharacters(show(true))).to.equal(show(false));
  });

  for (const [unknown, words] of [
    [new Error('password=hunter2'), 'Error: password=***'],
    ['a string', '  a string\n'],
    [undefined, '  undefined\n'],
  ] as const) {
    it(`calls ${String(unknown)} a bug, shows what there is of it, and hides its secrets`, () => {
      const text = renderError(unknown, PLAIN);
      expect(text).to.match(/^error: kubectl tiltbuild \d+\.\d+\.\d+\S* .*This is a bug\.\n/);
      expect(text).to.include(words).and.not.include('hunter2');
      const json = formatErrorJson(unknown);
      expect(JSON.parse(json)).to.include({code: 'bug', exitCode: 70});
      expect(json).not.to.include('hunter2');
    });
  }
});

describe('formatErrorJson', () => {
  it('is one line, also for an interruption', () => {
    const text = formatErrorJson(new Interrupted('SIGINT'));
    expect(text.indexOf('\n')).to.equal(text.length - 1);
    const nothing = {detail: [], remedy: []};
    const message = 'Interrupted by SIGINT.';
    expect(JSON.parse(text)).to.deep.equal({code: 'interrupted', message, ...nothing, exitCode: 130});
  });
});

describe('notes', () => {
  it('are lines that say what they are, and plain ones for --verbose', () => {
    expect(renderNote(advise`use ${flag('push')}`, PLAIN)).to.equal('note:  use --push\n');
    expect(renderNote('this is so', {colour: true})).to.equal(`${ESCAPE}33mnote:${ESCAPE}0m  this is so\n`);
    expect(renderDetail('runs: x', PLAIN)).to.equal('runs: x\n');
    expect(renderDetail('runs: x', {colour: true})).to.equal(`${ESCAPE}2mruns: x${ESCAPE}0m\n`);
  });
});
