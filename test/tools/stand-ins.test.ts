/** Covers that the stand-in delegate prints what was recorded, and is as strict as the real one. */
import {once} from 'node:events';
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {type AddressInfo, createServer} from 'node:net';
import {join} from 'node:path';
import {expect} from 'chai';
import {parse} from 'yaml';
import type {DelegateBehaviour} from '../helpers/delegate.ts';
import {type Ended, runCommand} from '../helpers/programs.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';
import {DIGEST} from '../helpers/world.ts';

interface Recording {
  readonly argv: readonly string[];
  readonly exitCode: number;
  readonly signal?: NodeJS.Signals;
  readonly iidfile?: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

const directory = join(import.meta.dirname, '..', 'fixtures', 'recordings');
const recordings = new Map(
  readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => [
      name.replace('.yaml', ''),
      parse(readFileSync(join(directory, name), 'utf8')) as Recording,
    ]),
);

const behaviours: Readonly<Record<string, DelegateBehaviour>> = {
  'build-cached': 'cached',
  'copy-missing': 'copy-missing',
  'dockerfile-syntax': 'syntax-error',
  'first-build-no-builder': 'boots-builder',
  'push-401-missing-secret': 'push-401',
  'push-401-no-secret': 'push-401',
  'run-fails': 'run-fails',
  'run-fails-on-default-builder': 'otel-socket',
  sigint: 'slow',
};

/** Recordings beyond the stand-in, which does not ask the cluster. */
const beyond = ['namespace-missing', 'push-401-opaque-secret', 'sigterm', 'buildkit-version'];

const kubeconfig = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Config',
  'current-context': 'kind-kind',
  contexts: [{name: 'kind-kind', context: {cluster: 'kind-kind', user: 'kind-kind'}}],
  clusters: [{name: 'kind-kind', cluster: {server: 'https://127.0.0.1:1'}}],
  users: [{name: 'kind-kind', user: {}}],
});

describe('the stand-in of kubectl-buildkit', () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await makeSandbox();
  });
  afterEach(() => sandbox.remove());

  const buildkit = (...args: readonly string[]): Promise<Ended> =>
    runCommand(join(sandbox.bin, 'kubectl-buildkit'), args, {env: sandbox.env, cwd: sandbox.work});

  it('prints what was recorded, and an error without a server', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const {port} = server.address() as AddressInfo;
    const recorded = recordings.get('buildkit-version');
    sandbox.writeKubeconfig(kubeconfig.replace('127.0.0.1:1"', `127.0.0.1:${port}"`));
    const ended = await buildkit('version').finally(() => server.close());
    expect(ended).to.include({exitCode: 0, stdout: recorded?.stdout, stderr: ''});
    sandbox.writeKubeconfig(kubeconfig);
    const alone = await buildkit('version');
    expect(alone).to.include({exitCode: 0, stderr: ''});
    expect(alone.stdout).to.match(/^Client: .*\nBuilder: .*ECONNREFUSED.*\n$/);
    expect(alone.stdout.split('\n')[0]).to.equal(recorded?.stdout.split('\n')[0]);
  });

  it('needs a current context', async () => {
    expect(await buildkit('version')).to.include({exitCode: 1, stdout: ''});
  });

  it('has no other command', async () => {
    sandbox.writeKubeconfig(kubeconfig);
    for (const args of [[], ['ls'], ['version', '--client']])
      expect(await buildkit(...args)).to.include({exitCode: 1, stdout: ''});
  });
});

const OTHER = 'sha256:a479cd17b8f5eacde4c2747eb13673de95c679528d7d79860988c07dc5eeabe6';

describe('the stand-in delegate', () => {
  let sandbox: Sandbox;

  beforeEach(async () => {
    sandbox = await makeSandbox();
    sandbox.writeKubeconfig(kubeconfig);
    for (const name of ['run', 'fail', 'miss', 'slow', 'syn']) {
      writeFileSync(join(sandbox.work, `Dockerfile.${name}`), 'FROM scratch\n');
    }
  });
  afterEach(() => sandbox.remove());

  const build = (
    args: readonly string[],
    options: Partial<Parameters<typeof runCommand>[2]> = {},
  ): Promise<Ended> =>
    runCommand(join(sandbox.bin, 'kubectl-build'), args, {env: sandbox.env, cwd: sandbox.work, ...options});

  /** The recordings of successful builds have two different contents; the stand-in builds one, under any name. */
  const named = (text: string, name: string) =>
    /^(?:build|first-build|push)(?:-(?!platform|multi|output|401)|$)/.test(name)
      ? text.replaceAll(OTHER, DIGEST)
      : text;

  for (const [name, recording] of recordings) {
    if (beyond.includes(name)) continue;
    it(`prints what was recorded: ${name}`, async () => {
      sandbox.setDelegate(behaviours[name] ?? 'build');
      const iidfile = join(sandbox.work, 'iid.txt');
      if (recording.iidfile !== undefined) writeFileSync(iidfile, 'stale');
      const ended = await build(recording.argv.slice(2), {
        ...(recording.argv.includes('-') && {stdin: 'FROM scratch\n'}),
        ...(recording.signal && {signalWhen: {stderrContains: 'tick 3', signals: [recording.signal]}}),
      });
      expect(ended.stderr).to.equal(named(recording.stderr, name));
      expect(ended.stdout).to.equal(recording.stdout);
      expect(ended.exitCode).to.equal(recording.exitCode);
      // The stale file stays where the build is refused because of it.
      if (recording.iidfile === null && name !== 'build-platform-iidfile') {
        expect(existsSync(iidfile)).to.equal(false);
      }
      if (recording.iidfile) expect(readFileSync(iidfile, 'utf8')).to.equal(named(recording.iidfile, name));
    });
  }

  it('knows the flags of the recorded help, and no others that are not hidden', async () => {
    const {flags, shorthands} = await import(join(import.meta.dirname, '../helpers/stand-ins/pflag.mjs'));
    const recorded = [
      ...(recordings
        .get('help')
        ?.stdout.matchAll(/^ {2,}(?:-(\w), )? *--([a-z-]+) (?:(stringArray|strings|string) )? /gm) ?? []),
    ];
    expect(recorded.map(([, , name, type = 'bool']) => `${name} ${type}`).sort()).to.deep.equal(
      [...flags].map(([name, {type}]) => `${name} ${type}`).sort(),
    );
    for (const [, letter, name] of recorded) if (letter) expect(shorthands.get(letter)).to.equal(name);
  });

  const CANCELED = /#3 CANCELED\nError: failed to solve: Canceled: context canceled\n$/;
  for (const [behaviour, sent, seen, ended, stderr] of [
    ['slow', ['SIGTERM'], ['SIGTERM'], {exitCode: 1}, CANCELED],
    ['slow', ['SIGHUP'], [], {signal: 'SIGHUP'}, / tick 0\n/],
    [
      'ignores-signals',
      ['SIGTERM', 'SIGINT', 'SIGKILL'],
      ['SIGTERM', 'SIGINT'],
      {signal: 'SIGKILL'},
      / tick 0/,
    ],
  ] as const) {
    it(`(${behaviour}) ends on ${sent.join(', ')} as the real one would`, async () => {
      sandbox.setDelegate(behaviour);
      const run = await build(['.'], {signalWhen: {stderrContains: 'tick 0', signals: sent}});
      expect(run).to.include(ended);
      expect(run.stderr).to.match(stderr);
      expect(sandbox.invocations()[0]?.signals).to.deep.equal(seen);
    });
  }

  it('panics, prints no digest, or prints 200 MB, if installed to do so', async () => {
    sandbox.setDelegate('panics');
    expect(await build(['.'])).to.include({exitCode: 2});
    sandbox.setDelegate('no-digest');
    const silent = await build(['-t', 'a:b', '--iidfile', 'iid.txt', '.']);
    expect(silent).to.include({exitCode: 0});
    expect(silent.stderr).to.not.contain('sha256:');
    expect(existsSync(join(sandbox.work, 'iid.txt'))).to.equal(false);
    sandbox.setDelegate('floods');
    const flooded = await build(['--iidfile', 'iid.txt', '.']);
    expect(flooded.exitCode).to.equal(0);
    expect(flooded.stderr.length).to.be.greaterThan(200_000_000);
    expect(existsSync(join(sandbox.work, 'iid.txt'))).to.equal(true);
  });

  const refusals: readonly (readonly [args: string, message: string, env?: Record<string, string>])[] = [
    ['-z .', "unknown shorthand flag: 'z' in -z"],
    ['. --tag', 'flag needs an argument: --tag'],
    ['. -t', "flag needs an argument: 't' in -t"],
    [
      '--push=maybe .',
      'invalid argument "maybe" for "--push" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    ['--push -o out -t a .', 'push and "local" output can\'t be used together'],
    ['--push .', 'tag is needed when pushing to registry'],
    ['-o type=tar,dest=a.tar --iidfile i .', 'local and tar exporters are incompatible with image ID file'],
    ['-o a -o b .', 'multiple outputs currently unsupported'],
    [
      '--iidfile i .',
      'image ID file cannot be specified when building for multiple platforms',
      {DOCKER_DEFAULT_PLATFORM: 'linux/arm64'},
    ],
    ['--secret id=a,src=nope .', 'failed to stat nope: stat nope: no such file or directory'],
    ['--secret id=a,dst=b .', "unexpected key 'dst' in 'dst=b'"],
    [
      '--secret id="a .',
      'failed to parse csv secret: parse error on line 1, column 4: bare " in non-quoted field',
    ],
    ['--squash .', 'squash currently not implemented'],
    ['-f - -', "invalid argument: can't use stdin for both build context and dockerfile"],
    ['--kubeconfig /nope .', 'stat /nope: no such file or directory'],
    [
      '--context kind-kind .',
      'no context is currently set, use "kubectl config use-context <context>" to select a new one',
      {KUBECONFIG: '/nope'},
    ],
  ];
  for (const [args, message, env = {}] of refusals) {
    it(`refuses ${args}${Object.keys(env).map((name) => ` with ${name}`)}`, async () => {
      const ended = await build(args.split(' '), {env: {...sandbox.env, ...env}});
      expect(ended).to.include({exitCode: 1, stdout: '', stderr: `Error: ${message}\n`});
      expect(sandbox.invocations()[0]).to.deep.include({argv: args.split(' '), exitCode: 1});
    });
  }

  it('accepts flags in every form of pflag, and those that the real one ignores', async () => {
    const forms =
      '-tb:1 . -t=c:1 --tag=d:1 --tag e:1 --push=false --ulimit x --rm=false -m 1g -c4 --compress';
    const ended = await build(forms.split(' '));
    expect(ended.exitCode).to.equal(0);
    const names = [...ended.stderr.matchAll(/naming to (\S+) done/g)].map(([, name]) => name);
    expect(names).to.deep.equal(['b:1', 'c:1', 'd:1', 'e:1']);
    expect((await build(['-t', 'b:1', '--', '.'])).exitCode).to.equal(0);
  });

  it('records what it got, and reads standard input only if told to', async () => {
    const secret = join(sandbox.work, 'a, "b"');
    writeFileSync(secret, 'hush', {mode: 0o600});
    mkdirSync(join(sandbox.work, 'other'), {mode: 0o700});
    writeFileSync(join(sandbox.work, 'other', 'Dockerfile'), 'FROM other\n');
    writeFileSync(join(sandbox.work, 'other', 'Dockerfile.dockerignore'), '*\n');
    const field = `"src=${secret.replaceAll('"', '""')}"`;
    await build(['--secret', `id=s,${field}`, '-f', 'other/Dockerfile', '.'], {stdin: 'unread'});
    await build(['-f', '-', '.'], {stdin: 'FROM stdin\n'});
    const [first, second] = sandbox.invocations();
    expect(first?.secrets[0]).to.deep.include({id: 's', content: 'hush', mode: 0o600});
    expect(first?.dockerfile).to.deep.include({
      content: 'FROM other\n',
      directoryMode: 0o700,
      directoryFiles: ['Dockerfile', 'Dockerfile.dockerignore'],
      ignoreFile: '*\n',
    });
    expect(first?.kubeconfigs[0]).to.deep.include({
      path: sandbox.kubeconfig,
      content: kubeconfig,
      mode: 0o600,
    });
    expect(first?.env).to.deep.equal(sandbox.env);
    expect(first?.terminal).to.deep.equal({stdin: false, stdout: false, stderr: false});
    expect(first?.stdin).to.equal(undefined);
    expect(second?.stdin?.toString()).to.equal('FROM stdin\n');
    expect(sandbox.leftovers().map((path) => path.replace(/dockerfile\w+/, 'dockerfile*'))).to.deep.equal([
      'dockerfile*',
      'dockerfile*/Dockerfile',
    ]);
  });

  it('writes a tarball to standard output, or a directory', async () => {
    const tarball = await build(['-o', '-', '.']);
    expect(tarball.exitCode).to.equal(0);
    expect(tarball.stdoutBytes).to.have.length(1024);
    expect((await build(['-o', 'type=local,dest=out', '.'])).exitCode).to.equal(0);
    expect(readdirSync(join(sandbox.work, 'out'))).to.deep.equal(['index.html']);
  });
});
