/** Covers the package for npm: packed, installed without a network, and run. */
import {spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {expect} from 'chai';
import pjson from '../../package.json' with {type: 'json'};
import {runCommand} from '../helpers/programs.ts';

const root = join(import.meta.dirname, '..', '..');

describe('the package for npm', () => {
  let directory: string;
  let prefix: string;

  /** npm, on the Node that runs the tests. */
  function npm(...args: string[]): string {
    const path = [dirname(process.execPath), process.env.PATH].join(delimiter);
    const env = {...process.env, npm_config_cache: join(directory, 'cache'), npm_config_loglevel: 'error'};
    const {status, stdout, stderr, error} = spawnSync(
      'npm',
      [...args, '--offline', '--no-audit', '--no-fund'],
      {cwd: root, encoding: 'utf8', env: {...env, PATH: path}, shell: process.platform === 'win32'},
    );
    if (status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${error ?? ''}${stdout}${stderr}`);
    return stdout;
  }

  const installed = (name: string, args: readonly string[], ...options: string[]) =>
    runCommand(process.execPath, [...options, join(prefix, 'bin', name), ...args], {
      env: {PATH: '', HOME: directory},
      cwd: directory,
    });

  before(function () {
    if (process.platform === 'win32') this.skip();
    directory = mkdtempSync(join(tmpdir(), 'tiltbuild-npm-'));
    prefix = join(directory, 'prefix');
    mkdirSync(prefix);
    npm('pack', '--ignore-scripts=false', '--pack-destination', directory);
    const [tarball] = readdirSync(directory).filter((name) => name.endsWith('.tgz'));
    npm('install', '--global', '--prefix', prefix, join(directory, tarball ?? expect.fail('no tarball')));
  });
  after(() => directory && rmSync(directory, {recursive: true, force: true}));

  it('needs no other package, and contains no path of the machine that built it', () => {
    const modules = join(prefix, 'lib', 'node_modules');
    expect(readdirSync(modules)).to.deep.equal([pjson.name]);
    const files = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json'];
    expect(readdirSync(join(modules, pjson.name))).to.have.members(files);
    const bundle = readFileSync(join(modules, pjson.name, 'dist', 'npm', 'main.js'), 'utf8');
    expect(bundle.includes(join(root, 'node_modules'))).to.equal(false);
  });

  it('runs, keeps the exit codes, shows its help, and completes', async () => {
    const ended = await installed('kubectl-tiltbuild', ['--version']);
    expect(ended).to.include({exitCode: 0, stderr: ''});
    expect(ended.stdout)
      .to.match(/^kubectl-tiltbuild \d+\.\d+\.\d+ \([0-9a-z-]+\)\n/)
      .and.contain(`Node ${process.versions.node}`);
    expect((await installed('kubectl-tiltbuild', ['--wat', '.'])).exitCode).to.equal(2);
    const help = await installed('kubectl-tiltbuild', ['--help']);
    expect(help.stdout).to.contain('kubectl tiltbuild [flags] PATH');
    const completed = await installed('kubectl_complete-tiltbuild', ['--print', 'r']);
    expect(completed.stdout).to.equal('ref\n:4\n');
  });

  it('names the Node it needs if run on an older one', async () => {
    const older = 'Object.defineProperty(process,"versions",{value:{node:"20.19.0"}})';
    const ended = await installed(
      'kubectl-tiltbuild',
      ['--version'],
      '--import',
      `data:text/javascript,${encodeURIComponent(older)}`,
    );
    expect(ended).to.include({exitCode: 4, stdout: ''});
    expect(ended.stderr).to.contain('needs Node 22 or newer').and.contain('releases');
  });
});
