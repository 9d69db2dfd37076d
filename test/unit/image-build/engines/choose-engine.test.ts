/** Covers which engine builds, and what is refused. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../../src/errors.ts';
import type {BuildRequest} from '../../../../src/image-build/build-request.ts';
import {chooseEngine, type EngineQuestion} from '../../../../src/image-build/engines/choose-engine.ts';
import {buildRequest} from '../../builder/builder-world.ts';
import {outputTo} from '../build-world.ts';

const PLUGIN = {path: '/bin/kubectl-build'};
const WRONG = {...PLUGIN, flaw: 'is empty'};

function choose(request: Partial<BuildRequest> = {}, question: Partial<EngineQuestion> = {}) {
  return chooseEngine({
    request: buildRequest({engine: 'auto', ...request}),
    plugin: PLUGIN,
    replicas: 1,
    hasOthers: false,
    archiveSize: 1_000,
    dockerfileIsSent: true,
    env: {},
    ...question,
  });
}

const passed = (...words: readonly string[]) => ({passedFlags: [words]});

describe('chooseEngine', () => {
  it('takes the plugin where it is there and can do it, and says where it is', () => {
    expect(choose()).to.deep.equal({name: 'kubectl-build', reason: 'found at /bin/kubectl-build'});
  });

  it('takes its own where there is no plugin', () => {
    expect(choose({}, {plugin: undefined}))
      .to.include({name: 'builtin'})
      .and.to.have.property('reason')
      .that.includes('not installed');
  });

  for (const [what, request, question] of [
    ['--network none', passed('--network', 'none'), {}],
    ['--build-context', passed('--build-context', 'a=b'), {}],
    ['--shm-size', passed('--shm-size', '1g'), {}],
    ['--ulimit', passed('--ulimit', 'nofile=1'), {}],
    ['--check', {check: true}, {}],
    ['--progress rawjson', {progress: 'rawjson'}, {}],
    ['a cache that the plugin does not know', passed('--cache-to', 'mode=max,type=gha'), {}],
    ['a directory of OCI', outputTo('type=oci,tar=false,dest=x'), {}],
    ['a SOCKS proxy', {}, {env: {ALL_PROXY: 'socks5h://proxy:1080'}}],
  ] as const) {
    it(`takes its own for ${what}, and refuses the plugin`, () => {
      expect(choose(request, question).name).to.equal('builtin');
      expect(() => choose({...request, engine: 'kubectl-build'}, question)).to.throw(
        TiltbuildError,
        'kubectl build',
      );
      expect(() => choose({...request, passthrough: [['--x']]}, question)).to.throw(
        TiltbuildError,
        'Flags after --',
      );
    });
  }

  for (const [what, request, question] of [
    ['a large context', {}, {archiveSize: 64_000_001}],
    ['a Dockerfile that is not sent', {}, {dockerfileIsSent: false}],
    ['a namespace with other builders', {}, {hasOthers: true}],
    ['an archive for docker', outputTo('type=docker,dest=x'), {}],
  ] as const) {
    it(`takes its own for ${what}, and the plugin if that is asked for`, () => {
      expect(choose(request, question).name).to.equal('builtin');
      for (const asked of [{engine: 'kubectl-build'}, {passthrough: [['--x']]}] as const)
        expect(choose({...request, ...asked}, question).name).to.equal('kubectl-build');
    });
  }

  it('lets the plugin not copy an image to the nodes of several pods', () => {
    expect(choose({}, {replicas: 2}).name).to.equal('builtin');
    expect(choose({engine: 'builtin'}, {replicas: 2}).name).to.equal('builtin');
    for (const request of [{engine: 'kubectl-build'}, {passthrough: [['--x']]}] as const)
      expect(() => choose(request, {replicas: 2})).to.throw(TiltbuildError, 'through your machine');
    expect(choose({destination: {kind: 'image', stdout: false}}, {replicas: 2}).name).to.equal(
      'kubectl-build',
    );
  });

  it('takes its own for a plugin that cannot be used, and refuses that one', () => {
    expect(choose({}, {plugin: WRONG})).to.deep.equal({
      name: 'builtin',
      reason: '/bin/kubectl-build is empty',
    });
    for (const request of [{engine: 'kubectl-build'}, {passthrough: [['--x']]}] as const) {
      expect(() => choose(request, {plugin: WRONG}))
        .to.throw(TiltbuildError, 'cannot be used: /bin/kubectl-build is empty.')
        .with.property('code', 'tool-missing');
    }
  });

  for (const [what, request, question] of [
    ['a cache of the registry', passed('--cache-from', 'user/app:cache'), {}],
    ['--network host', passed('--network', 'host'), {}],
    [
      'a remote context, whatever its size',
      {context: 'https://example.com/x.git'},
      {dockerfileIsSent: false},
    ],
    ['standard input', {context: '-'}, {dockerfileIsSent: false}],
    ['an HTTP proxy', {}, {env: {HTTPS_PROXY: 'http://proxy'}}],
  ] as const) {
    it(`leaves ${what} to the plugin`, () =>
      expect(choose(request, question).name).to.equal('kubectl-build'));
  }

  it('does what was asked for', () => {
    expect(choose({engine: 'builtin'}).name).to.equal('builtin');
    expect(choose({engine: 'kubectl-build'}).name).to.equal('kubectl-build');
    for (const engine of ['auto', 'kubectl-build'] as const) {
      expect(() => choose({engine, passthrough: [['--x']]}, {plugin: undefined}))
        .to.throw(TiltbuildError)
        .with.property('code', 'tool-missing');
    }
    expect(() => choose({engine: 'builtin', passthrough: [['--x']]})).to.throw(
      TiltbuildError,
      'Flags after --',
    );
  });
});
