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
    readText: async (path) => {
      if (path === '/locked') throw Object.assign(new Error('x'), {code: 'EACCES'});
      if (path === '/directory') throw Object.assign(new Error('x'), {code: 'EISDIR'});
      return disk[path];
    },
    kindOf: (path) => (path in disk ? 'file' : 'missing'),
  } as Partial<Files> as Files;
  return await loadTarget({overrides: {}, passed: [], ...request}, makeSurroundings({env}), files);
}

async function refusal(given: Case): Promise<TiltbuildError> {
  const error = await catchError(load(given));
  expect(error).to.be.instanceOf(TiltbuildError);
  return error as TiltbuildError;
}

const pins: readonly (readonly [string, Case, readonly string[] | undefined])[] = [
  ['the file in the home directory', {}, ['--kubeconfig', HOME, '--context', 'a', '--namespace', 'ns-a']],
  [
    'one file in KUBECONFIG',
    {env: {KUBECONFIG: ':lost::/project/k1:'}, request: {overrides: {context: 'c'}}},
    undefined, // "gone" is current, which kubectl build refuses
  ],
  [
    'one relative file in KUBECONFIG, absolute',
    {env: {KUBECONFIG: '../k2:'}, disk: {'/k2': kubeconfig('d', 'd')}},
    ['--kubeconfig', '/k2', '--context', 'd', '--namespace', 'ns-d'],
  ],
  [
    'a list in KUBECONFIG, which children inherit',
    {env: {KUBECONFIG: 'k1:/k2'}},
    ['--context', 'c', '--namespace', 'ns-c'],
  ],
  [
    'a list with a file that is not there yet',
    {env: {KUBECONFIG: `/missing:${HOME}`}},
    ['--context', 'a', '--namespace', 'ns-a'],
  ],
  [
    '--kubeconfig over KUBECONFIG',
    {env: {KUBECONFIG: 'k1:/k2'}, request: {kubeconfig: '../home/me/.kube/config'}},
    ['--kubeconfig', HOME, '--context', 'a', '--namespace', 'ns-a'],
  ],
  [
    '--context, --namespace and passed flags',
    {
      request: {
        overrides: {context: 'b', namespace: 'n', as: 'jane'},
        passed: [['--as', 'jane'], ['--insecure-skip-tls-verify']],
      },
    },
    [
      '--kubeconfig',
      HOME,
      '--context',
      'b',
      '--namespace',
      'n',
      '--as',
      'jane',
      '--insecure-skip-tls-verify',
    ],
  ],
  ['a token, which must stay secret', {request: {overrides: {token: 'x'}}}, undefined],
  [
    'no current context, with --context',
    {request: {kubeconfig: 'none', overrides: {context: 'e'}}},
    undefined,
  ],
  [
    'a current context that is not there, with --context',
    {request: {kubeconfig: 'lost', overrides: {context: 'e'}}},
    undefined,
  ],
  ['no context but a server', {disk: {}, request: {overrides: {server: 'https://s'}}}, undefined],
  ['a pod', {env: POD_ENV, disk: POD_FILES}, undefined],
  [
    'a pod with a kubeconfig',
    {env: POD_ENV, disk: {...DISK, ...POD_FILES}},
    ['--kubeconfig', HOME, '--context', 'a', '--namespace', 'ns-a'],
  ],
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
      context: 'b',
      namespace: 'ns-b',
      cluster: {name: 'b', server: 'https://b'},
      user: {name: 'b', token: 'x', as: 'jane'},
    });
  });

  it('takes the first file for a name, and the first current context, from a list', async () => {
    const {target} = await load({
      env: {KUBECONFIG: '/1:/2'},
      disk: {'/1': kubeconfig('', 'a'), '/2': kubeconfig('a', 'a').replaceAll('https://a', 'https://late')},
    });
    expect([target.context, target.cluster.server]).to.deep.equal(['a', 'https://a']);
  });

  it('uses the service account inside a pod', async () => {
    const {target} = await load({env: POD_ENV, disk: POD_FILES});
    expect(target).to.deep.equal({
      context: '',
      namespace: 'pod-ns',
      cluster: {
        name: '',
        server: 'https://10.0.0.1:443',
        'certificate-authority': serviceAccountFiles.certificateAuthority,
      },
      user: {name: '', tokenFile: serviceAccountFiles.token},
    });
  });

  it('ignores a service account outside a pod', async () => {
    expect((await refusal({disk: POD_FILES})).code).to.equal('kubeconfig-missing');
  });

  for (const [what, given, code, message] of [
    ['no kubeconfig at all', {disk: {}}, 'kubeconfig-missing', 'No kubeconfig was found'],
    ['a KUBECONFIG that names nothing', {env: {KUBECONFIG: ':'}}, 'kubeconfig-missing', 'No kubeconfig'],
    [
      'a missing --kubeconfig',
      {request: {kubeconfig: 'x'}},
      'kubeconfig-missing',
      '/project/x given with --kubeconfig',
    ],
    [
      'a file without permission to read it',
      {request: {kubeconfig: '/locked'}},
      'kubeconfig-unreadable',
      '/locked cannot be read: permission denied',
    ],
    ['a directory', {env: {KUBECONFIG: `${HOME}:/directory`}}, 'kubeconfig-unreadable', 'it is a directory'],
    ['invalid YAML', {disk: {[HOME]: 'a: [hunter2'}}, 'kubeconfig-malformed', HOME],
    ['no current context', {request: {kubeconfig: 'none'}}, 'context-missing', 'no current context'],
    ['a missing current context', {request: {kubeconfig: 'lost'}}, 'context-missing', '"gone"'],
  ] as const) {
    it(`rejects ${what}`, async () => {
      const error = await refusal(given);
      expect([error.code, error.message.includes(message)]).to.deep.equal([code, true], error.message);
      expect(error.message).not.to.include('hunter2');
    });
  }
});

describe('pinToOwnKubeconfig', () => {
  it('keeps only the passed flags that a kubeconfig cannot express', async () => {
    const passed = [
      ['--as', 'jane'],
      ['--cache-dir', '--x'],
      ['--server', 's'],
      ['--request-timeout', '5s'],
    ];
    const {target} = await load({});
    expect(
      pinToOwnKubeconfig('/private/kubeconfig', target, {overrides: {token: 'x'}, passed}),
    ).to.deep.equal([
      '--kubeconfig',
      '/private/kubeconfig',
      '--namespace',
      'ns-a',
      '--cache-dir',
      '--x',
      '--request-timeout',
      '5s',
    ]);
  });
});
