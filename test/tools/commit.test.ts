/** Covers which commit is built into the program, in temporary repositories. */
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {expect} from 'chai';
import {findCommit} from '../../scripts/commit.ts';

const AUTHOR = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};

describe('findCommit', () => {
  let root: string;
  const git = (...args: string[]) =>
    execFileSync('git', args, {cwd: root, env: {...process.env, ...AUTHOR}, encoding: 'utf8'}).trim();
  const commit = (name: string, text: string): string => {
    writeFileSync(join(root, name), text);
    git('add', '.');
    git('-c', 'commit.gpgsign=false', 'commit', '--quiet', '--message', name);
    return git('rev-parse', 'HEAD').slice(0, 12);
  };
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tiltbuild-commit-'));
    git('init', '--quiet');
  });
  afterEach(() => rmSync(root, {recursive: true, force: true}));

  it('is the last commit', () => {
    commit('a', '1');
    const last = commit('b', '1');
    expect(findCommit(root)).to.equal(last);
  });

  it('skips commits that only change the checksums of a release', () => {
    const source = commit('a', '1');
    commit('krew-manifest.yaml', 'sums');
    expect(findCommit(root)).to.equal(source);
    writeFileSync(join(root, 'krew-manifest.yaml'), 'other sums');
    expect(findCommit(root)).to.equal(source);
  });

  it('marks files that differ', () => {
    const source = commit('a', '1');
    writeFileSync(join(root, 'new'), '');
    expect(findCommit(root)).to.equal(`${source}-dirty`);
  });

  it('is unknown without a commit, below another repository, and in a shallow clone', () => {
    expect(findCommit(root)).to.equal('unknown');
    commit('a', '1');
    commit('b', '1');
    mkdirSync(join(root, 'below'));
    expect(findCommit(join(root, 'below'))).to.equal('unknown');
    const shallow = join(root, 'shallow');
    git('clone', '--quiet', '--depth', '1', pathToFileURL(root).href, shallow);
    expect(findCommit(shallow)).to.equal('unknown');
  });
});
