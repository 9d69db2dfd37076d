/** Covers the extension kubectl_build: what each call makes of Tilt's builtins, and what is refused as Tilt loads. */
import {mkdirSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, win32} from 'node:path';
import {expect} from 'chai';
import {StarlarkError} from '../helpers/starlark/to-python.ts';
import {EXTENSION, runTiltfile, type TiltOptions} from '../helpers/tilt.ts';
import {BUILTIN_TILT_CASES, TILT_CASES, writeTiltFiles} from '../helpers/tilt-cases.ts';

const NAMES = [
  'kubectl_build',
  'image_build',
  'kubectl_build_enable',
  'kubectl_build_registry_secret',
  'to_bool',
];
const PROGRAM = ['kubectl-tiltbuild', '--context', 'kind-demo'];
const HOME = {HOME: '/home/me', LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local'};

describe('the extension kubectl_build', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tiltfile-'));
    writeTiltFiles(directory);
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  const load = (lines: string, options: Partial<TiltOptions> = {}) =>
    runTiltfile(`load('${EXTENSION}', ${NAMES.map((name) => `'${name}'`).join(', ')})\n${lines}\n`, {
      directory,
      env: {...HOME},
      ...options,
    });
  const build = (call: string, options: Partial<TiltOptions> = {}) => {
    const run = load(`kubectl_build(${call})`, options);
    expect(run.customBuilds).to.have.length(1);
    return {...run, build: run.customBuilds[0] as Record<string, unknown>};
  };
  const refFile = (call = "'localhost/web', '.'", options: Partial<TiltOptions> = {}) =>
    String(build(call, options).build.outputs_image_ref_to);
  const failure = (lines: string): string => {
    try {
      load(lines);
    } catch (error) {
      if (error instanceof StarlarkError) return error.message;
      throw error;
    }
    throw new RangeError('Tilt would have loaded it');
  };

  for (const platform of ['posix', 'nt'] as const) {
    for (const {what, call, before, command, deps, others, image} of [...TILT_CASES, ...BUILTIN_TILT_CASES]) {
      it(`makes a command of ${what}, on ${platform}`, () => {
        const {customBuilds} = load(`${before}\nkubectl_build(${call})`, {platform});
        expect(customBuilds).to.have.length(1);
        const {env, ...made} = customBuilds[0] as Record<string, unknown>;
        const file = made.outputs_image_ref_to;
        const onPlatform = (path: string) => (platform === 'nt' ? path.replaceAll('/', '\\') : path);
        expect(made).to.deep.equal({
          ref: (/^'([^']*)'/.exec(call) as RegExpExecArray)[1],
          command: [...PROGRAM, '--image', image, '--ref-file', file, ...command],
          // What is joined is joined as the system does it.
          deps: deps
            .map((path) => (call.includes(path) ? path : onPlatform(path)))
            .map((path) =>
              path.endsWith('.dockerignore') && call.includes('deploy/') ? path.replaceAll('\\', '/') : path,
            ),
          ignore: [],
          live_update: [],
          match_in_env_vars: false,
          entrypoint: [],
          disable_push: true,
          skips_local_docker: true,
          outputs_image_ref_to: file,
          ...without(others, 'env'),
        });
        expect(env).to.deep.include(others.env ?? {});
        expect(Object.keys(env as object).sort()).to.deep.equal(
          [...Object.keys(others.env ?? {}), 'KUBECTL_TILTBUILD_INPUTS'].sort(),
        );
      });
    }
  }

  it('builds anew when the Dockerfile or an ignore file changes, comes or goes, and only then', () => {
    const inputs = () =>
      (build("'localhost/web', '.', only='index.html'").build.env as Record<string, string>)
        .KUBECTL_TILTBUILD_INPUTS;
    const seen = new Set<unknown>();
    const expectChange = () => {
      const now = inputs();
      expect(now).to.match(/^[0-9a-f]+-[0-9a-f]+$/);
      expect(seen.has(now)).to.equal(false);
      seen.add(now);
      expect(inputs()).to.equal(now);
    };
    expectChange();
    writeFileSync(join(directory, 'Dockerfile'), 'FROM other\n');
    expectChange();
    writeFileSync(join(directory, '.dockerignore'), 'a\n');
    expectChange();
    writeFileSync(join(directory, 'Dockerfile.dockerignore'), 'b\n');
    expectChange();
    unlinkSync(join(directory, '.dockerignore'));
    expectChange();
  });

  it('has Tilt load the Tiltfile again for each of them, the ones that are not there as well', () => {
    expect(build("'localhost/web', '.'").filesRead).to.deep.equal(
      ['Dockerfile', 'Dockerfile.dockerignore', '.dockerignore'].map((name) => join(directory, name)),
    );
  });

  it('says where Tilt watches by another ignore file than the build', () => {
    writeFileSync(join(directory, 'Dockerfile.dockerignore'), '');
    expect(build("'localhost/web', '.'").warnings).to.deep.equal([]);
    writeFileSync(join(directory, '.dockerignore'), '');
    const {warnings, build: made} = build("'localhost/web', '.'");
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain('Dockerfile.dockerignore').and.contain(' .dockerignore excludes');
    expect(made.deps).to.deep.equal(['.', 'Dockerfile', 'Dockerfile.dockerignore']);
  });

  describe('puts the reference file', () => {
    it("into the user's cache, outside the sources", () => {
      expect(refFile()).to.match(
        /^\/home\/me\/\.cache\/kubectl-tiltbuild\/tilt-10350\/localhost_web-[0-9a-f]+-[0-9a-f]+$/,
      );
      expect(refFile(undefined, {env: {XDG_CACHE_HOME: '/var/cache/me', HOME: '/x'}})).to.match(
        /^\/var\/cache\/me\/kubectl-tiltbuild\//,
      );
      expect(refFile(undefined, {env: {}})).to.match(/^\/tmp\/\.cache\//);
      const onWindows = refFile(undefined, {platform: 'nt'});
      expect(win32.dirname(onWindows)).to.equal(
        'C:\\Users\\me\\AppData\\Local\\kubectl-tiltbuild\\tilt-10350',
      );
      expect(win32.basename(onWindows)).to.match(/^localhost_web-[0-9a-f]+-[0-9a-f]+$/);
    });

    it('where the same call puts it again', () => expect(refFile()).to.equal(refFile()));

    it('in another place for another image, another Tiltfile and another Tilt', () => {
      const other = mkdtempSync(join(tmpdir(), 'tiltfile-'));
      writeFileSync(join(other, 'Dockerfile'), '');
      const all = [
        refFile(),
        refFile("'localhost/web2', '.'"),
        // These two have the same readable part.
        refFile("'localhost/a_b', '.'"),
        refFile("'localhost/a/b', '.'"),
        refFile(undefined, {directory: other}),
        refFile(undefined, {port: '10351'}),
        refFile(undefined, {port: ''}),
      ];
      rmSync(other, {recursive: true});
      expect(new Set(all).size).to.equal(all.length);
      expect(all.at(-1)).to.contain('/tilt-default/');
      expect(refFile(undefined, {port: '', platform: 'nt'})).to.contain('\\tilt-default\\');
    });

    it('under a name of reasonable length', () => {
      expect(
        refFile(`'localhost/${'a/'.repeat(90)}b', '.'`)
          .split('/')
          .at(-1)?.length,
      ).to.be.below(90);
    });
  });

  for (const [there, call, words] of [
    ['Containerfile', "'a', '.'", 'Pass dockerfile="Containerfile"'],
    ['api/web.dockerfile', "'a', 'api'", 'Pass dockerfile="api/web.dockerfile"'],
    [
      'api/Dockerfile.dev',
      "'a', '.', dockerfile='api/Dockerfile.de'",
      'Pass dockerfile="api/Dockerfile.dev"',
    ],
    ['Dockerfile.dockerignore', "'a', '.'", 'no such file or directory'],
    ['Dockerfiles', "'a', '.'", 'no such file or directory'],
  ] as const) {
    it(`says that ${there} is there, if that can be the Dockerfile that kubectl_build(${call}) lacks`, () => {
      rmSync(join(directory, 'Dockerfile'));
      rmSync(join(directory, 'api'), {recursive: true});
      mkdirSync(join(directory, 'api'));
      writeFileSync(join(directory, there), 'FROM scratch\n');
      expect(failure(`kubectl_build(${call})`)).to.contain(words);
    });
  }

  describe('fails as Tilt loads, for', () => {
    for (const [what, given, words] of [
      [
        'two Dockerfiles',
        "'a', '.', dockerfile='Dockerfile', dockerfile_contents='FROM x'",
        'cannot be used together',
      ],
      ['a glob in only', "'a', '.', only=['src', 'lib/*.go']", 'lib/*.go'],
      ['a line break in a pattern', "'a', '.', ignore='a\\nb'", 'contains a line break'],
      ['patterns that are none', "'a', '.', ignore=[1]", 'ignore must be a string or a list of strings'],
      ['a name with upper case', "'gcr.io/Me/App', '.'", 'lower case'],
      ['a name with a space', "'my app', '.'", 'contains " "'],
      ['a name with an empty part', "'localhost//app', '.'", 'a part is empty'],
      ['a name that ends in a separator', "'localhost/app-', '.'", 'begins or ends with a separator'],
      ['no name', "'', '.'", 'ref must be the name of an image'],
      ['an extra tag that is none', "'a', '.', extra_tag='a b'", 'extra_tag'],
      ['a secret without id', "'a', '.', secret='src=f'", 'no id='],
      ['a secret with an unknown key', "'a', '.', secret='id=a,file=f'", 'unknown key file'],
      ['a secret that is a bare word', "'a', '.', secret='hunter2'", 'not key=value'],
      ['a context that is none', "'a', '-'", 'path of a directory'],
      ['no context', "'a'", 'kubectl_build() takes 2 positional arguments'],
      ['a context that is not there', "'a', 'nowhere'", 'no such file or directory'],
      ['a build argument that is no string', "'a', '.', build_args={'N': 1}", 'build argument N'],
      ['build arguments that are no dict', "'a', '.', build_args=['T=hunter2']", 'build_args must be a dict'],
      ['labels that are no dict', "'a', '.', labels=['a=b']", 'labels must be a dict'],
      ['images that are no texts', "'a', '.', image_deps=[1]", 'image_deps must be a string or a list'],
      ['contents that are no text', "'a', '.', dockerfile_contents=1", 'string or a blob'],
      ['build contexts that are no dict', "'a', '.', build_contexts=['api']", 'must be a dict'],
      ['a build context that is no string', "'a', '.', build_contexts={'api': None}", 'build context api'],
      ['an argument that is unknown', "'a', '.', cache='x'", "argument 'cache'"],
    ] as const) {
      it(what, () => {
        const message = failure(`kubectl_build(${given})`);
        expect(message).to.contain(words);
        expect(message).to.not.contain('hunter2');
      });
    }
    it('a switch that is neither on nor off', () =>
      expect(failure("kubectl_build_enable('perhaps')")).to.contain('neither on nor off'));
  });

  describe('is docker_build again', () => {
    const ALL =
      "'localhost/web', '.', build_args={'A': ''}, dockerfile='api/Dockerfile', live_update=[sync('.', '/app')], match_in_env_vars=True, " +
      "ignore=['a'], only=['b'], entrypoint='e', container_args=['c'], target='t', ssh='default', secret='id=a,env=A', " +
      "network='host', extra_tag='x:1', cache_from=['d'], pull=True, platform='linux/arm64', extra_hosts='h:1.1.1.1', " +
      "labels={'l': 'm'}, no_cache=True, cache_to='e', push=True, namespace='n', builder='b', registry_secret='s', " +
      "engine='builtin', build_contexts={'api': 'api'}, shm_size='64m', ulimit='nofile=1024', keep_images=0, spread='none', allow_k3d=True";
    const expected = {
      ref: 'localhost/web',
      context: '.',
      build_args: {A: ''},
      dockerfile: 'api/Dockerfile',
      live_update: [{local_path: '.', remote_path: '/app'}],
      match_in_env_vars: true,
      ignore: ['a'],
      only: ['b'],
      entrypoint: 'e',
      container_args: ['c'],
      target: 't',
      ssh: 'default',
      secret: 'id=a,env=A',
      network: 'host',
      extra_tag: 'x:1',
      cache_from: ['d'],
      pull: true,
      platform: 'linux/arm64',
      extra_hosts: 'h:1.1.1.1',
    };

    for (const [how, before, env] of [
      ['switched off in the Tiltfile', 'kubectl_build_enable(False)', {}],
      ['switched off by a word', "kubectl_build_enable(' No ')", {}],
      ['switched off in the environment', '', {KUBECTL_BUILD_ENABLE: 'off'}],
    ] as const) {
      it(how, () => {
        const run = load(`${before}\nkubectl_build(${ALL})`, {env: {...HOME, ...env}});
        expect(run.customBuilds).to.deep.equal([]);
        expect(run.dockerBuilds).to.deep.equal([expected]);
      });
    }

    it('with nothing that was not given', () => {
      const run = load(
        "kubectl_build_enable('0')\nimage_build('a', '.')\nkubectl_build('b', '.', dockerfile_contents=blob('FROM x'))",
      );
      expect(run.dockerBuilds).to.deep.equal([
        {ref: 'a', context: '.'},
        {ref: 'b', context: '.', dockerfile_contents: 'FROM x'},
      ]);
    });

    it('until it is switched on', () => {
      const run = load("kubectl_build_enable(False)\nkubectl_build_enable(True)\nimage_build('a', '.')");
      expect(run.customBuilds).to.have.length(1);
    });
  });

  it('tells its switches', () => {
    const run = load(
      [
        'k8s_yaml([kubectl_build_enable(), kubectl_build_registry_secret()])',
        "kubectl_build_registry_secret('other')",
        "k8s_yaml([kubectl_build_enable(), kubectl_build_registry_secret(), to_bool('yes')])",
      ].join('\n'),
    );
    expect(run.others).to.deep.equal([
      ['k8s_yaml', {yaml: [true, 'docker-registry']}],
      ['k8s_yaml', {yaml: [true, 'other', true]}],
    ]);
    expect(run.env).to.include({KUBECTL_BUILD_REGISTRY_SECRET: 'other'});
  });

  it('takes the arguments of the extension that it replaces in their order', () => {
    const positional =
      "'localhost/web', '.', {'A': '1'}, 'Dockerfile', None, [], True, ['x'], [], 't', None, None, None, [], True, 's'";
    const {command, env} = build(positional).build;
    expect(command).to.deep.include.members(['A', 't', '--pull', 's']);
    expect(env).to.include({KUBECTL_TILTBUILD_BUILD_ARG_A: '1'});
  });
});

describe('the example', () => {
  it('loads, and builds three images, one of them on another', () => {
    const directory = join(dirname(EXTENSION), '..', 'example');
    const source = readFileSync(join(directory, 'Tiltfile'), 'utf8');
    const runProgram = (args: readonly string[]) =>
      args.join(' ') === '--find-base-image localhost/example-base web' ? 'localhost/example-base\n' : '';
    const run = runTiltfile(source, {directory, env: {...HOME}, runProgram});
    expect(run.customBuilds.map(({ref}) => ref)).to.deep.equal([
      'localhost/example-base',
      'localhost/example-web',
      'localhost/example-worker',
    ]);
    const [, web, worker] = run.customBuilds;
    expect(web).to.deep.include({image_deps: ['localhost/example-base']});
    expect(web?.live_update).to.deep.equal([{local_path: 'web/site', remote_path: '/www'}]);
    expect(worker?.command).to.include.members(['--only', 'src', '--secret', 'id=greeting,env=GREETING']);
    expect(run.env.GREETING).to.equal('hello from a secret');
    expect(run.others.map(([name]) => name)).to.deep.equal(['sync', 'k8s_yaml', 'k8s_resource']);
  });
});

function without(object: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const {[key]: _, ...rest} = object;
  return rest;
}
