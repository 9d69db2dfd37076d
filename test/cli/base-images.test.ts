/** Base images that are built as well: what the engines get of a Dockerfile that names one. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect} from 'chai';
import {describeEngines} from '../helpers/engines.ts';
import {describeCommand, expectBuilt, expectRefused} from '../helpers/world.ts';

const TAG = ['-t', 'localhost/web:dev'];
const ENV = {BASE: 'localhost/base:tilt-1', TOOLS: 'tools:tilt-2'};
const IMAGES = ['--base-image', 'localhost/base=BASE', '--base-image', 'tools=TOOLS'];
const write = (base: string, tools: string) =>
  `ARG R=host\r\nFROM ${base} AS base\r\nFROM base\r\nCOPY --from=${tools} /t /\r\n`;
const NAMING = write('$R/base:dev', 'docker.io/library/tools');
const NAMED = write(ENV.BASE, ENV.TOOLS);

describeEngines('base images', (under) => {
  const {engine, world} = under;
  const put = (path: string, text: string) => {
    const whole = join(world.sandbox.work, path);
    mkdirSync(dirname(whole), {recursive: true});
    writeFileSync(whole, text);
  };
  const build = async (...args: readonly string[]) =>
    expectBuilt(
      await under.tiltbuild([...TAG, '--engine', engine, '--build-arg', 'R=localhost', ...IMAGES, ...args], {
        env: {...ENV, NAMING},
      }),
    );
  const seen = () =>
    engine === 'builtin' ? under.buildkit.solves[0]?.dockerfile : world.delegated().dockerfile?.content;

  for (const [where, args] of [
    ['in the context', ['.']],
    ['in a directory of it', ['-f', 'deploy/Web.Dockerfile', '.']],
    ['outside of it', ['-f', 'deploy/Web.Dockerfile', 'src']],
    ['that is ignored', ['--ignore', 'Dockerfile', '.']],
    ['in the environment', ['--file-env', 'NAMING', '.']],
  ] as const) {
    it(`take the place of the names in a Dockerfile ${where}`, async () => {
      for (const path of ['Dockerfile', 'deploy/Web.Dockerfile']) put(path, NAMING);
      put('src/a', '');
      await build(...args);
      expect(seen()).to.equal(NAMED);
    });
  }

  it('leave a Dockerfile without them as it is', async () => {
    put('Dockerfile', 'FROM alpine\n');
    await build('.');
    expect(seen()).to.equal('FROM alpine\n');
  });
});

describeCommand('base images of the command line', (world) => {
  const find = (...args: readonly string[]) =>
    world.tiltbuild([
      ...['localhost/base', 'tools:2', 'other'].flatMap((name) => ['--find-base-image', name]),
      ...args,
    ]);
  beforeEach(() => writeFileSync(join(world.sandbox.work, 'Dockerfile'), NAMING));

  it('are found without a cluster, and printed as they were given', async () => {
    const {exitCode, stdout, stderr} = await find('--build-arg', 'R=localhost', '.');
    expect({exitCode, stdout, stderr}).to.deep.equal({exitCode: 0, stdout: 'localhost/base\n', stderr: ''});
    expect(world.api.requests).to.deep.equal([]);
  });

  it('are none where another build context has the name', async () => {
    const {stdout} = await find('--build-arg', 'R=localhost', '--build-context', 'LOCALHOST/base:dev=x', '.');
    expect(stdout).to.equal('');
  });

  it('make the Dockerfile one that the plugin does not find, which auto leaves to the builtin engine', async () => {
    const {stdout} = await world.tiltbuild([...TAG, ...IMAGES, '--dry-run', '--print', 'json', '.'], {
      env: ENV,
    });
    expect(JSON.parse(stdout)).to.deep.include({engine: 'builtin'});
  });

  for (const [what, args, words] of [
    ['a variable that is not set', ['--base-image', 'a=NOT_THERE', '.'], 'NOT_THERE is not set'],
    ['an image without a variable', ['--base-image', 'a', '.'], 'is not NAME=VARIABLE'],
    ['a name that is none', ['--base-image', 'A B=HOME', '.'], 'not a valid image reference'],
    ['a remote context', ['--base-image', 'a=HOME', 'https://x.example/a.git'], 'needs a local directory'],
  ] as const) {
    it(`refuses ${what}`, async () =>
      expectRefused(world, await world.tiltbuild([...TAG, ...args]), 2, words));
  }
});
