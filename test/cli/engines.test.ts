/** Covers what is the same whichever engine builds, which engine that is, and faults of BuildKit for the builtin one. */
import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {node} from '../helpers/api-server.ts';
import {ARCHIVE} from '../helpers/buildkit-stand-in.ts';
import {describeEngine, describeEngines} from '../helpers/engines.ts';
import {makeLoggingKubectl} from '../helpers/real-kubectl.ts';
import {DIGEST, spreadBuilder, WAYS} from '../helpers/world.ts';

const WEB = ['-t', 'localhost/web:dev'];

describeEngines('a build', ({engine, world, tiltbuild, behave, names}) => {
  const fileOf = (name: string) => join(world.sandbox.work, name);
  const read = (name: string) => readFileSync(fileOf(name), 'utf8');

  it('prints the digest and nothing else on standard output', async () => {
    const ended = await tiltbuild([...WEB, '-t', 'localhost/web:2', '.']);
    expect(ended).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(ended.stderr).to.contain('load build definition from Dockerfile').and.not.contain('error');
    expect(names()).to.deep.equal([['localhost/web:dev', 'localhost/web:2']]);
  });

  for (const [form, stdout] of [
    ['digest', `${DIGEST}\n`],
    ['ref', 'localhost/web:dev\n'],
    ['none', ''],
  ] as const) {
    it(`prints with --print ${form} what was asked for`, async () => {
      expect(await tiltbuild([...WEB, '--print', form, '.'])).to.include({exitCode: 0, stdout});
    });
  }

  it('tells with --print json and in the metadata file which engine built', async () => {
    const ended = await tiltbuild([...WEB, '--print', 'json', '--metadata-file', 'meta.json', '.']);
    expect(ended.exitCode).to.equal(0);
    expect(JSON.parse(ended.stdout)).to.deep.include({digest: DIGEST, engine});
    expect(read('meta.json')).to.equal(ended.stdout);
  });

  it('writes the digest to a file, and removes it where the build fails', async () => {
    await tiltbuild([...WEB, '--iidfile', 'iid', '.']);
    expect(read('iid')).to.equal(DIGEST);
    behave('run-fails');
    expect(await tiltbuild([...WEB, '--iidfile', 'iid', '.'])).to.include({exitCode: 1, stdout: ''});
    expect(existsSync(fileOf('iid'))).to.equal(false);
  });

  for (const output of ['-', 'type=oci', '"type=tar"']) {
    it(`writes an archive for --output ${output}, and nothing else to standard output`, async () => {
      const ended = await tiltbuild(['--output', output, '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(ended.stdoutBytes).to.deep.equal(ARCHIVE);
    });
  }

  it('builds in a directory whose name is not ASCII, with relative paths', async () => {
    const cwd = fileOf('Jürgen');
    mkdirSync(join(cwd, 'app'), {recursive: true});
    for (const [name, text] of [
      ['app/Dockerfile', 'FROM scratch\nCOPY a /\n'],
      ['app/a', 'a'],
      ['token', 'hunter2'],
    ] as const)
      writeFileSync(join(cwd, name), text);
    const args = ['--secret', 'id=token,src=token', '--output', 'type=oci,dest=a.tar', '--iidfile', 'iid'];
    const ended = await tiltbuild([...args, '-v', 'app'], {cwd});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(ended.stderr).to.contain(`engine: ${engine}`);
    expect(readFileSync(join(cwd, 'a.tar'))).to.deep.equal(ARCHIVE);
    expect(existsSync(join(cwd, 'iid'))).to.equal(true);
  });

  it('names the image by its content, with tags, in a second pass', async () => {
    const ended = await tiltbuild([...WEB, '--image', 'localhost/web', '--ref-file', 'ref', '.']);
    const name = `localhost/web:tilt-${DIGEST.slice(7, 23)}`;
    expect(ended).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(read('ref')).to.equal(name);
    expect(names()).to.deep.equal([['localhost/web:dev'], [name]]);
  });

  it('names no image that is different every time', async () => {
    behave('changes');
    const ended = await tiltbuild(['--image', 'localhost/web', '--ref-file', 'ref', '.']);
    expect(ended).to.include({exitCode: 5, stdout: ''});
    expect(existsSync(fileOf('ref'))).to.equal(false);
  });

  it('says nothing with --quiet, unless it fails', async () => {
    expect(await tiltbuild([...WEB, '--quiet', '.'])).to.include({stdout: `${DIGEST}\n`, stderr: ''});
    behave('run-fails');
    const ended = await tiltbuild([...WEB, '--quiet', '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('load build definition');
  });

  it('ends with 1 where a step fails, which is said once', async () => {
    behave('run-fails');
    const ended = await tiltbuild([...WEB, '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr)
      .to.match(/RUN .*exit 7/)
      .and.contain('exit code: 7');
    expect(ended.stderr.match(/^error: /gm)).to.have.length(1);
  });

  it('ends with 5 where nobody tells the digest', async () => {
    behave('no-digest');
    expect(await tiltbuild([...WEB, '--print', 'digest', '.'])).to.include({exitCode: 5, stdout: ''});
  });

  it('goes through a flood of progress', async () => {
    behave('floods');
    const ended = await tiltbuild([...WEB, '.'], {discardStderr: true, timeoutMs: 50_000});
    expect(ended).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
  });

  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`is cancelled by ${signal}, and ends with ${exitCode}`, async () => {
      behave('slow');
      const ended = await tiltbuild([...WEB, '.'], {
        signalWhen: {stderrContains: 'tick 0', signals: [signal]},
      });
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.not.contain('error:');
    });
  }

  it('is cancelled after --timeout, and ends with 124', async () => {
    behave('slow');
    const ended = await tiltbuild([...WEB, '--timeout', '2s', '.']);
    expect(ended).to.include({exitCode: 124, stdout: ''});
    expect(ended.stderr).to.contain('--timeout');
  });
});

describeEngine('the builtin engine', 'builtin', (engines) => {
  const {world, tiltbuild, behave} = engines;

  it('runs both passes over one connection, with the key of one project', async () => {
    await tiltbuild([...WEB, '--image', 'localhost/web', '--ref-file', 'ref', '.']);
    const {solves} = engines.buildkit;
    expect(solves.map(({connection}) => connection)).to.deep.equal([0, 0]);
    expect(new Set(solves.map(({sharedKey}) => sharedKey)).size).to.equal(1);
    expect(solves[0]?.dockerfile).to.equal(readFileSync(join(world.sandbox.work, 'Dockerfile'), 'utf8'));
  });

  it('builds on a BuildKit that knows one exporter alone', async () => {
    engines.buildkit.knowsExporters = false;
    expect(await tiltbuild([...WEB, '.'])).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(engines.buildkit.solves[0]?.exporter).to.deep.include({type: 'image'});
  });

  it('quotes the line of the Dockerfile whose step failed', async () => {
    behave('run-fails');
    const {stderr} = await tiltbuild([...WEB, '.']);
    expect(stderr).to.contain('words of the step');
    expect(stderr).to.match(/Dockerfile:2\n.*1 \| {5}FROM scratch\n.*2 \| >>> COPY index/);
  });

  it('cancels the build in the cluster', async () => {
    behave('slow');
    await tiltbuild([...WEB, '.'], {signalWhen: {stderrContains: 'tick 0', signals: ['SIGINT']}});
    while (engines.buildkit.cancelled === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(engines.buildkit.solves).to.have.length(1);
  });

  it('builds once more where the connection is lost, and no more than once', async () => {
    engines.buildkit.behaviour = 'loses-connection';
    const ended = await tiltbuild([...WEB, '.']);
    expect(ended).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
    expect(ended.stderr).to.contain('retrying once');
    engines.buildkit.losses = 2;
    const again = await tiltbuild([...WEB, '.']);
    expect(again).to.include({exitCode: 1, stdout: ''});
    expect(engines.buildkit.solves.map(({connection}) => connection)).to.deep.equal([0, 1, 2, 3]);
  });

  it('does not repeat a build whose result goes to standard output', async () => {
    engines.buildkit.behaviour = 'loses-connection';
    const ended = await tiltbuild(['--output', 'type=tar,dest=-', '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(engines.buildkit.solves).to.have.length(1);
  });

  for (const through of WAYS) {
    const notFound = 'exec: "buildctl": executable file not found in $PATH';
    for (const [what, exec, exitCode, attempts, ...words] of [
      ['has no buildctl', {failure: notFound}, 4, 1, 'has no buildctl', notFound, '--replace'],
      ['ends at once', {stderr: 'error: no such socket\n', exitCode: 1}, 1, 2, 'error: no such socket.\n'],
      [
        'talks of other things',
        {stdout: 'Welcome, all!\n'},
        4,
        1,
        'does not speak HTTP/2',
        '"Welcome, all!"',
      ],
    ] as const) {
      it(`says what is wrong with a pod that ${what}, asked ${through}`, async () => {
        world.connect({through});
        world.api.state.exec = () => exec;
        const ended = await tiltbuild([...WEB, '.']);
        expect(ended).to.include({exitCode, stdout: ''});
        for (const word of words) expect(ended.stderr).to.contain(word);
        expect(ended.stderr).not.to.contain('This is a bug');
        const execs = world.api.requests.filter(({command}) => command.includes('dial-stdio'));
        expect(execs).to.have.length(attempts);
      });
    }

    it(`leaves out what kubectl logs, asked ${through}`, async () => {
      world.connect({through});
      const env = {PATH: makeLoggingKubectl(world.sandbox.root)};
      world.api.state.exec = () => ({stderr: 'error: no such socket\n', exitCode: 1});
      const built = await tiltbuild([...WEB, '.'], {env});
      expect(built.stderr).to.contain('error: no such socket.\n').and.not.contain('v2.go');
      world.api.state.forbidden.add('delete deployments');
      const removed = await tiltbuild(['builder', 'rm', 'buildkit', '--yes', '--force'], {env});
      expect(removed.stderr).to.contain('is forbidden').and.not.contain('v2.go');
    });

    it(`says that the permission to run programs in pods is missing, asked ${through}`, async () => {
      world.connect({through});
      world.api.state.forbidden.add('pods/exec');
      const ended = await tiltbuild([...WEB, '.']);
      expect(ended).to.include({exitCode: 4, stdout: ''});
      const missing = 'error: You do not have permission to create pods/exec in namespace "default"';
      expect(ended.stderr).to.contain(missing).and.contain('To check: kubectl auth can-i create pods/exec');
    });
  }
});

describeEngine('the choice of the engine', 'builtin', (engines) => {
  const {world, tiltbuild} = engines;
  const builtWith = () => ({
    builtin: engines.buildkit.solves.length,
    plugin: world.sandbox.invocations().length,
  });

  it('is the builtin one where PATH has no plugin', async () => {
    expect((await tiltbuild([...WEB, '-v', '.'])).stderr).to.contain('engine: builtin');
    expect(builtWith()).to.deep.equal({builtin: 1, plugin: 0});
  });

  it('is the plugin where PATH has it', async () => {
    await world.tiltbuild([...WEB, '.']);
    expect(builtWith()).to.deep.equal({builtin: 0, plugin: 1});
  });

  for (const [how, args, env] of [
    ['the flag', ['--engine', 'builtin'], {}],
    ['the environment', [], {KUBECTL_TILTBUILD_ENGINE: 'builtin'}],
    ['what the plugin does not know', ['--shm-size', '64m'], {}],
    ['a SOCKS proxy, for kubectl', [], {ALL_PROXY: 'socks5://127.0.0.1:1', NO_PROXY: '127.0.0.1'}],
  ] as const) {
    it(`is the builtin one because of ${how}, though PATH has the plugin`, async () => {
      const ended = await world.tiltbuild([...WEB, ...args, '.'], {env});
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(builtWith()).to.deep.equal({builtin: 1, plugin: 0});
    });
  }

  it('is the builtin one for a builder with several pods', async () => {
    spreadBuilder(world, [node({name: 'a'}), node({name: 'b'})]);
    const ended = await world.tiltbuild([...WEB, '.']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(builtWith()).to.deep.equal({builtin: 1, plugin: 0});
  });

  for (const [what, args, exitCode, words] of [
    ['the plugin where PATH has none', ['--engine', 'kubectl-build', '.'], 4, 'kubectl build'],
    [
      'the plugin for what it does not know',
      ['--engine', 'kubectl-build', '--shm-size', '1m', '.'],
      2,
      '--shm',
    ],
    ['the builtin one with flags for the plugin', ['--engine', 'builtin', '.', '--', '--x'], 2, '--'],
    ['flags for the plugin where PATH has none', ['.', '--', '--x'], 4, 'kubectl build'],
    ['one that does not exist', ['--engine', 'docker', '.'], 2, 'kubectl-build'],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const ended = await (what.includes('does not know') ? world : engines).tiltbuild([...WEB, ...args]);
      expect(ended).to.include({exitCode, stdout: ''});
      expect(ended.stderr).to.contain(words);
      expect(builtWith()).to.deep.equal({builtin: 0, plugin: 0});
    });
  }
});
