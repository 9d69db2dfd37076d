/** Covers the way from flags and environment to a target, and the arguments that pin it. */
import {expect} from 'chai';
import type {ConnectionRequest} from '../../../../src/cluster/connection.ts';
import {serviceAccountFiles} from '../../../../src/cluster/kubeconfig/in-cluster.ts';
import {loadTarget, pinToOwnKubeconfig} from '../../../../src/cluster/target/load-target.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import type {Files} from '../../../../src/ports.ts';
import type {Surroundings} from '../../../../src/surroundings.ts';
import {catchError} from '../../../helpers/caught.ts';
import {makeSurroundings} from '../../../helpers/surroundings.ts';

function kubeconfig(currentContext: string, ...names: string[]): string {
  return JSON.stringify({
    'current-context': currentContext,
    contexts: names.map((name) => ({name, context: {cluster: name, user: name, namespace: `ns-${name}`}})),
    clusters: names.map((name) => ({name, cluster: {server: `https://${name}`}})),
    users: names.map((name) => ({name, user: {token: `token-${name}`}})),
  });
}

const HOME = '/home/me/.kube/config';
const POD_FILES = {
  [serviceAccountFiles.token]: 't',
  [serviceAccountFiles.certificateAuthority]: 'ca',
  [serviceAccountFiles.namespace]: 'pod-ns\n',
};
const POD_ENV = {KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443'};
const DISK = {
  [HOME]: kubeconfig('a', 'a', 'b'),
  '/project/k1': kubeconfig('', 'c'),
  '/k2': kubeconfig('c', 'd'),
  '/project/lost': kubeconfig('gone', 'e'),
  '/project/none': kubeconfig('', 'e'),
};

interface Case {
  readonly disk?: Readonly<Record<string, string>>;
  readonly env?: Surroundings['env'];
  readonly request?: Partial<ConnectionRequest>;
}

async function load({disk = DISK, env = {}, request = {}}: Case) {
  const files = {
    readText: async (path) => disk[path],
    readBytes: async (path) => {
      const text = disk[path];
      if (text !== undefined) return Buffer.from(text);
      throw Object.assign(new Error('x'), {code: path === '/locked' ? 'EACCES' : 'ENOENT'});
    },
    kindOf: (path) => (path in disk ? 'file' : 'missing'),
  } as Partial<Files> as Files;
  return await loadTarget({overrides: {}, passed: [], ...request}, makeSurroundings({env}), files);
}

/** The file, unless there are several, and the context with its namespace. */
const pinned = (context: string, file?: string, namespace = `ns-${context}`) => [
  ...(file === undefined ? [] : ['--kubeconfig', file]),
  ...['--context', context, '--namespace', namespace],
];
const flags: Partial<ConnectionRequest> = {
  overrides: {context: 'b', namespace: 'n', as: 'jane'},
  passed: [['--as', 'jane'], ['--insecure-skip-tls-verify']],
};
const ofE = {context: 'e'};

const pins: readonly (readonly [string, Case, readonly string[] | undefined])[] = [
  ['the file in the home directory', {}, pinned('a', HOME)],
  [
    'one relative file in KUBECONFIG, absolute',
    {env: {KUBECONFIG: '../k2:'}, disk: {'/k2': kubeconfig('d', 'd')}},
    pinned('d', '/k2'),
  ],
  ['a list in KUBECONFIG, which children inherit', {env: {KUBECONFIG: 'k1:/k2'}}, pinned('c')],
  ['a list with a file that is not there yet', {env: {KUBECONFIG: `/missing:${HOME}`}}, pinned('a')],
  [
    '--kubeconfig over KUBECONFIG',
    {env: {KUBECONFIG: 'k1:/k2'}, request: {kubeconfig: '../home/me/.kube/config'}},
    pinned('a', HOME),
  ],
  [
    '--context, --namespace and passed flags',
    {request: flags},
    [...pinned('b', HOME, 'n'), '--as', 'jane', '--insecure-skip-tls-verify'],
  ],
  ['a token, which must stay secret', {request: {overrides: {token: 'x'}}}, undefined],
  // kubectl build requires a current context that exists.
  ['no current context, with --context', {request: {kubeconfig: 'none', overrides: ofE}}, undefined],
  ['a missing current context, with --context', {request: {kubeconfig: 'lost', overrides: ofE}}, undefined],
  ['no context but a server', {disk: {}, request: {overrides: {server: 'https://s'}}}, undefined],
  ['a pod', {env: POD_ENV, disk: POD_FILES}, undefined],
  ['a pod with a kubeconfig', {env: POD_ENV, disk: {...DISK, ...POD_FILES}}, pinned('a', HOME)],
];

describe('loadTarget', () => {
  for (const [what, given, pinArgs] of pins) {
    it(`${pinArgs ? 'pins by arguments' : 'needs a kubeconfig of our own'}: ${what}`, async () => {
      expect((await load(given)).pinArgs).to.deep.equal(pinArgs);
    });
  }

  it('resolves the target with the flags applied', async () => {
    const {target} = await load({request: {overrides: {context: 'b', token: 'x', as: 'jane'}}});
    expect(target).to.deep.equal({
      ...{context: 'b', namespace: 'ns-b', cluster: {name: 'b', server: 'https://b'}},
      user: {name: 'b', token: 'x', as: 'jane'},
      clusterFile: '/home/me/.kube/config',
    });
  });

  it('uses the service account inside a pod, as the files of the pod are', async () => {
    const {target} = await load({env: POD_ENV, disk: POD_FILES});
    expect(target.namespace).to.equal('pod-ns');
    expect(target.cluster).to.have.property(
      'certificate-authority',
      serviceAccountFiles.certificateAuthority,
    );
    const {[serviceAccountFiles.certificateAuthority]: _, ...withoutAuthority} = POD_FILES;
    const {cluster} = (await load({env: POD_ENV, disk: withoutAuthority})).target;
    expect(cluster).not.to.have.property('certificate-authority');
  });

  for (const [what, given, code, message] of [
    ['a pod, outside of it', {disk: POD_FILES}, 'kubeconfig-missing', 'No kubeconfig was found'],
    ['a KUBECONFIG that names nothing', {env: {KUBECONFIG: ':'}}, 'kubeconfig-missing', 'No kubeconfig'],
    [
      'a missing file',
      {request: {kubeconfig: 'x'}},
      'kubeconfig-missing',
      '/project/x given with --kubeconfig',
    ],
    [
      'a file without permission to read it',
      {env: {KUBECONFIG: `${HOME}:/locked`}},
      'kubeconfig-unreadable',
      '/locked cannot be read: permission denied',
    ],
  ] as const) {
    it(`rejects ${what}`, async () => {
      const error = await catchError(load(given));
      expect(error).to.be.instanceOf(TiltbuildError).and.include({code});
      expect(error.message).to.include(message);
    });
  }
});

describe('pinToOwnKubeconfig', () => {
  it('keeps only the passed flags that a kubeconfig cannot express', async () => {
    const kept = [
      ['--cache-dir', '--x'],
      ['--request-timeout', '5s'],
    ];
    const passed = [['--as', 'jane'], ...kept, ['--server', 's']];
    const {target} = await load({});
    const args = pinToOwnKubeconfig('/private/kubeconfig', target, {overrides: {token: 'x'}, passed});
    expect(args).to.deep.equal([
      '--kubeconfig',
      '/private/kubeconfig',
      '--namespace',
      'ns-a',
      ...kept.flat(),
    ]);
  });
});
