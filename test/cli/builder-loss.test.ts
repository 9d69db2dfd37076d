/** Builds that fail because of the builder: a pod that is lost, --timeout, and known errors of kubectl build. */
import {chmodSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import type {ApiServer} from '../helpers/api-server.ts';
import type {DelegateBehaviour} from '../helpers/delegate.ts';
import {DIGEST, describeCommand, type World} from '../helpers/world.ts';

const BUILD = ['-t', 'localhost/web:dev', '.'];
const REPLACE = 'kubectl tiltbuild builder create buildkit --replace';
const NO_EXPORTER = 'loading image into cluster runtime not supported by this builder';

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Builds slowly, kills the pod once the build is under way, and lets the next attempt succeed. */
async function loseBuilder(
  world: World,
  how: Parameters<ApiServer['killPod']>[1],
  args: readonly string[] = BUILD,
  env: Readonly<Record<string, string>> = {},
) {
  const {api, sandbox} = world;
  sandbox.setDelegate('slow');
  let isOver = false;
  const building = world.tiltbuild(args, {env}).finally(() => {
    isOver = true;
  });
  const isWatched = () => api.requests.some(({path}) => path === '/api/v1/namespaces/default/pods');
  // The stand-in of kubectl build records its Dockerfile last before it builds.
  const isBuilding = () => sandbox.invocations().some(({dockerfile}) => dockerfile !== null);
  while (!isOver && !(isWatched() && isBuilding())) await sleep(20);
  await sleep(200);
  sandbox.setDelegate('build');
  api.killPod(api.state.pods[0]?.metadata.name ?? '', how);
  return await building;
}

/** Behaves like `first` the first time, and builds after that. */
function installRelapse({sandbox}: World, first: DelegateBehaviour): void {
  const mark = JSON.stringify(join(sandbox.root, 'mark'));
  sandbox.setDelegate(first);
  const program = join(sandbox.bin, 'kubectl-build');
  const text = readFileSync(program, 'utf8');
  const behaviour = JSON.stringify(first);
  const chosen = `(() => {
    const fs = process.getBuiltinModule('fs');
    if (fs.existsSync(${mark})) return 'build';
    fs.writeFileSync(${mark}, '');
    return ${behaviour};
  })()`;
  writeFileSync(program, text.replace(`"behaviour":${behaviour}`, `"behaviour":${chosen}`));
}

describeCommand('a builder that is lost during a build', (world) => {
  for (const [how, words] of [
    ['deleted', /was deleted during the build/],
    ['node-gone', /node "kind-control-plane" is (gone|no longer ready)|deleted during the build: \w+/],
  ] as const) {
    it(`stops the build, which is retried: ${how}`, async () => {
      const ended = await loseBuilder(world, how);
      expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
      expect(ended.stderr).to.match(words).and.contain('retrying once');
      const [first, second, ...others] = world.sandbox.invocations();
      expect(first).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
      expect(second).to.deep.include({signals: [], exitCode: 0});
      expect(others).to.deep.equal([]);
      const own = (argv: readonly string[] = []) => argv.filter((arg) => !arg.startsWith(world.sandbox.tmp));
      expect(own(second?.argv)).to.deep.equal(own(first?.argv));
    });
  }

  for (const [how, words] of [
    ['evicted', /was evicted from node "kind-control-plane".*low on resource/],
    ['oom', /OOMKilled/],
  ] as const) {
    it(`stops the build, which is not retried where it may be the cause: ${how}`, async () => {
      const ended = await loseBuilder(world, how);
      expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
      expect(ended.stderr).to.match(words).and.not.contain('retrying once');
      expect(world.delegated()).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
    });
  }

  it('is noticed through kubectl as well', async () => {
    world.connect({through: 'kubectl'});
    const ended = await loseBuilder(world, 'deleted');
    expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(world.sandbox.invocations()).to.have.length(2);
  });

  it('exposes no secret, and leaves none behind', async () => {
    const args = ['--secret', 'id=npm,env=NPM_TOKEN', ...BUILD];
    const ended = await loseBuilder(world, 'deleted', args, {NPM_TOKEN: 'hunter2'});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const secrets = world.sandbox.invocations().map(({secrets}) => secrets);
    expect(secrets).to.have.length(2);
    for (const [secret] of secrets) {
      expect(secret).to.include({id: 'npm', content: 'hunter2', mode: 0o600, directoryMode: 0o700});
    }
    expect(ended.stderr).not.to.contain('hunter2');
  });
});

describeCommand('--timeout', (world) => {
  it('cancels the build in the cluster, and ends with 124', async () => {
    world.sandbox.setDelegate('slow');
    const ended = await world.tiltbuild(['--timeout', '2s', ...BUILD]);
    expect(ended, ended.stderr).to.include({exitCode: 124, stdout: ''});
    expect(ended.stderr).to.contain('CANCELED').and.contain('--timeout');
    expect(world.delegated()).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
  });

  it('does not affect a build that is done sooner', async () => {
    const ended = await world.tiltbuild(['--timeout', '5m', ...BUILD]);
    expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
  });
});

describeCommand('a failure because of the builder', (world) => {
  const faults: readonly (readonly [DelegateBehaviour, readonly string[], string, readonly string[]])[] = [
    ['otel-socket', BUILD, 'error mounting', ['cannot run RUN steps', REPLACE]],
    [
      'build',
      ['--network', 'host', ...BUILD],
      'granting entitlement network.host is not allowed',
      ['does not allow network.host', `${REPLACE} --allow network.host`],
    ],
  ];
  for (const [behaviour, args, own, words] of faults) {
    it(`is explained after the output of kubectl build: ${own}`, async () => {
      world.sandbox.setDelegate(behaviour);
      const ended = await world.tiltbuild(args);
      expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
      for (const word of words) {
        expect(ended.stderr).to.contain(word);
        expect(ended.stderr.indexOf(word), word).to.be.greaterThan(ended.stderr.indexOf(own));
      }
      world.delegated();
    });
  }

  for (const behaviour of ['run-fails', 'copy-missing', 'syntax-error'] as const) {
    it(`is not a failure because of the Dockerfile: ${behaviour}`, async () => {
      world.sandbox.setDelegate(behaviour);
      const ended = await world.tiltbuild(BUILD);
      expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
      expect(ended.stderr)
        .to.contain('error: The build failed')
        .and.not.match(/The builder|note:/);
      world.delegated();
    });
  }

  it('is retried: a panic of kubectl build that passes', async () => {
    installRelapse(world, 'panics');
    const ended = await world.tiltbuild(BUILD);
    expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(ended.stderr).to.match(/panic: [\s\S]*kubectl build crashed[\s\S]*retrying once/);
    expect(world.sandbox.invocations().map(({exitCode}) => exitCode)).to.deep.equal([2, 0]);
  });

  it('is retried only once: a panic that stays', async () => {
    world.sandbox.setDelegate('panics');
    const ended = await world.tiltbuild(BUILD);
    expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('The build failed. kubectl build crashed: panic');
    expect(world.sandbox.invocations()).to.have.length(2);
  });

  it('is retried: an API server that was slow', async () => {
    const program = join(world.sandbox.bin, 'kubectl-build');
    const mark = join(world.sandbox.root, 'mark');
    const [shebang, ...rest] = readFileSync(program, 'utf8').split('\n');
    const slow = `const fs = process.getBuiltinModule('fs');
      if (!fs.existsSync(${JSON.stringify(mark)})) {
        fs.writeFileSync(${JSON.stringify(mark)}, '');
        process.stderr.write(${JSON.stringify(`Error: ${NO_EXPORTER}\n`)});
        process.exit(1);
      }`;
    writeFileSync(program, [shebang, slow, ...rest].join('\n'));
    chmodSync(program, 0o755);
    const ended = await world.tiltbuild(BUILD);
    expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(ended.stderr).to.contain(NO_EXPORTER).and.contain('more than 5 s').and.contain('retrying once');
    world.delegated();
  });
});
