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
  'copy-missing': 'copy-missing',
  'dockerfile-syntax': 'syntax-error',
  'push-401-missing-secret': 'push-401',
  'push-401-no-secret': 'push-401',
  'run-fails': 'run-fails',
  'run-fails-on-default-builder': 'otel-socket',
  sigint: 'slow',
};

/** Recordings beyond the stand-in, which does not ask the cluster, and takes no hidden flag. */
const beyond = [
  ...['namespace-missing', 'push-401-opaque-secret', 'sigterm', 'buildkit-version', 'quiet'],
  ...['build-cached', 'first-build-no-builder'],
];

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

  it('needs a current context, and has no other command', async () => {
    expect(await buildkit('version')).to.include({exitCode: 1, stdout: ''});
    sandbox.writeKubeconfig(kubeconfig);
    expect(await buildkit('ls')).to.include({exitCode: 1, stdout: ''});
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
      const jürgen = join(sandbox.work, 'Jürgen');
      for (const path of [jürgen, join(sandbox.work, 'ascii')]) mkdirSync(path);
      writeFileSync(join(sandbox.work, 'ascii', 'Dockerfile'), 'FROM scratch\n');
      const ended = await build(recording.argv.slice(2), {
        ...(name === 'cwd-not-ascii' && {cwd: jürgen}),
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

  const refusals: readonly (readonly [args: string, message: string, env?: Record<string, string>])[] = [
    ['-z .', 'unknown flag: -z'],
    ['--squash .', 'unknown flag: --squash'],
    ['. --tag', 'flag needs an argument: --tag'],
    ['--push=maybe .', 'invalid argument "maybe" for "--push" flag'],
    ['--push -o out -t a .', 'push and "local" can\'t be used together'],
    ['--push .', 'tag is needed when pushing to registry'],
    ['-o type=tar,dest=a.tar --iidfile i .', 'local and tar exporters are incompatible with image ID file'],
    ['-o a -o b .', 'multiple outputs currently unsupported'],
    [
      '--iidfile i .',
      'image ID file cannot be specified when building for multiple platforms',
      {DOCKER_DEFAULT_PLATFORM: 'linux/arm64'},
    ],
    ['--secret id=a,src=nope .', 'failed to stat nope: stat nope: no such file or directory'],
    ['--secret id="a .', 'parse error on line 1: id="a'],
    ['-f - -', "invalid argument: can't use stdin for both build context and dockerfile"],
    ['--kubeconfig /nope .', 'stat /nope: no such file or directory'],
    ['--context kind-kind .', 'no context is currently set', {KUBECONFIG: '/nope'}],
  ];
  it('refuses what the real one refuses', async () => {
    for (const [args, message, env = {}] of refusals) {
      const ended = await build(args.split(' '), {env: {...sandbox.env, ...env}});
      expect(ended, args).to.include({exitCode: 1, stdout: ''});
      expect(ended.stderr).to.contain(`Error: ${message}`);
    }
    const runs = sandbox.invocations();
    expect(runs.map(({argv, exitCode}) => [argv.join(' '), exitCode])).to.deep.equal(
      refusals.map(([args]) => [args, 1]),
    );
  });

  it('accepts flags in every form of pflag, and reads standard input only if told to', async () => {
    const forms = ['-tb:1', '.', '-t=c:1', '--tag=d:1', '--tag', 'e:1', '--push=false', '--label', '-x'];
    const ended = await build(forms, {stdin: 'unread'});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const names = [...ended.stderr.matchAll(/naming to (\S+) done/g)].map(([, name]) => name);
    expect(names).to.deep.equal(['b:1', 'c:1', 'd:1', 'e:1']);
    expect((await build(['-t', 'b:1', '--', '.'])).exitCode).to.equal(0);
    const [first] = sandbox.invocations();
    expect(first).to.deep.include({argv: forms, stdin: undefined, env: sandbox.env});
    expect(first?.kubeconfigs[0]).to.include({path: sandbox.kubeconfig, content: kubeconfig, mode: 0o600});
  });
});
