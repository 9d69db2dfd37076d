// Owns the first step of every npm script: it installs the packages of package-lock.json unless they are installed.
// Plain JavaScript for Node 20, because it runs before the project's own Node is installed.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const stamp = join(root, 'node_modules', '.kubectl-tiltbuild-setup');
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  process.stderr.write('Installing the packages of package-lock.json (once)...\n');
  const npm = process.env.npm_execpath;
  // npm_node_execpath is the Node that runs npm, not the one that npm ci is about to replace.
  const [command, args] = npm ? [process.env.npm_node_execpath ?? process.execPath, [npm]] : ['npm', []];
  const result = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: !npm && process.platform === 'win32',
  });
  if (result.status !== 0) {
    rmSync(stamp, {force: true});
    process.stderr.write(
      'npm ci failed; see above. It needs access to the npm registry that your npm uses.\n',
    );
    process.exit(result.status ?? 1);
  }
  writeFileSync(stamp, wanted);
}
