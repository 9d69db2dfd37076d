/** Owns the commit that a program is built from. */
import {spawnSync} from 'node:child_process';
import {realpathSync} from 'node:fs';
import {ROOT} from './generated-file.ts';

/**
 * The commit is the last one that changed anything but krew-manifest.yaml, which contains the checksums of programs
 * that contain the commit.
 */
const SOURCES = ['--', '.', ':(exclude)krew-manifest.yaml'];

/** A fixed length, because git's short hashes grow with the repository. */
const LENGTH = 12;

/**
 * The short hash, with `-dirty` if a file differs. `unknown` outside git, and in a shallow clone, which may lack the last
 * change.
 */
export function findCommit(root = ROOT): string {
  const git = (args: readonly string[]) => runGit(root, args);
  const top = git(['rev-parse', '--show-toplevel']);
  if (top === undefined || realpathSync(top) !== realpathSync(root)) return 'unknown';
  if (git(['rev-parse', '--is-shallow-repository']) !== 'false') return 'unknown';
  const commit = git(['log', '-1', '--format=%H', ...SOURCES]);
  const changes = git(['status', '--porcelain', ...SOURCES]);
  if (!commit || changes === undefined) return 'unknown';
  return `${commit.slice(0, LENGTH)}${changes === '' ? '' : '-dirty'}`;
}

function runGit(cwd: string, args: readonly string[]): string | undefined {
  const {status, stdout} = spawnSync('git', args, {cwd, encoding: 'utf8'});
  return status === 0 ? stdout.trim() : undefined;
}
