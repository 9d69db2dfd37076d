/** Covers the step from what was typed to one request, and every refusal that needs no look at the outside. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {readCommandLine} from '../../../../src/cli/argv/command-line.ts';
import {flags, PASSED_BUILD_FLAGS, PASSED_KUBECTL_FLAGS} from '../../../../src/cli/argv/flags.ts';
import {REFUSED_FLAGS} from '../../../../src/cli/argv/refused-flags.ts';
import {EXIT_CODE_TABLE} from '../../../../src/cli/render/exit-codes.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import type {Surroundings} from '../../../../src/surroundings.ts';
import {makeSurroundings} from '../../../helpers/surroundings.ts';

const recordedHelp = readFileSync(
  join(import.meta.dirname, '../../../fixtures/recordings/help.yaml'),
  'utf8',
);

async function request(argv: readonly string[], env: Surroundings['env'] = {}) {
  const invocation = await readCommandLine(argv, makeSurroundings({env}));
  if (invocation.kind !== 'build') throw new Error(`no build: ${argv.join(' ')}`);
  return invocation.request;
}

async function text(argv: readonly string[]) {
  const invocation = await readCommandLine(argv, makeSurroundings());
  if (invocation.kind !== 'text') throw new Error(`no text: ${argv.join(' ')}`);
  return invocation.text;
}

async function refusal(argv: readonly string[], env?: Surroundings['env']): Promise<TiltbuildError> {
  const error = await request(argv, env).catch((caught) => caught);
  expect(error, argv.join(' ')).to.be.instanceOf(TiltbuildError);
  return error;
}

const AWKWARD = [
  '',
  '-t',
  '--',
  '--help',
  '-h',
  ' a b ',
  'a=b=c',
  '"\'',
  '$HOME `id`',
  'a\nb',
  'é😀',
  '\\',
  '-',
];

describe('readCommandLine', () => {
  it('knows every flag of kubectl build, with the same short forms', () => {
    const recorded = [...recordedHelp.matchAll(/^ {4,8}(?:-(\w), )?--([a-z-]+)/gm)];
    expect(recorded.length).to.equal(40);
    for (const [, char, name] of recorded) {
      expect(flags).to.have.property(name as string);
      expect(flags[name as keyof typeof flags].char, name).to.equal(char);
    }
  });

  it('makes a request with the defaults from nothing but a path', async () => {
    const {connection, ...rest} = await request(['.']);
    expect(connection.passed).to.deep.equal([]);
    expect(Object.values(connection.overrides).filter(Boolean)).to.deep.equal([]);
    expect(rest).to.deep.equal({
      context: '.',
      tags: [],
      platforms: [],
      secrets: [],
      outputs: [],
      push: false,
      destination: {kind: 'runtime', stdout: false},
      passedFlags: [],
      passthrough: [],
      builder: {name: 'buildkit', given: false},
      builderOptions: {
        policy: 'ensure',
        timeout: 120_000,
        image: undefined,
        replicas: 1,
        allowNetworkHost: false,
      },
      timeout: undefined,
      pullSecret: {kind: 'default', name: 'docker-registry'},
      qualify: false,
      print: 'digest',
      quiet: false,
      contentName: undefined,
      file: undefined,
      fileVariable: undefined,
      ignore: [],
      only: [],
      compression: undefined,
      progress: undefined,
      iidFile: undefined,
      metadataFile: undefined,
      expectedRef: undefined,
    });
  });

  it('gives an image its name in the registry of Tilt only where it is pushed there', async () => {
    const env = {EXPECTED_REGISTRY: 'localhost:5000'};
    const name = async (...argv: string[]) =>
      (await request(['--image=gcr.io/me/web', ...argv, '.'], env)).contentName;
    expect(await name('--ref-file=r')).to.deep.include({name: 'gcr.io/me/web', file: 'r'});
    expect(await name('--push')).to.deep.include({name: 'localhost:5000/gcr.io_me_web', file: undefined});
    expect((await request(['--image=web', '--push', '.'])).contentName).to.deep.include({name: 'web'});
  });

  it('gives a request that nobody can change', async () => {
    expect(await request(['.'])).to.be.frozen;
  });

  it('leaves the path behind a repeatable flag alone', async () => {
    const {context, tags} = await request(['-t', 'localhost/a:1', '.', '-t', 'localhost/b:1']);
    expect(context).to.equal('.');
    expect(tags.map(({given}) => given)).to.deep.equal(['localhost/a:1', 'localhost/b:1']);
  });

  it('takes the last of a flag that is there once', async () => {
    const read = await request(['--file=a', '-f', 'b', '--builder', 'x', '--builder=y', '-n1', '-n=2', '.']);
    expect([read.file, read.builder, read.connection.overrides.namespace]).to.deep.equal([
      'b',
      {name: 'y', given: true},
      '2',
    ]);
  });

  it('reads --push=false as no push', async () => {
    const {push, destination, context} = await request(['--push=false', '-t', 'localhost/a:1', '.']);
    expect({push, destination, context}).to.deep.equal({
      push: false,
      destination: {kind: 'runtime', stdout: false},
      context: '.',
    });
  });

  it('tells --verbose', async () => {
    for (const [argv, verbose] of [
      [['-v', '.'], true],
      [['.'], false],
    ] as const) {
      expect(await readCommandLine(argv, makeSurroundings())).to.include({kind: 'build', verbose});
    }
  });

  for (const name of PASSED_BUILD_FLAGS.filter((one) => flags[one].type === 'option')) {
    it(`hands on --${name} byte for byte`, async () => {
      for (const value of AWKWARD) {
        for (const argv of [
          [`--${name}`, value, '.'],
          ['.', `--${name}=${value}`],
        ]) {
          const {passedFlags, context} = await request(argv);
          expect({passedFlags, context}).to.deep.equal({passedFlags: [[`--${name}`, value]], context: '.'});
        }
      }
    });
  }

  it('hands on every one of a repeated flag, and the boolean ones, in the order of its help', async () => {
    const {passedFlags} = await request([
      '--pull',
      '--label=c=',
      '--build-arg=B',
      '--no-cache',
      '--build-arg=A',
      '.',
    ]);
    expect(passedFlags).to.deep.equal([
      ['--build-arg', 'B', '--build-arg', 'A'],
      ['--label', 'c='],
      ['--no-cache'],
      ['--pull'],
    ]);
  });

  for (const name of PASSED_KUBECTL_FLAGS.filter((one) => flags[one].type === 'option')) {
    it(`hands on --${name} byte for byte, as one of its own`, async () => {
      for (const value of name === 'request-timeout' ? ['1m30s', '0'] : AWKWARD) {
        const {connection} = await request([`--${name}`, value, '.', '--insecure-skip-tls-verify']);
        expect(connection.passed).to.have.deep.members([
          [`--${name}`, value],
          ['--insecure-skip-tls-verify'],
        ]);
      }
    });
  }

  it('puts the pinning flags where they are pinned, and the token in nothing that is handed on', async () => {
    const read = await request([
      '--kubeconfig=k',
      '--context=c',
      '--namespace=n',
      '--token=t0ken',
      '--client-key=key',
      '.',
    ]);
    expect(JSON.stringify([read.connection.passed, read.passedFlags, read.passthrough])).not.to.match(
      /t0ken/,
    );
    expect(read.connection.passed).to.deep.equal([['--client-key', 'key']]);
    expect(read.connection.kubeconfig).to.equal('k');
    expect(read.connection.overrides).to.include({
      context: 'c',
      namespace: 'n',
      token: 't0ken',
      clientKey: '/project/key',
    });
  });

  for (const [what, argv, env, wanted] of [
    ['DOCKER_DEFAULT_PLATFORM', [], {DOCKER_DEFAULT_PLATFORM: 'linux/arm64'}, {platforms: ['linux/arm64']}],
    ['an empty DOCKER_DEFAULT_PLATFORM', [], {DOCKER_DEFAULT_PLATFORM: ''}, {platforms: []}],
    [
      '--platform before it',
      ['--platform=a', '--platform=b'],
      {DOCKER_DEFAULT_PLATFORM: 'c'},
      {platforms: ['a', 'b']},
    ],
    ['BUILDX_BUILDER', [], {BUILDX_BUILDER: 'x'}, {builder: {name: 'x', given: true}}],
    ['--builder before it', ['--builder=y'], {BUILDX_BUILDER: 'x'}, {builder: {name: 'y', given: true}}],
    [
      'KUBECTL_BUILD_REGISTRY_SECRET',
      [],
      {KUBECTL_BUILD_REGISTRY_SECRET: 's'},
      {pullSecret: {kind: 'named', name: 's', by: 'KUBECTL_BUILD_REGISTRY_SECRET'}},
    ],
    [
      'an empty one',
      [],
      {KUBECTL_BUILD_REGISTRY_SECRET: ''},
      {pullSecret: {kind: 'none', by: 'KUBECTL_BUILD_REGISTRY_SECRET'}},
    ],
    ['none', [], {}, {pullSecret: {kind: 'default', name: 'docker-registry'}}],
    [
      '--registry-secret before it',
      ['--registry-secret=f'],
      {KUBECTL_BUILD_REGISTRY_SECRET: 's'},
      {pullSecret: {kind: 'named', name: 'f', by: '--registry-secret'}},
    ],
    [
      'an empty --registry-secret before it',
      ['--registry-secret='],
      {KUBECTL_BUILD_REGISTRY_SECRET: 's'},
      {pullSecret: {kind: 'none', by: '--registry-secret'}},
    ],
    ['--timeout', ['--timeout=10m'], {}, {timeout: 600_000}],
    [
      'the flags of a builder',
      ['--builder-policy=check', '--builder-timeout=90', '--builder-image=b:1', '--builder-replicas=nodes'],
      {},
      {
        builderOptions: {
          policy: 'check',
          timeout: 90_000,
          image: 'b:1',
          replicas: 'nodes',
          allowNetworkHost: false,
        },
      },
    ],
    ['EXPECTED_REF', [], {EXPECTED_REF: 'web:tilt-1'}, {expectedRef: 'web:tilt-1'}],
    ['an empty EXPECTED_REF', [], {EXPECTED_REF: ''}, {expectedRef: undefined}],
  ] as const) {
    it(`goes by ${what}`, async () => {
      const read: object = await request([...argv, '.'], env);
      const found = Object.entries(read).filter(([key]) => key in wanted);
      expect(Object.fromEntries(found)).to.deep.equal(wanted);
    });
  }

  for (const [argv, wanted] of [
    [['--network=host'], true],
    // kubectl build asks for the entitlement with this as well.
    [['--network=none'], true],
    [['--allow=network.host'], true],
    [['--allow=security.insecure,network.host'], true],
    [['--allow=security.insecure', '--allow=network.host'], true],
    [['--network=default'], false],
    [['--network=host', '--network=default'], false],
    [['--allow=security.insecure'], false],
    [['--build-arg=network=host'], false],
  ] as const) {
    it(`${wanted ? 'wants' : 'does without'} the host's network for ${argv.join(' ')}`, async () => {
      expect((await request([...argv, '.'])).builderOptions.allowNetworkHost).to.equal(wanted);
    });
  }

  it('keeps what comes after -- for kubectl build', async () => {
    const {passthrough, context} = await request(['.', '--', '--new-flag=1', '-x', 'a b', '']);
    expect({passthrough, context}).to.deep.equal({
      passthrough: ['--new-flag=1', '-x', 'a b', ''],
      context: '.',
    });
  });

  for (const word of [
    ...[
      '--tag=a',
      '-t',
      '-ta',
      '-o',
      '-oout',
      '--output',
      '--push',
      '--iidfile=x',
      '--platform',
      '-q',
      '--quiet',
    ],
    ...['--registry-secret', '--kubeconfig', '--context=x', '-n', '--namespace=x', '--token=x', '--token'],
    // These decide which cluster and builder the checks are about, too; --progress, whether there is a digest.
    ...['--file=x', '-f', '--builder=x', '--server=x', '-s', '--cluster=x', '--progress=tty'],
  ]) {
    it(`refuses ${word} after --`, async () => {
      const error = await refusal(['.', '--', '--other', word]);
      expect(error.code).to.equal('usage');
      expect(error.message).to.include('has to stand before --').and.not.include('=x');
    });
  }

  for (const [argv, message] of [
    [[], 'build context is missing'],
    [[''], 'build context is missing'],
    [['--'], 'build context is missing'],
    [['-t', 'localhost/a:1'], 'build context is missing'],
    [['.', 'b'], 'one build context, and 2 arguments are not flags: . b'],
    [['--push', 'false', '-t', 'localhost/a:1', '.'], 'one build context'],
    [['--no-such-flag', '.'], 'There is no flag --no-such-flag.'],
    [['.', '--tag'], '--tag needs a value'],
    [['--push=maybe', '.'], '--push is either on or off'],
    [['--print=yaml', '.'], '--print'],
    [['--print=-x', '.'], '-x'],
    [['--progress=rawjson', '.'], '--progress'],
    [['--compression=br', '.'], '--compression'],
    [['--request-timeout=soon', '.'], '--request-timeout "soon"'],
    [['--timeout=soon', '.'], '--timeout "soon"'],
    [['--builder-timeout=-1s', '.'], '--builder-timeout "-1s"'],
    [['--builder-policy=mend', '.'], '--builder-policy'],
    [['--builder-replicas=0', '.'], '"0"'],
    [['--builder-replicas=all', '.'], '"all"'],
    [['-o', 'a', '-o', 'b', '.'], 'one --output'],
    [['--compression=zstd', '--push', '-t', 'localhost/a:1', '.'], '--compression is for images that stay'],
    [['--compression=zstd', '-o', 'out', '.'], '--compression is for images that stay'],
    [['--print=ref', '.'], 'neither --tag nor --image was given'],
    [['--image=a', '-o', 'out', '.'], '--image and --output do not go together'],
    [['--ref-file=r', '.'], '--ref-file is for the tag of an --image'],
    [['--tag-prefix=v', '.'], '--tag-prefix is for the tag of an --image'],
    [['--tag-length=9', '.'], '--tag-length is for the tag of an --image'],
    [['--image=a', '--tag-length=x', '.'], '--tag-length "x"'],
    [['--file=f', '--file-env=V', '.'], '--file and --file-env both name a Dockerfile'],
    [['--push', '.'], '--push needs a --tag'],
    [['--iidfile=i', '-o', 'out', '.'], 'no digest for --iidfile'],
    [['--iidfile=i', '-o', 'type=tar,dest=x', '.'], 'no digest for --iidfile'],
  ] as const) {
    it(`refuses ${argv.join(' ') || 'an empty command line'}`, async () => {
      const error = await refusal(argv);
      expect(error.code).to.equal('usage');
      expect(error.message).to.include(message).and.not.include('\0');
    });
  }

  for (const tag of ['UPPER:x', 'a:b:c', '', `localhost/a@sha256:${'0'.repeat(64)}`]) {
    it(`refuses the tag "${tag}"`, async () => {
      expect((await refusal(['-t', tag, '.'])).code).to.equal('invalid-reference');
    });
  }

  for (const [flag, reason] of Object.entries(REFUSED_FLAGS)) {
    it(`refuses docker's ${flag} with the reason`, async () => {
      const error = await refusal([flag, '1', '.']);
      expect([error.code, error.message]).to.deep.equal(['usage', `${flag} ${reason}`]);
    });
  }

  for (const argv of [['--help'], ['-h'], ['-h', '.'], ['-t', 'UPPER', '--help'], ['-vh', 'a', 'b']]) {
    it(`shows the help for ${argv.join(' ')}`, async () => {
      const help = await text(argv);
      expect(help)
        .to.include('$ kubectl tiltbuild [flags] PATH')
        .and.match(/[^\n]\n$/);
      for (const [name, flag] of Object.entries(flags)) {
        const shown = new RegExp(`^ +${flag.char ? `-${flag.char}, ` : ''}--${name}(?=[\\s=])`, 'm');
        expect(shown.test(help), name).to.equal(true);
      }
      for (const [codes] of EXIT_CODE_TABLE) expect(help).to.match(new RegExp(`^ +${codes} +\\w`, 'm'));
    });
  }

  it('shows the version', async () => {
    expect(await readCommandLine(['--version'], makeSurroundings())).to.deep.equal({kind: 'version'});
  });

  for (const argv of [
    ['--build-arg', '-h', '.'],
    ['--build-arg', '--help', '.'],
    ['--label=--version', '.'],
    ['-f', '-h', '.'],
  ]) {
    it(`takes no value for a wish for help: ${argv.join(' ')}`, async () => {
      expect((await request(argv)).context).to.equal('.');
    });
  }

  it('shows no help for what is meant for kubectl build', async () => {
    expect((await request(['.', '--', '--help'])).passthrough).to.deep.equal(['--help']);
  });
});
