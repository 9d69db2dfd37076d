/** Covers the functions of the extension that build two images, the second on the first. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {StarlarkError} from '../helpers/starlark/to-python.ts';
import {EXTENSION, runTiltfile, type TiltOptions} from '../helpers/tilt.ts';
import {CHILD_CASES, writeTiltFiles} from '../helpers/tilt-cases.ts';

const NAMES = ['kubectl_build_with_restart', 'kubectl_build_sub', 'kubectl_build_enable'];

describe('the extension kubectl_build, with an image on another', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tiltfile-'));
    writeTiltFiles(directory);
  });
  after(() => rmSync(directory, {recursive: true}));

  const load = (lines: string, platform: TiltOptions['platform'] = 'posix') =>
    runTiltfile(`load('${EXTENSION}', ${NAMES.map((name) => `'${name}'`).join(', ')})\n${lines}\n`, {
      directory,
      platform,
      env: {HOME: '/home/me', LOCALAPPDATA: 'C:\\Users\\me\\AppData\\Local'},
    });

  for (const platform of ['posix', 'nt'] as const) {
    for (const {what, call, builds} of CHILD_CASES) {
      it(`makes two commands of ${what}, on ${platform}`, () => {
        const {customBuilds} = load(call, platform);
        expect(customBuilds).to.have.length(2);
        for (const [index, {ref, image, command, deps, env, dockerfile, ...others}] of builds.entries()) {
          const made = customBuilds[index] as Record<string, unknown>;
          const file = made.outputs_image_ref_to;
          const {KUBECTL_TILTBUILD_INPUTS: _, ...given} = made.env as Record<string, string>;
          const place = (word: string) => word.replace('EXTENSION', directory);
          expect({...made, env: given}).to.deep.equal({
            ref,
            command: [
              'kubectl-tiltbuild',
              '--context',
              'kind-demo',
              '--image',
              image,
              '--ref-file',
              file,
            ].concat(command.map(place)),
            deps: deps.map((path) => (platform === 'nt' ? path.replaceAll('/', '\\') : path)).map(place),
            env: {...env, ...(dockerfile && {KUBECTL_TILTBUILD_DOCKERFILE: dockerfile})},
            ignore: [],
            live_update: [],
            match_in_env_vars: false,
            entrypoint: [],
            disable_push: true,
            skips_local_docker: true,
            outputs_image_ref_to: file,
            ...others,
          });
        }
        expect(customBuilds[0]?.outputs_image_ref_to).not.to.equal(customBuilds[1]?.outputs_image_ref_to);
      });
    }
  }

  it('builds both with docker_build where kubectl_build is switched off', () => {
    const {customBuilds, dockerBuilds} = load(
      "kubectl_build_enable(False)\nkubectl_build_sub('a', '.', ['RUN true'], image_deps=['b'], engine='builtin')",
    );
    expect(customBuilds).to.deep.equal([]);
    expect(dockerBuilds).to.deep.equal([
      {ref: 'a-tilt_sub_base', context: '.'},
      {
        ref: 'a',
        context: '.',
        // docker_build finds the first image by the default.
        dockerfile_contents: 'ARG TILT_IMAGE_0=a-tilt_sub_base\nFROM $TILT_IMAGE_0\nRUN true\n',
      },
    ]);
  });

  it('takes instructions in a tuple, and none in a text', () => {
    const {customBuilds} = load("kubectl_build_sub('a', '.', ('RUN a', 'RUN b'))");
    expect(customBuilds[1]?.env)
      .to.have.property('KUBECTL_TILTBUILD_DOCKERFILE')
      .that.includes('\nRUN a\nRUN b\n');
    expect(() => load("kubectl_build_sub('a', '.', 'RUN a')")).to.throw(
      StarlarkError,
      'a list of instructions',
    );
  });

  for (const [what, given, words] of [
    ['no step', "'/app', []", 'at least one step'],
    ['a step that restarts the container', "'/app', [restart_container()]", 'remove restart_container()'],
    ['an entrypoint that is none', "None, [sync('.', '/app')]", 'entrypoint must be a string or a list'],
    ['an empty entrypoint', "[], [sync('.', '/app')]", 'entrypoint must be a string or a list'],
    ['an unknown policy', "'/app', [sync('.', '/app')], exit_policy='stop'", 'restart or continue'],
    [
      'a file that a shell would split',
      "'/app', [sync('.', '/app')], restart_file='/a b'",
      'plain absolute path',
    ],
    ['a relative file', "'/app', [sync('.', '/app')], restart_file='a'", 'plain absolute path'],
  ] as const) {
    it(`fails as Tilt loads, for ${what}`, () =>
      expect(() => load(`kubectl_build_with_restart('a', '.', ${given})`)).to.throw(StarlarkError, words));
  }
});
