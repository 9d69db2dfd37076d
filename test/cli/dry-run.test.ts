/** What a dry run shows: the command of the build, the builder and the secret. It changes nothing. */
import {execFileSync} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {addBuilder} from '../helpers/api-server.ts';
import type {Ended} from '../helpers/programs.ts';
import {
  BUILD,
  changedPaths,
  describeCommand,
  PLAIN_NAMES,
  removeBuilders,
  type World,
} from '../helpers/world.ts';

async function expectDone(world: World, args: readonly string[], env = {}): Promise<Ended> {
  const ended = await world.tiltbuild(['--dry-run', ...args], {env});
  expect(ended, ended.stderr).to.include({exitCode: 0});
  expect(world.sandbox.invocations()).to.deep.equal([]);
  return ended;
}

async function json(world: World, args: readonly string[], env = {}) {
  const {stdout} = await expectDone(world, ['--print', 'json', ...args], env);
  return JSON.parse(stdout);
}

describeCommand('--dry-run', (world) => {
  it('prints the exact command of the build, quoted for a shell', async () => {
    const args = ['-t', 'localhost/web:dev', '--build-arg', "A=it's $HOME", '--label', 'a b=c', '.'];
    const shown = await json(world, args);
    const {stdout} = await expectDone(world, args);
    const line = stdout.split('\n').find((text) => text.includes('--label')) as string;
    const [shellWords, redirection] = line.split(' < ');
    expect(redirection).to.equal("'<private>/context.tar'");
    const words = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${shellWords}`], {encoding: 'utf8'}).split(
      '\0',
    );
    expect(words.slice(0, -1)).to.deep.equal(shown.commands[0].argv);

    await world.tiltbuild(args);
    const {argv} = world.delegated();
    const own = shown.commands[0].argv.slice(1);
    expect(own).to.have.length(argv.length);
    for (const [index, word] of own.entries()) {
      if (!word.startsWith('<private>')) expect(word).to.equal(argv[index]);
    }
  });

  it('shows target, product, tags, pull secret and builder, and sends no request that changes anything', async () => {
    const shown = await json(world, ['-t', 'localhost/web', '.']);
    expect(shown).to.deep.include({
      dryRun: true,
      context: 'kind-demo',
      namespace: 'default',
      product: 'kind',
      tags: [{given: 'localhost/web', canonical: 'localhost/web:latest'}],
      reference: null,
      pullSecret: 'docker-registry',
      problems: [],
    });
    expect(shown.builder).to.include({name: 'buildkit', action: 'use', state: 'working'});
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('says what a build would do about the builder, and does nothing', async () => {
    removeBuilders(world);
    const none = await json(world, BUILD);
    expect(none.builder).to.include({action: 'create', state: 'missing'});
    expect(none.commands[0].argv.join(' ')).to.include('unpack=true');
    addBuilder(world.api.state, {kind: 'plugin'});
    const old = await json(world, BUILD);
    expect(old.builder).to.include({action: 'replace', state: 'plugin-made'});
    const left = await json(world, ['-t', 'localhost/web:1', '--builder-policy', 'never', '.']);
    expect(left.builder).to.include({action: 'none'});
    expect(changedPaths(world)).to.deep.equal([]);
  });

  it('shows the second pass of --image only where the image does not get its tag in the node', async () => {
    expect((await json(world, ['--image', 'localhost/web', '.'])).commands).to.have.length(1);
    const shown = await json(world, ['--image', 'localhost/web', '--push', '.']);
    expect(shown.reference).to.equal('localhost/web:tilt-<digest>');
    expect(shown.commands).to.have.length(2);
    expect(shown.commands[0].argv).not.to.include('--tag');
    expect(shown.commands[1].argv.join(' ')).to.include('--tag localhost/web:tilt-<digest>');
  });

  it('writes no secret anywhere and shows none', async () => {
    const env = {NPM_TOKEN: 'hunter2', PROXY_PASSWORD: 'hunter2'};
    const args = [
      ...['--secret', 'id=npm,env=NPM_TOKEN', '--token', 'hunter2', '--ignore', '*.log'],
      ...['--build-arg', 'API_TOKEN=hunter2', '--build-arg', 'P=http://me:hunter2@proxy'],
      ...BUILD,
    ];
    for (const form of ['json', 'none']) {
      const {stdout, stderr} = await expectDone(world, ['--print', form, '-v', ...args], env);
      expect(stdout + stderr).not.to.include('hunter2');
      for (const file of ['secret-0', 'kubeconfig', 'context.tar', 'image-id'])
        expect(stdout).to.include(`<private>/${file}`);
      expect(stdout).not.to.include(world.sandbox.tmp);
    }
  });

  it('removes DOCKER_DEFAULT_PLATFORM from the environment of the command, and does not read standard input', async () => {
    const ended = await world.tiltbuild(['--dry-run', '-t', 'localhost/web:1', '-'], {
      env: {DOCKER_DEFAULT_PLATFORM: 'linux/amd64'},
      stdin: 'FROM scratch',
    });
    expect(ended, ended.stderr).to.include({exitCode: 0});
    expect(ended.stdout).to.match(/^ {2}env -u DOCKER_DEFAULT_PLATFORM '\/.*kubectl-build'/m);
  });

  it('refuses what a build refuses', async () => {
    for (const [args, exitCode, words] of [
      [['-t', 'web:dev', '.'], 3, 'docker.io/library/web:dev'],
      [['-t', 'localhost/a:1', '--iidfile', 'no/such', '.'], 2, '--iidfile'],
    ] as const) {
      const ended = await world.tiltbuild(['--dry-run', ...args]);
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.include(words);
    }
  });

  it('leaves the files of an earlier result alone', async () => {
    const file = join(world.sandbox.work, 'iid');
    writeFileSync(file, 'sha256:old');
    await expectDone(world, ['--iidfile', 'iid', ...BUILD]);
    expect(readFileSync(file, 'utf8')).to.equal('sha256:old');
  });

  it('says why a build would fail', async () => {
    world.api.state.secrets.length = 0;
    const shown = await json(world, ['-t', 'localhost/web:1', '--registry-secret', 'nope', '.']);
    expect(shown.problems).to.have.length(1);
    expect(shown.problems[0]).to.include({code: 'pull-secret-missing'});
  });
});

describeCommand('--dry-run, without a cluster', (world) => {
  it('says what it could not find out', async () => {
    world.connect({names: PLAIN_NAMES, clusterFields: {server: 'https://127.0.0.1:1'}});
    const shown = await json(world, BUILD);
    expect(shown).to.include({product: 'unknown', pullSecret: null});
    expect(shown.pullSecretReason).to.include('could not check');
    expect(shown.builder).to.include({action: 'unknown', state: 'unknown'});
    expect(shown.problems[0]).to.include({code: 'cluster-unreachable'});
    const {stdout} = await expectDone(world, BUILD);
    expect(stdout).to.include('problem: Could not reach the API server at').and.include('unknown state');
  });

  it('works without kubectl build', async () => {
    const shown = await json(world, BUILD, {PATH: join(world.sandbox.root, 'nowhere')});
    expect(shown).to.deep.include({engine: 'builtin', commands: []});
  });
});
