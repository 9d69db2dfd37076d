/** Each command that the Tilt extension makes, run as Tilt runs it: without a shell, in the Tiltfile's directory. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import type {BuildkitStandIn} from '../helpers/buildkit-stand-in.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {EXTENSION, runTiltfile, type TiltOptions, type TiltRun} from '../helpers/tilt.ts';
import {
  BUILTIN_TILT_CASES,
  CHILD_CASES,
  TILT_CASES,
  TILT_FILES,
  writeTiltFiles,
} from '../helpers/tilt-cases.ts';
import {DIGEST, describeCommand, KIND_NAMES} from '../helpers/world.ts';

const NAMES = [
  'kubectl_build',
  'kubectl_build_registry_secret',
  'kubectl_build_with_restart',
  'kubectl_build_sub',
]
  .map((name) => `'${name}'`)
  .join(', ');

describeCommand("the Tilt extension's command", (world) => {
  let buildkit: BuildkitStandIn;
  beforeEach(() => {
    buildkit = serveBuildkit(world);
    // For the calls with all arguments.
    buildkit.entitlements = ['network.host'];
    writeTiltFiles(world.sandbox.work);
  });

  const load = (lines: string, runProgram?: TiltOptions['runProgram']): TiltRun =>
    runTiltfile(`load('${EXTENSION}', ${NAMES})\n${lines}\n`, {
      directory: world.sandbox.work,
      env: {...world.sandbox.env},
      context: KIND_NAMES.context,
      ...(runProgram && {runProgram}),
    });
  /** As Tilt does it: the reference file goes first, and the environment is Tilt's own, the call's, and Tilt's again. */
  const runBuild = async (
    {customBuilds, env}: Pick<TiltRun, 'customBuilds' | 'env'>,
    extra: Readonly<Record<string, string>> = {},
  ) => {
    const {command, outputs_image_ref_to, ...build} = customBuilds[0] as {
      readonly command: readonly string[];
      readonly outputs_image_ref_to: string;
      readonly env: Readonly<Record<string, string>>;
    };
    expect(command[0]).to.equal('kubectl-tiltbuild');
    const ended = await world.tiltbuild(command.slice(1), {env: {...env, ...build.env, ...extra}});
    const reference = existsSync(outputs_image_ref_to)
      ? readFileSync(outputs_image_ref_to, 'utf8')
      : undefined;
    return {ended, reference};
  };

  for (const {what, call, before, image, delegated, ...seen} of [...TILT_CASES, ...BUILTIN_TILT_CASES]) {
    it(`builds with ${what}`, async () => {
      const {ended, reference} = await runBuild(load(`${before}\nkubectl_build(${call})`));
      expect(ended, ended.stderr).to.include({exitCode: 0});
      const digest = ended.stdout.trim();
      expect(digest).to.match(/^sha256:[0-9a-f]{64}$/);
      expect(reference).to.equal(`${image}:tilt-${digest.slice(7, 23)}`);

      const runs = world.sandbox.invocations();
      const place = (word: string) => word.replace('DIRECTORY/', join(world.sandbox.work, '/'));
      for (const words of runs.length > 0 ? delegated.map((one) => one.map(place)) : []) {
        const {argv} = runs[0] as {readonly argv: readonly string[]};
        const at = argv.findIndex((_, index) => words.every((word, offset) => argv[index + offset] === word));
        expect(at, `${words.join(' ')} in ${argv.join(' ')}`).to.be.at.least(0);
      }
      const read = [
        ...runs.map((run) => run.dockerfile?.content),
        ...buildkit.solves.map((one) => one.dockerfile),
      ];
      const {dockerfile = TILT_FILES.Dockerfile} = seen;
      expect(read).to.deep.equal([dockerfile, dockerfile]);
    });
  }

  const CHILDREN = CHILD_CASES.flatMap((row) =>
    (row.call.includes('engine=') ? (['builtin'] as const) : (['builtin', 'kubectl-build'] as const)).map(
      (engine) => ({...row, engine}),
    ),
  );
  for (const {what, call, builds, engine} of CHILDREN) {
    it(`builds with ${what}, the second image on the first, with ${engine}`, async () => {
      // There is no such key.
      const plain = call.replace("ssh='id=key.pem', ", '');
      const {customBuilds, env} = load(
        `os.environ['TOKEN'] = 's3cret'\nos.environ['KUBECTL_TILTBUILD_ENGINE'] = '${engine}'\n${plain}`,
      );
      const first = await runBuild({customBuilds, env});
      expect(first.ended, first.ended.stderr).to.include({exitCode: 0});
      buildkit.solves.length = 0;
      const second = await runBuild(
        {customBuilds: customBuilds.slice(1), env},
        {TILT_IMAGE_0: String(first.reference)},
      );
      expect(second.ended, second.ended.stderr).to.include({exitCode: 0});
      expect(second.reference).to.match(new RegExp(`^${builds[1]?.image}:tilt-[0-9a-f]{16}$`));
      const [solve, run] = [buildkit.solves[0], world.sandbox.invocations().at(-1)];
      const base = solve?.attributes.get('build-arg:TILT_IMAGE_0') ?? run?.env.TILT_IMAGE_0;
      expect(base).to.equal(first.reference);
      expect(solve?.dockerfile ?? run?.dockerfile?.content).to.equal(builds[1]?.dockerfile);
    });
  }

  it('gives the same reference for the same content, and none after a failure', async () => {
    const tilt = load("kubectl_build('localhost/web', '.')");
    const {reference} = await runBuild(tilt);
    expect(reference).to.equal(`localhost/web:tilt-${DIGEST.slice(7, 23)}`);
    expect((await runBuild(tilt)).reference).to.equal(reference);
    world.sandbox.setDelegate('run-fails');
    const failed = await runBuild(tilt);
    expect(failed.ended.exitCode).to.equal(1);
    expect(failed.reference).to.equal(undefined);
  });

  it('pushes to the registry of the Tiltfile under the name that Tilt looks for there', async () => {
    const {reference} = await runBuild(load("kubectl_build('ghcr.io/me/web', '.', push=True)"), {
      EXPECTED_REGISTRY: 'localhost:5000',
    });
    expect(reference).to.equal(`localhost:5000/ghcr.io_me_web:tilt-${DIGEST.slice(7, 23)}`);
  });

  it('hands build arguments to the builtin engine, and none to the log of Tilt', async () => {
    const tilt = load(
      "kubectl_build('localhost/web', '.', engine='builtin', build_args={'A': 'x=1\\n2', 'E': ''})",
    );
    expect(JSON.stringify(tilt.customBuilds[0]?.command)).not.to.contain('x=1');
    await runBuild(tilt, {E: 'of the environment'});
    for (const [name, value] of [
      ['A', 'x=1\n2'],
      ['E', 'of the environment'],
    ] as const)
      expect(buildkit.solves[0]?.attributes.get(`build-arg:${name}`)).to.equal(value);
  });

  for (const engine of ['kubectl-build', 'builtin'] as const) {
    it(`builds on an image of an earlier call that the Dockerfile names, with ${engine}`, async () => {
      writeFileSync(join(world.sandbox.work, 'api/Dockerfile'), 'ARG NAME\nFROM localhost/$NAME\n');
      const lines = `kubectl_build('localhost/base', '.')
kubectl_build('localhost/api', 'api', build_args={'NAME': 'base'}, engine='${engine}')`;
      // What the program says as Tilt loads the Tiltfile.
      let asked: Parameters<NonNullable<TiltOptions['runProgram']>> = [[], {}];
      load(lines, (...question) => {
        asked = question;
        return '';
      });
      const {exitCode, stdout} = await world.tiltbuild(asked[0], {env: {...asked[1]}});
      expect(exitCode).to.equal(0);

      const {customBuilds, env} = load(lines, () => stdout);
      expect(customBuilds[1]?.image_deps).to.deep.equal(['localhost/base']);
      const built = {customBuilds: customBuilds.slice(1), env};
      const {ended} = await runBuild(built, {TILT_IMAGE_0: 'localhost/base:tilt-1'});
      expect(ended, ended.stderr).to.include({exitCode: 0});
      const [run] = world.sandbox.invocations();
      const read = engine === 'builtin' ? buildkit.solves[0]?.dockerfile : run?.dockerfile?.content;
      expect(read).to.equal('ARG NAME\nFROM localhost/base:tilt-1\n');
    });
  }

  it('hands the reference of an image that it is built on to the build', async () => {
    const tilt = load("kubectl_build('localhost/web', '.', image_deps=['localhost/base'])");
    await runBuild(tilt, {TILT_IMAGE_0: 'localhost/base:tilt-1'});
    const [run] = world.sandbox.invocations();
    // The value is the delegate's to read.
    expect(run?.argv).to.include('TILT_IMAGE_0');
    expect(run?.env).to.include({TILT_IMAGE_0: 'localhost/base:tilt-1'});
  });
});
