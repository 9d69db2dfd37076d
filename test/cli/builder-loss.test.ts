/** Builds that fail because of the builder: a pod that is lost, --timeout, and known errors of kubectl build. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import type {ApiServer} from '../helpers/api-server.ts';
import {BUILD, describeCommand, expectBuilt, WAYS, type World} from '../helpers/world.ts';

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

/** Runs the script the first time, instead of building. */
function sabotageOnce({sandbox}: World, script: string): void {
  const [program, mark] = [join(sandbox.bin, 'kubectl-build'), JSON.stringify(join(sandbox.root, 'mark'))];
  const [shebang, build = ''] = readFileSync(program, 'utf8').split('\n');
  const text = `const fs = process.getBuiltinModule('fs');
    if (fs.existsSync(${mark})) ${build}
    else { fs.writeFileSync(${mark}, ''); ${script} }`;
  writeFileSync(program, `${shebang}\n${text}\n`);
}

describeCommand('a builder that is lost during a build', (world) => {
  for (const through of WAYS) {
    it(`stops the build, which is retried with its secrets where the pod was deleted (${through})`, async () => {
      world.connect({through});
      const args = ['--secret', 'id=npm,env=NPM_TOKEN', ...BUILD];
      const ended = await loseBuilder(world, 'deleted', args, {NPM_TOKEN: 'hunter2'});
      expectBuilt(ended);
      expect(ended.stderr)
        .to.match(/was deleted during the build/)
        .and.contain('retrying once');
      const [first, second, ...others] = world.sandbox.invocations();
      expect(first).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
      expect(second).to.deep.include({signals: [], exitCode: 0});
      expect(others).to.deep.equal([]);
      const own = (argv: readonly string[] = []) => argv.filter((arg) => !arg.includes(world.sandbox.tmp));
      expect(own(second?.argv)).to.deep.equal(own(first?.argv));
      for (const run of [first, second])
        expect(run?.secrets[0]).to.include({content: 'hunter2', mode: 0o600, directoryMode: 0o700});
      expect(ended.stderr).not.to.contain('hunter2');
    });
  }

  it('stops the build, which is not retried where it may be the cause', async () => {
    const ended = await loseBuilder(world, 'evicted');
    expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr)
      .to.match(/was evicted from node "kind-control-plane".*low on resource/)
      .and.not.contain('retrying once');
    expect(world.delegated()).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
  });
});

describeCommand('--timeout', (world) => {
  it('cancels the build in the cluster, and ends with 124', async () => {
    world.sandbox.setDelegate('slow');
    const ended = await world.tiltbuild(['--timeout', '3s', ...BUILD]);
    expect(ended, ended.stderr).to.include({exitCode: 124, stdout: ''});
    expect(ended.stderr).to.contain('CANCELED').and.contain('--timeout');
    expect(world.delegated()).to.deep.include({signals: ['SIGTERM'], exitCode: 1});
  });
});

describeCommand('a failure because of the builder', (world) => {
  for (const [behaviour, args, own, words] of [
    ['otel-socket', BUILD, 'error mounting', ['cannot run RUN steps', REPLACE]],
    [
      'build',
      ['--network', 'host', ...BUILD],
      'granting entitlement network.host is not allowed',
      ['does not allow network.host', `${REPLACE} --allow network.host`],
    ],
  ] as const) {
    it(`is explained after the output of kubectl build: ${own}`, async () => {
      world.sandbox.setDelegate(behaviour);
      const ended = await world.tiltbuild(args);
      expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
      for (const word of words)
        expect(ended.stderr.indexOf(word), word).to.be.greaterThan(ended.stderr.indexOf(own));
      world.delegated();
    });
  }

  it('is not a failure because of the Dockerfile', async () => {
    world.sandbox.setDelegate('run-fails');
    const ended = await world.tiltbuild(BUILD);
    expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr)
      .to.contain('error: The build failed')
      .and.not.match(/The builder|note:/);
    world.delegated();
  });

  for (const [what, script, words] of [
    [
      'a panic of kubectl build',
      "console.error('panic: x\\n\\ngoroutine 1 [running]:'); process.exit(2);",
      /panic: [\s\S]*kubectl build crashed[\s\S]*retrying once/,
    ],
    [
      'an API server that was slow',
      `console.error('Error: ${NO_EXPORTER}'); process.exit(1);`,
      /this builder[\s\S]*more than 5 s[\s\S]*retrying once/,
    ],
  ] as const) {
    it(`is retried where it passes: ${what}`, async () => {
      sabotageOnce(world, script);
      const ended = await world.tiltbuild(BUILD);
      expectBuilt(ended);
      expect(ended.stderr).to.match(words);
      world.delegated();
    });
  }

  it('is retried only once: a panic that stays', async () => {
    world.sandbox.setDelegate('panics');
    const ended = await world.tiltbuild(BUILD);
    expect(ended, ended.stderr).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('The build failed. kubectl build crashed: panic');
    expect(world.sandbox.invocations()).to.have.length(2);
  });
});
