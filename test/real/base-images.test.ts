/** Covers base images on a real BuildKit: those that a Dockerfile names, and the image that restarts a process. */
import {expect} from 'chai';
import {CHILD_CASES} from '../helpers/tilt-cases.ts';
import {describeRealBuild} from './real-build.ts';

describeRealBuild('base images on BuildKit', (real) => {
  const build = async (name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const ended = await real.build(name, [...args, '.'], {env});
    expect(ended.exitCode, ended.stderr).to.equal(0);
  };

  /** That of docker 20.10 does not. */
  const knowsHeredocs = () => real.version() >= 23;

  it('are the ones that were built, wherever a Dockerfile names them', async () => {
    for (const name of ['base', 'tools']) {
      real.write({Dockerfile: 'FROM scratch\nCOPY file /\n', file: name});
      await build(name, []);
    }
    const lines = [
      '# syntax is that of BuildKit itself',
      'ARG NAME=nothing',
      'from localhost/$NAME AS base',
      'FROM base',
      'COPY --from=localhost/tools:any \\',
      '  /file /tool',
      ...(knowsHeredocs() ? ['COPY <<E /text', 'FROM localhost/base', 'E'] : []),
    ];
    real.write({'deploy/Dockerfile': `${lines.join('\n')}\n`, '.dockerignore': 'deploy'});
    const images = ['--base-image', 'localhost/base=BASE', '--base-image', 'localhost/tools=TOOLS'];
    await build('named', ['-f', 'deploy/Dockerfile', '--build-arg', 'NAME', ...images], {
      NAME: 'base',
      BASE: 'localhost/base:dev',
      TOOLS: 'localhost/tools:dev',
    });
    expect(real.read('named', '/file')).to.equal('base');
    expect(real.read('named', '/tool')).to.equal('tools');
    if (knowsHeredocs()) expect(real.read('named', '/text')).to.equal('FROM localhost/base\n');
  });

  it('get what restarts a process, in an image without a shell', async function () {
    if (!knowsHeredocs()) this.skip();
    real.write({
      Dockerfile: 'FROM scratch\nUSER 1000\nCOPY entr tilt-restart-wrapper /\n',
      entr: 'e',
      'tilt-restart-wrapper': 'w',
    });
    await build('helper', []);
    await build('app', []);
    const [{builds} = {builds: []}] = CHILD_CASES;
    const flags = [
      '--file-env',
      'TEXT',
      '--build-arg',
      'TILT_IMAGE_0',
      '--base-image',
      'tiltdev/restart-helper=HELPER',
    ];
    await build('restarting', flags, {
      TEXT: String(builds[1]?.dockerfile),
      TILT_IMAGE_0: 'localhost/app:dev',
      HELPER: 'localhost/helper:dev',
    });
    expect(real.read('restarting', '/tilt-restart-wrapper')).to.equal('w');
    expect(real.read('restarting', '/tmp/.restart-proc')).to.equal('');
    expect(real.inspect('restarting', '.Config.Entrypoint'))
      .to.be.an('array')
      .that.includes('--watch_file=/tmp/.restart-proc');
    expect(real.inspect('restarting', '.Config.User')).to.equal('1000');
  });
});
