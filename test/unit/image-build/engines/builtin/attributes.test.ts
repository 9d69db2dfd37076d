/** Covers what BuildKit is asked for: attributes of the frontend, exporters, caches, and logins from a pull secret. */
import {expect} from 'chai';
import {chooseExport} from '../../../../../src/image-build/engines/builtin/exports.ts';
import {frontendAttributes} from '../../../../../src/image-build/engines/builtin/frontend.ts';
import {findLogin} from '../../../../../src/image-build/engines/builtin/logins.ts';
import {readCache} from '../../../../../src/image-build/inputs/caches.ts';
import {buildRequest} from '../../../builder/builder-world.ts';
import {outputTo} from '../../build-world.ts';

describe('frontendAttributes', () => {
  const attributesOf = (flags: readonly (readonly string[])[], env = {}) =>
    Object.fromEntries(frontendAttributes(buildRequest({passedFlags: flags}), env));

  for (const [flags, attributes] of [
    [
      [['--build-arg', 'A=1', '--build-arg', 'B', '--build-arg', 'C', '--build-arg', 'D=']],
      {'build-arg:A': '1', 'build-arg:B': 'from env', 'build-arg:D': ''},
    ],
    [[['--label', 'a=b=c']], {'label:a': 'b=c'}],
    [
      [['--target', 'x'], ['--no-cache'], ['--pull']],
      {target: 'x', 'no-cache': '', 'image-resolve-mode': 'pull'},
    ],
    [[['--network', 'none']], {'force-network-mode': 'none'}],
    [[['--network', 'default']], {}],
    [
      [['--add-host', 'a:1.2.3.4', '--add-host', 'b:[::1]', '--add-host', 'c=::2']],
      {'add-hosts': 'a=1.2.3.4,b=::1,c=::2'},
    ],
    [
      [
        ['--shm-size', '1.5g'],
        ['--ulimit', 'nofile=1:2', '--ulimit', 'cpu=3'],
      ],
      {'shm-size': '1610612736', ulimit: 'nofile=1:2,cpu=3'},
    ],
    [[['--shm-size', '64MiB']], {'shm-size': '67108864'}],
  ] as const) {
    it(`makes ${JSON.stringify(attributes)} of ${flags.flat().join(' ')}`, () => {
      expect(attributesOf(flags, {B: 'from env'})).to.deep.equal(attributes);
    });
  }

  it('joins platforms', () => {
    const attributes = frontendAttributes(buildRequest({platforms: ['linux/amd64', 'linux/arm64']}), {});
    expect(attributes).to.deep.equal([['platform', 'linux/amd64,linux/arm64']]);
  });
});

describe('chooseExport', () => {
  const NAMES = ['docker.io/library/a:1', 'docker.io/library/b:2'];
  const exportOf = (
    output: string | undefined,
    push = false,
    runtime: 'containerd' | 'other' = 'containerd',
  ) => {
    const request = buildRequest({push, ...outputTo(output ?? '', push)});
    const {type, attributes, dest} = chooseExport(request, NAMES, runtime);
    return {type, ...Object.fromEntries(attributes), ...(dest && {dest: `${dest.kind} ${dest.path}`})};
  };
  const name = NAMES.join(',');

  for (const [output, push, runtime, expected] of [
    [undefined, false, 'containerd', {type: 'image', name, unpack: 'true', compression: 'uncompressed'}],
    [undefined, false, 'other', {type: 'image', name}],
    [undefined, true, 'containerd', {type: 'image', name, push: 'true'}],
    ['out', false, 'containerd', {type: 'local', dest: 'tree out'}],
    ['-', false, 'containerd', {type: 'tar', dest: 'archive -'}],
    ['type=local,dest=x', false, 'containerd', {type: 'local', dest: 'tree x'}],
    ['type=tar', false, 'containerd', {type: 'tar', dest: 'archive -'}],
    [
      'type=oci,dest=x.tar,compression=zstd',
      false,
      'containerd',
      {type: 'oci', name, compression: 'zstd', dest: 'archive x.tar'},
    ],
    ['type=docker,name=mine,dest=-', false, 'containerd', {type: 'docker', name: 'mine', dest: 'archive -'}],
    ['type=oci,tar=false,dest=x', false, 'containerd', {type: 'oci', name, tar: 'false', dest: 'tree x'}],
    ['type=registry', false, 'containerd', {type: 'image', name, push: 'true'}],
    ['"type=image","name=x,y"', true, 'containerd', {type: 'image', name: 'x,y', push: 'true'}],
  ] as const) {
    it(`makes ${JSON.stringify(expected)} of ${output ?? 'no --output'}${push ? ' with --push' : ''} on ${runtime}`, () => {
      expect(exportOf(output, push, runtime)).to.deep.equal(expected);
    });
  }
});

describe('readCache', () => {
  it('takes a name alone for a registry, and GitHub from the environment', () => {
    const env = {ACTIONS_RUNTIME_TOKEN: 't', ACTIONS_RESULTS_URL: 'u'};
    const entries = readCache('--cache-from', ['a/b:c', 'type=gha,scope=s', 'type=s3,bucket=x'], env);
    expect(entries.map(({type, attributes}) => ({type, ...Object.fromEntries(attributes)}))).to.deep.equal([
      {type: 'registry', ref: 'a/b:c'},
      {type: 'gha', token: 't', url_v2: 'u', scope: 's'},
      {type: 's3', bucket: 'x'},
    ]);
  });
});

describe('findLogin', () => {
  const auth = (text: string) => ({auth: Buffer.from(text).toString('base64')});
  const config = JSON.stringify({
    auths: {
      'https://index.docker.io/v1/': auth('hub:secret:with:colons'),
      'https://ghcr.io': auth('gh:1'),
      'reg.lan:5000': auth('lan:2'),
      'reg.lan': auth('other:3'),
      'quay.io/me': {username: 'q', password: '4'},
      'token.io': {identitytoken: 'id', auth: Buffer.from('x:').toString('base64')},
      'empty.io': {},
    },
  });
  for (const [host, login] of [
    ['registry-1.docker.io', {username: 'hub', secret: 'secret:with:colons'}],
    ['ghcr.io', {username: 'gh', secret: '1'}],
    ['reg.lan:5000', {username: 'lan', secret: '2'}],
    ['reg.lan', {username: 'other', secret: '3'}],
    ['quay.io', {username: 'q', secret: '4'}],
    ['token.io', {username: '', secret: 'id'}],
    ['empty.io', undefined],
    ['evil-ghcr.io', undefined],
    ['ghcr.io.evil', undefined],
  ] as const) {
    it(`gives ${login?.username ?? 'none'} for ${host}`, () =>
      expect(findLogin(config, host)).to.deep.equal(login));
  }

  it('finds none where the secret is odd', () => {
    for (const odd of ['{}', '[]', 'null', '{"auths": 1}', '{"auths": {"a": null}}']) {
      expect(findLogin(odd, 'a')).to.equal(undefined);
    }
  });
});
