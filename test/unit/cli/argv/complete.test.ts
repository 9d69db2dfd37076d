/** Covers what is offered for a command line that is not finished. */
import {expect} from 'chai';
import {formatCompletion, readCompletion} from '../../../../src/cli/argv/complete.ts';

const complete = (...words: string[]) => readCompletion(words, '/project');
const names = (...words: string[]) => complete(...words).candidates.map((line) => line.split('\t')[0]);

const FILES = 0;
const NO_FILES = 4;
const DIRECTORIES = 16;

describe('readCompletion', () => {
  it('offers the commands and the current directory for the first word', () => {
    expect(names('')).to.include.members(['builder', '.']);
    expect(names('buil')).to.deep.equal(['builder']);
    expect(names('builder', '')).to.deep.equal(['create', 'du', 'logs', 'ls', 'prune', 'rm']);
    expect(names('builder', 'l')).to.deep.equal(['logs', 'ls']);
    expect(names('-n', 'x', '')).to.deep.equal(['builder', 'doctor', '.']);
    expect(names('-n', 'x', 'builder', '--context=y', 'l')).to.deep.equal(['logs', 'ls']);
  });

  it('offers each flag with what it is for', () => {
    expect(complete('--compr').candidates).to.have.length(1);
    expect(complete('--compr').candidates[0]).to.match(/^--compression\tCompression of layers/);
    expect(names('-')).to.include.members(['--tag', '-t', '--help', '--version', '--context', '-n']);
    expect(names('builder', 'rm', '--y')).to.deep.equal(['--yes']);
    expect(names('-n', 'x', 'doctor', '--f')).to.deep.equal(['--fix']);
  });

  it('offers a flag that was given once more only where that adds to it', () => {
    expect(names('--tag', 'a', '--push', '--context=x', '-'))
      .to.include('--tag')
      .and.not.include('--push');
    expect(names('--context=x', '--contex')).to.deep.equal([]);
    expect(names('-qfx', '--qui')).to.deep.equal([]);
  });

  const values: readonly (readonly [readonly string[], readonly string[]])[] = [
    [
      ['--print', ''],
      ['digest', 'ref', 'json', 'none'],
    ],
    [['--print=r'], ['ref']],
    [['--network', 'h'], ['host']],
    [['--compression', 'z'], ['zstd']],
    [['--progress=pl'], ['plain']],
    [['--builder-policy', 'e'], ['ensure']],
    [['--platform', 'linux/am'], ['linux/amd64']],
    [
      ['builder', 'ls', '-o', ''],
      ['table', 'json'],
    ],
    [['builder', 'create', '--allow', ''], ['network.host']],
    [['--build-arg', ''], []],
    [['builder', 'create', ''], []],
    [['builder', 'nonsense', ''], []],
    [['.', ''], []],
    [['--wat', '--print', 'n'], ['none']],
    [['-t', '--print', '--print', 'n'], ['none']],
  ];
  for (const [words, wanted] of values) {
    it(`offers ${wanted.join(', ') || 'nothing'} for ${words.join(' ')}`, () => {
      expect(complete(...words)).to.deep.equal({candidates: wanted, directive: NO_FILES});
    });
  }

  const left: readonly (readonly [readonly string[], number])[] = [
    [['src'], DIRECTORIES],
    [['-t', 'a', ''], DIRECTORIES],
    [['-t', 'a', './s'], DIRECTORIES],
    [['-', ''], NO_FILES],
    [['--cache-dir', ''], DIRECTORIES],
    [['-f', ''], FILES],
    [['--kubeconfig=/x'], FILES],
    [['--ref-file', ''], FILES],
    [['builder', 'ls', '--client-key', ''], FILES],
    [['.', '--', '--x'], FILES],
  ];
  for (const [words, directive] of left) {
    it(`leaves ${words.join(' ')} to the shell with :${directive}`, () => {
      expect(complete(...words)).to.deep.equal({candidates: [], directive});
    });
  }

  const looked: readonly (readonly [readonly string[], string, string])[] = [
    [['--context', 'ki'], 'contexts', 'ki'],
    [['--context='], 'contexts', ''],
    [['--user', ''], 'users', ''],
    [['--cluster', ''], 'clusters', ''],
    [['-n', 'de'], 'namespaces', 'de'],
    [['--builder', ''], 'builders', ''],
    [['--registry-secret', ''], 'pull-secrets', ''],
    [['builder', 'rm', 'bu'], 'builders', 'bu'],
    [['builder', 'logs', '-f', ''], 'builders', ''],
    [['-n', 'x', 'builder', '--context', ''], 'contexts', ''],
  ];
  for (const [words, source, prefix] of looked) {
    it(`looks ${source} up for ${words.join(' ')}`, () => {
      expect(complete(...words)).to.deep.include({candidates: [], directive: NO_FILES});
      expect(complete(...words).live).to.include({source, prefix});
    });
  }

  it('asks the cluster that was named so far, for a second at most', () => {
    const {live} = complete(
      '--context',
      'a',
      '--context=b',
      '-nx',
      '--request-timeout',
      '1h',
      '--builder',
      '',
    );
    expect(live?.connection.overrides).to.include({context: 'b', namespace: 'x'});
    expect(live?.connection.requestTimeout).to.equal('1s');
  });
});

describe('formatCompletion', () => {
  it('ends with the directive', () => {
    expect(formatCompletion(complete('--print', ''), [])).to.equal('digest\nref\njson\nnone\n:4\n');
    expect(formatCompletion(complete('--context', ''), ['a', 'b'])).to.equal('a\nb\n:4\n');
  });
});
