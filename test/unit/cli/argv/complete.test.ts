/** Covers what is offered for a command line that is not finished. */
import {expect} from 'chai';
import {formatCompletion, readCompletion} from '../../../../src/cli/argv/complete.ts';

/** A blank at the end of a line stands for a word that has not begun. */
const complete = (line: string) => readCompletion(line.split(' '), '/project');
const names = (line: string) =>
  complete(line)
    .candidates.map((candidate) => candidate.split('\t')[0])
    .join(' ');

const FILES = 0;
const NO_FILES = 4;
const DIRECTORIES = 16;

describe('readCompletion', () => {
  for (const [line, offered] of [
    ['buil', 'builder'],
    ['builder ', 'create du images logs ls prune rm'],
    ['-n x ', 'builder doctor .'],
    ['-n x builder --context=y l', 'logs ls'],
    ['builder rm --y', '--yes'],
    ['-n x doctor --f', '--fix'],
    // A flag is offered once more only where that adds to it.
    ['--context=x --contex', ''],
    ['-qfx --qui', ''],
    ['--tag a --tag-', '--tag-prefix --tag-length'],
    ['--tag a -t', '-t'],
  ] as const) {
    it(`offers ${offered || 'nothing'} for ${line}`, () => expect(names(line)).to.equal(offered));
  }

  it('offers each flag with what it is for', () => {
    expect(complete('--compr').candidates).to.have.length(1);
    expect(complete('--compr').candidates[0]).to.match(/^--compression\tCompression of layers/);
    expect(names('-').split(' ')).to.include.members([
      '--tag',
      '-t',
      '--help',
      '--version',
      '--context',
      '-n',
    ]);
  });

  for (const [line, wanted, directive = NO_FILES] of [
    ['--print=r', 'ref'],
    ['--network h', 'host'],
    ['--compression z', 'zstd'],
    ['--progress=pl', 'plain'],
    ['--builder-policy e', 'ensure'],
    ['--platform linux/am', 'linux/amd64'],
    ['builder ls -o ', 'table json'],
    ['builder create --allow ', 'network.host'],
    ['--build-arg ', ''],
    ['builder create ', ''],
    ['builder nonsense ', ''],
    ['. ', ''],
    ['- ', ''],
    ['--wat --print n', 'none'],
    ['-t --print --print n', 'none'],
    ['src', '', DIRECTORIES],
    ['-t a ', '', DIRECTORIES],
    ['-t a ./s', '', DIRECTORIES],
    ['--cache-dir ', '', DIRECTORIES],
    ['--kubeconfig=/x', '', FILES],
    ['--ref-file ', '', FILES],
    ['builder ls --client-key ', '', FILES],
    ['. -- --x', '', FILES],
  ] as const) {
    it(`offers ${wanted || 'nothing'} for ${line}, with :${directive}`, () => {
      expect(complete(line)).to.deep.equal({candidates: wanted.split(' ').filter(Boolean), directive});
    });
  }

  for (const [line, source, prefix] of [
    ['--context ki', 'contexts', 'ki'],
    ['--context=', 'contexts', ''],
    ['--user ', 'users', ''],
    ['--cluster ', 'clusters', ''],
    ['-n de', 'namespaces', 'de'],
    ['builder rm bu', 'builders', 'bu'],
    ['builder logs -f ', 'builders', ''],
    ['-n x builder --context ', 'contexts', ''],
  ] as const) {
    it(`looks ${source} up for ${line}`, () => {
      expect(complete(line)).to.deep.include({candidates: [], directive: NO_FILES});
      expect(complete(line).live).to.include({source, prefix});
    });
  }

  it('asks the cluster that was named so far, for a second at most', () => {
    const {live} = complete('--context a --context=b -nx --request-timeout 1h --builder ');
    expect(live?.connection.overrides).to.include({context: 'b', namespace: 'x'});
    expect(live?.connection.requestTimeout).to.equal('1s');
  });
});

describe('formatCompletion', () => {
  it('ends with the directive', () => {
    expect(formatCompletion(complete('--print '), [])).to.equal('digest\nref\njson\nnone\n:4\n');
    expect(formatCompletion(complete('--context '), ['a', 'b'])).to.equal('a\nb\n:4\n');
  });
});
