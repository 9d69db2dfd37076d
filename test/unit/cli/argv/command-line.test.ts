/** Covers the step from argv to one request, and every error that needs no look at files or the cluster. */
import {expect} from 'chai';
import {readCommandLine} from '../../../../src/cli/argv/command-line.ts';
import {REFUSED_FLAGS} from '../../../../src/cli/argv/refused-flags.ts';
import {inputFlags} from '../../../../src/cli/commands/build.ts';
import {connectionFlags} from '../../../../src/cli/commands/common-flags.ts';
import type {Flags} from '../../../../src/cli/commands/definition.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import type {Surroundings} from '../../../../src/surroundings.ts';
import {hintsOf} from '../../../helpers/caught.ts';
import {makeSurroundings} from '../../../helpers/surroundings.ts';
import {buildRequest} from '../../builder/builder-world.ts';

type Env = Surroundings['env'];

const read = (argv: readonly string[], env: Env = {}) => readCommandLine(argv, makeSurroundings({env}));

async function request(argv: readonly string[], env?: Env) {
  const invocation = await read(argv, env);
  if (invocation.kind !== 'build') throw new Error(`no build: ${argv.join(' ')}`);
  return invocation.request;
}

async function refusal(argv: readonly string[]): Promise<TiltbuildError> {
  const error = await read(argv).catch((caught) => caught);
  expect(error, argv.join(' ')).to.be.instanceOf(TiltbuildError);
  return error;
}

const passed = (flags: Flags) =>
  Object.entries(flags).flatMap(([name, {passed, type}]) =>
    passed === 'as-given' && type !== 'switch' ? [name] : [],
  );

const AWKWARD = '|-t|--|--help|-h| a b |a=b=c|"\'|$HOME `id`|a\nb|é😀|\\|-'.split('|');

describe('readCommandLine, for a build', () => {
  it('makes a frozen request with the defaults from nothing but a path', async () => {
    const whole = await request(['.']);
    expect(whole).to.be.frozen;
    const {connection, ...rest} = whole;
    expect(connection.passed).to.deep.equal([]);
    expect(Object.values(connection.overrides).filter((value) => value && value.length !== 0)).to.deep.equal(
      [],
    );
    const {connection: _, ...defaults} = buildRequest();
    expect(JSON.parse(JSON.stringify(rest))).to.deep.equal(defaults);
  });

  const host = {builderOptions: {allowNetworkHost: true}};
  const noHost = {builderOptions: {allowNetworkHost: false}};
  const REQUESTS: readonly (readonly [line: string, env: Env, wanted: object])[] = [
    ['--file=a -f b . --builder x --builder=y', {}, {file: 'b', builder: {name: 'y', given: true}}],
    ['.', {DOCKER_DEFAULT_PLATFORM: ''}, {platforms: []}],
    [
      '--platform=linux/a --platform=linux/b .',
      {DOCKER_DEFAULT_PLATFORM: 'c'},
      {platforms: ['linux/a', 'linux/b']},
    ],
    ['.', {BUILDX_BUILDER: 'x'}, {builder: {name: 'x', given: true}}],
    ['--builder=y .', {BUILDX_BUILDER: 'x'}, {builder: {name: 'y', given: true}}],
    ['--timeout=10m .', {}, {timeout: 600_000}],
    [
      '--builder-policy=check --builder-timeout=90 --builder-image=b:1 --builder-replicas=nodes .',
      {},
      {builderOptions: {policy: 'check', timeout: 90_000, image: 'b:1', replicas: 'nodes'}},
    ],
    ['--network=host .', {}, host],
    // kubectl build asks for the entitlement with this as well.
    ['--network=none .', {}, host],
    ['--allow=security.insecure,network.host .', {}, host],
    ['--allow=security.insecure --allow=network.host .', {}, host],
    ['--network=host --network=default .', {}, noHost],
    ['--allow=security.insecure --build-arg=network=host .', {}, noHost],
    ['. -- --help', {}, {passthrough: [['--help']]}],
    [
      '. -- --build-arg --push --no-cache --label -qx --cache-to=a --cache-to b',
      {},
      {
        passthrough: [
          ['--build-arg', '--push'],
          ['--no-cache'],
          ['--label', '-qx'],
          ['--cache-to=a'],
          ['--cache-to', 'b'],
        ],
      },
    ],
    // A value is no request for help or the version.
    ['--build-arg -h . --label=--version', {}, {context: '.'}],
  ];
  for (const [line, env, wanted] of REQUESTS) {
    it(`reads ${line}${Object.entries(env).map(([name, value]) => `, with ${name}=${value}`)}`, async () => {
      expect(await request(line.split(' '), env)).to.containSubset(wanted);
    });
  }

  it('passes build flags on byte for byte, in the order of the help', async () => {
    // Others take certain values only.
    const names = passed(inputFlags).filter((name) => ['build-arg', 'target', 'label', 'ssh'].includes(name));
    for (const value of AWKWARD) {
      const {passedFlags, context} = await request([...names.flatMap((name) => [`--${name}`, value]), '.']);
      expect({passedFlags, context}).to.deep.equal({
        passedFlags: names.map((name) => [`--${name}`, value]),
        context: '.',
      });
    }
    const several = await request(['--pull', '--label=c=', '--build-arg=B', '--build-arg=A', '.']);
    expect(several.passedFlags).to.deep.equal([
      ['--build-arg', 'B', '--build-arg', 'A'],
      ['--label', 'c='],
      ['--pull'],
    ]);
  });

  it('passes connection flags on byte for byte, but for paths, and not those that pin the target', async () => {
    const names = passed(connectionFlags).filter((name) => name !== 'request-timeout');
    const pins = '--kubeconfig=k --context=c --namespace=n --token=t0ken --request-timeout=1m30s'.split(' ');
    for (const value of AWKWARD) {
      const given = names.flatMap((name) => [`--${name}`, value]);
      const {connection, ...rest} = await request([...pins, '--insecure-skip-tls-verify', ...given, '.']);
      const absolute = (name: string) =>
        /^(?:certificate-authority|client-\w+|cache-dir)$/.test(name) && value ? `/project/${value}` : value;
      expect(connection.passed).to.have.deep.members([
        ...names.map((name) => [`--${name}`, absolute(name)]),
        ['--insecure-skip-tls-verify'],
        ['--request-timeout', '1m30s'],
      ]);
      expect(JSON.stringify([connection.passed, rest])).not.to.include('t0ken');
      expect(connection).to.containSubset({
        kubeconfig: 'k',
        overrides: {context: 'c', namespace: 'n', token: 't0ken'},
      });
      expect(connection.overrides.clientKey).to.equal(value === '' ? undefined : `/project/${value}`);
    }
  });

  it('knows --verbose and --version', async () => {
    expect(await read(['-v', '.'])).to.include({kind: 'build', verbose: true, dryRun: false});
    expect(await read(['--version'])).to.deep.equal({kind: 'version'});
  });
});

describe('readCommandLine, for other commands', () => {
  it('reads a builder command, and doctor', async () => {
    expect(await read(['builder', 'logs', '-f'], {BUILDX_BUILDER: 'y'})).to.containSubset({
      kind: 'builder',
      request: {action: {kind: 'logs', name: 'y', follow: true}},
    });
    expect(await read(['-n', 'x', 'builder', 'create', '--env=a=b', '--env=c='])).to.containSubset({
      request: {action: {given: {env: {a: 'b', c: ''}}}, connection: {overrides: {namespace: 'x'}}},
    });
    expect(await read(['--context', 'c', 'doctor'])).to.containSubset({
      kind: 'doctor',
      request: {form: 'text', fix: false, yes: false, limit: 3000, connection: {overrides: {context: 'c'}}},
    });
  });

  for (const [line, shown] of [
    ['--help', 'kubectl tiltbuild [flags] PATH'],
    ['-t UPPER --nope -h a b', 'kubectl tiltbuild [flags] PATH'],
    ['builder', 'kubectl tiltbuild builder COMMAND'],
    ['--help builder ls', 'kubectl tiltbuild builder ls [flags]'],
    ['doctor --fix --help', 'kubectl tiltbuild doctor [flags]'],
  ] as const) {
    it(`shows the help of the command that is named by ${line}`, async () => {
      expect(await read(line.split(' ')))
        .to.have.property('text')
        .that.includes(`$ ${shown}`);
    });
  }

  it('takes its hidden words as first words only', async () => {
    expect(await read(['__complete', '--compr'])).to.include({kind: 'completion'});
    expect(await read(['__login', 'f', 'p', 'a'])).to.deep.equal({
      kind: 'login',
      question: {file: 'f', plugin: 'p', args: ['a']},
    });
    for (const argv of [['-q', '__complete'], ['__login'], ['-q', '__login', 'f', 'p']])
      expect(await read(argv).catch((error) => error)).not.to.have.property('kind', 'login');
    expect((await request(['-q', '__complete'])).context).to.equal('__complete');
  });
});

describe('readCommandLine, of a line that is wrong', () => {
  const ERRORS: readonly (readonly [line: string, message: string, remedy?: string])[] = [
    ['--', 'The build context is missing.', 'kubectl tiltbuild -t NAME:TAG .'],
    ['--push false .', 'Expected one build context, got 2 arguments: false .', 'Quote names'],
    ['-t --ref-file f .', 'got 2 arguments: f .', 'Check --tag, which has the value --ref-file: a variable'],
    ['-t --secret=token=x', 'The build context is missing.', 'Check --tag, which has the value --secret: a'],
    ['--target dev -t .', 'The build context is missing.', 'Check --tag, which has the value .: a variable'],
    ['build -t localhost/a:1 .', 'got 2 arguments: build .', 'Leave out the word build'],
    ['images prune', 'got 2 arguments: images prune', 'kubectl tiltbuild builder images'],
    ['--biuld-arg=A .', '--biuld-arg is not a flag of kubectl tiltbuild.', 'Did you mean --build-arg?'],
    ['-x .', '-x is not a flag of kubectl tiltbuild.', 'kubectl tiltbuild --help'],
    ['. --tag', '--tag needs a value.'],
    ['--push=maybe .', '--push is either true or false, not "maybe".'],
    ['--print=yaml .', '--print is one of digest, ref, json, none, not "yaml".'],
    ['--request-timeout=soon .', '--request-timeout "soon"'],
    ['--timeout=soon .', '--timeout "soon"'],
    ['--builder-timeout=-1s .', '--builder-timeout "-1s"'],
    ['--builder-replicas=0 .', '"0"'],
    ['-o a -o b .', 'one --output'],
    ['--compression=zstd --push -t localhost/a:1 .', '--compression', 'type=registry,compression=zstd'],
    ['--compression=zstd -o out .', '--compression applies to'],
    ['--print=ref .', '--print ref needs --tag or --image.'],
    ['--push .', '--push needs --tag or --image'],
    ['--tag-length=9 .', '--tag-length needs --image.'],
    ['--iidfile=i -o out .', '--iidfile needs an image'],
    ['--iidfile=i -o type=tar,dest=x .', '--iidfile needs an image'],
    ['--push -o "type=oci" -t localhost/a:1 .', '--push and --output type=oci'],
    ['. -- --other --tag=a', '--tag must come before --'],
    ['. -- -oout', '--output must come before --'],
    ['. -- --other -n', '--namespace must come before --'],
    ['. -- --build-arg x --push', '--push must come before --'],
    [`. ghp_${'hunter2'.repeat(4)}`, "got 2 arguments: . '***'"],
    ['. -- --token=x', '--token must come before --'],
    ['. -- --progress=tty', '--progress must come before --'],
    [
      'builder -- ls',
      'builder has no command "ls".',
      'create, du, images, logs, ls, prune, rm.\nTo build a directory called builder',
    ],
    ['-t x builder', '--tag is not a flag of kubectl tiltbuild builder.', './builder'],
    ['-t x builder ls', '--tag is not a flag of kubectl tiltbuild builder ls.', 'builder ls --help'],
    ['builder ls x', 'kubectl tiltbuild builder ls takes no argument, got: x'],
    ['builder rm', 'kubectl tiltbuild builder rm needs the NAME of a builder.', 'builder ls'],
    ['doctor web', 'kubectl tiltbuild doctor takes no argument, got: web', './doctor'],
    ['doctor --memory=1', '--memory is not a flag of kubectl tiltbuild doctor.'],
  ];
  for (const [line, message, remedy = ''] of ERRORS) {
    it(`refuses ${line || 'nothing'}`, async () => {
      const error = await refusal(line.split(' ').filter(Boolean));
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(message).and.not.include('token=x');
      expect(hintsOf(error)).to.include(remedy);
    });
  }

  for (const argv of [
    ['builder', 'create', '--image', 'moby/BuildKit'],
    ['--builder-image', 'moby/buildkit:', '.'],
  ]) {
    it(`refuses an image of BuildKit that is none: ${argv.join(' ')}`, async () =>
      expect((await refusal(argv)).code).to.equal('invalid-reference'));
  }

  it('refuses an empty build context', async () => {
    expect((await refusal([''])).message).to.equal('The build context is missing.');
  });

  it("refuses docker's other flags with the reason", async () => {
    for (const [flag, reason] of Object.entries(REFUSED_FLAGS))
      expect((await refusal([flag, '1', '.'])).message).to.equal(`${flag} ${reason}`);
  });
});
