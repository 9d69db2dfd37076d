/** Covers `--check`: what BuildKit finds in a Dockerfile, how it is printed, and what cannot check one. */
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {describeEngine} from '../helpers/engines.ts';

const TEXT = '\nWARNING: StageNameCasing - https://docs.example/rule\nStage name "Foo" should be lowercase\n';
const source = {
  filename: 'Dockerfile',
  data: Buffer.from('FROM scratch\nCOPY . /\nRUM x\n').toString('base64'),
};
const lint = (results: object, text = '') => ({
  'result.json': JSON.stringify({sources: [source], ...results}),
  'result.txt': text,
  'result.statuscode': '1',
  version: '1.0.0',
});
const WARNED = lint({warnings: [{ruleName: 'StageNameCasing'}, {ruleName: 'Other'}]}, TEXT);
const details = (type: string) => [
  {typeUrl: `github.com/moby/buildkit/errdefs.${type}+json`, value: Buffer.from('{"name":"frontend.lint"}')},
];

describeEngine('--check', 'builtin', (engines) => {
  const {world, tiltbuild} = engines;

  it('prints nothing on standard output where there is nothing to warn of', async () => {
    engines.buildkit.answer = lint({warnings: null});
    const ended = await tiltbuild(['--check', '.']);
    expect(ended, ended.stderr).to.include({exitCode: 0, stdout: ''});
    expect(ended.stderr).to.contain('found nothing');
    expect(engines.buildkit.solves).to.deep.equal([]);
  });

  it('prints the warnings, and ends with 1', async () => {
    engines.buildkit.answer = WARNED;
    const ended = await tiltbuild(['--check', '.']);
    expect(ended).to.include({exitCode: 1, stdout: TEXT.trimStart()});
    expect(ended.stderr).to.contain('found 2 warnings');
  });

  it("prints BuildKit's own JSON with --print json, and nothing with none", async () => {
    engines.buildkit.answer = WARNED;
    const ended = await tiltbuild(['--check', '--print', 'json', '.']);
    expect(JSON.parse(ended.stdout)).to.have.property('warnings').with.length(2);
    expect(await tiltbuild(['--check', '--print', 'none', '.'])).to.include({exitCode: 1, stdout: ''});
  });

  it('quotes the line that cannot be built', async () => {
    const location = {ranges: [{start: {line: 3}, end: {line: 3}}]};
    engines.buildkit.answer = lint({
      warnings: [],
      buildError: {message: 'unknown instruction: RUM', location},
    });
    const ended = await tiltbuild(['--check', '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.match(/unknown instruction: RUM\n.*Dockerfile:3\n(?:.*\n)*.*3 \| >>> RUM x/);
  });

  it('asks as for a build, whose results are left out', async () => {
    engines.buildkit.answer = lint({});
    const results = ['--push', '--image', 'web', '--iidfile', 'iid', '--metadata-file', 'meta'];
    const input = ['--build-arg', 'A=1', '--target', 'x', '--frontend', 'example/front'];
    const ended = await tiltbuild(['--check', '-t', 'r.io/web:1', ...results, ...input, '.']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    const [{frontend, options} = {frontend: '', options: new Map()}] = engines.buildkit.gateway.asked;
    expect({frontend, ...Object.fromEntries(options)}).to.include({
      ...{frontend: 'gateway.v0', source: 'example/front', requestid: 'frontend.lint', target: 'x'},
      ...{'build-arg:A': '1', filename: 'Dockerfile'},
    });
    expect(['iid', 'meta'].filter((name) => existsSync(join(world.sandbox.work, name)))).to.deep.equal([]);
  });

  for (const [what, answer] of [
    ['does not know the request', new GrpcError(GrpcCode.UNKNOWN, 'x', {details: details('Subrequest')})],
    ['does not know requests', new GrpcError(GrpcCode.UNKNOWN, 'x', {details: details('FrontendCap')})],
    ['sends no details', new GrpcError(GrpcCode.UNKNOWN, 'failed: unsupported request frontend.lint')],
    ['has no gateway', new GrpcError(GrpcCode.UNIMPLEMENTED, 'unknown service')],
    ['takes no notice of it', {}],
  ] as const) {
    it(`says what to do about a BuildKit that ${what}`, async () => {
      engines.buildkit.answer = answer;
      const ended = await tiltbuild(['--check', '.']);
      expect(ended).to.include({exitCode: 4, stdout: ''});
      expect(ended.stderr).to.contain('# syntax=docker/dockerfile:1').and.not.contain('This is a bug');
    });
  }

  it('passes on any other error as that of a build', async () => {
    engines.buildkit.answer = new GrpcError(GrpcCode.UNKNOWN, 'words of a kind that nobody knows');
    const ended = await tiltbuild(['--check', '.']);
    expect(ended).to.include({exitCode: 1, stdout: ''});
    expect(ended.stderr).to.contain('words of a kind');
  });

  it('is refused for the plugin, and not left to it', async () => {
    engines.buildkit.answer = lint({});
    expect(await world.tiltbuild(['--check', '.'])).to.include({exitCode: 0});
    expect(await world.tiltbuild(['--check', '--engine', 'kubectl-build', '.'])).to.include({exitCode: 2});
    expect(world.sandbox.invocations()).to.deep.equal([]);
  });
});
