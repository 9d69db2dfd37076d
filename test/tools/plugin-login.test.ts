/** Covers a login through a credential plugin: it gets what kubectl gives it, and runs no more often than needed. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join, posix} from 'node:path';
import {expect} from 'chai';
import {stringify} from 'yaml';
import {mergeKubeconfigs} from '../../src/cluster/kubeconfig/merge.ts';
import {parseKubeconfig} from '../../src/cluster/kubeconfig/parse.ts';
import type {PluginUser} from '../../src/cluster/target/credential-plugin.ts';
import {resolveTarget} from '../../src/cluster/target/target.ts';
import {TiltbuildError} from '../../src/errors.ts';
import {PluginLogin} from '../../src/system/plugin-login.ts';
import {Runner} from '../../src/system/runner.ts';
import {type ApiServer, startApiServer} from '../helpers/api-server.ts';
import {catchError, hintsOf} from '../helpers/caught.ts';
import {runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';

const V1 = 'client.authentication.k8s.io/v1';
const V1BETA1 = 'client.authentication.k8s.io/v1beta1';

/** One run of the plugin, as it saw it. */
interface Seen {
  readonly argv: readonly string[];
  readonly request: unknown;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: string;
}

describe('PluginLogin', () => {
  let api: ApiServer;
  let sandbox: Sandbox;
  beforeEach(async function () {
    if (process.platform === 'win32') this.skip();
    [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
  });
  afterEach(async () => {
    sandbox?.remove();
    await api?.close();
  });

  const log = () => join(sandbox.root, 'seen');
  const seen = (): readonly Seen[] =>
    readFileSync(log(), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  /** A plugin that logs what it is given, prints `words`, and gives an answer after the other or an exit code. */
  function installPlugin(
    answers: readonly (object | number | string)[],
    apiVersion = V1,
    words = '',
  ): string {
    const path = join(sandbox.bin, 'login');
    const script = `
      const fs = require('fs');
      const answers = ${JSON.stringify(answers)};
      const log = ${JSON.stringify(log())};
      const runs = fs.readFileSync(log, 'utf8').split('\\n').length - 1;
      const {KUBERNETES_EXEC_INFO, EXTRA, HOME} = process.env;
      fs.appendFileSync(log, JSON.stringify({
        argv: process.argv.slice(2), request: JSON.parse(KUBERNETES_EXEC_INFO), env: {EXTRA, HOME},
        stdin: fs.readFileSync(0, 'utf8'),
      }) + '\\n');
      process.stderr.write(${JSON.stringify(words)});
      const answer = answers[Math.min(runs, answers.length - 1)];
      if (typeof answer === 'number') process.exit(answer);
      process.stdout.write(typeof answer === 'string' ? answer : JSON.stringify(
        {kind: 'ExecCredential', apiVersion: '${apiVersion}', status: answer}));`;
    writeFileSync(path, `#!${process.execPath}\n${script}\n`, {mode: 0o700});
    writeFileSync(log(), '');
    return path;
  }

  function open(exec: object, cluster: object = {}, env: Readonly<Record<string, string>> = {}) {
    const config = {
      clusters: [{name: 'c', cluster: {server: api.url, ...cluster}}],
      users: [
        {name: 'me', user: {exec: {apiVersion: V1, command: 'login', interactiveMode: 'Never', ...exec}}},
      ],
      contexts: [{name: 'x', context: {cluster: 'c', user: 'me'}}],
      'current-context': 'x',
    };
    sandbox.writeKubeconfig(stringify(config));
    const file = parseKubeconfig(sandbox.kubeconfig, stringify(config), posix);
    const paths = {explicit: true, paths: [sandbox.kubeconfig]};
    const target = resolveTarget(mergeKubeconfigs([file]), {}, {lookedAt: paths});
    const lines: string[] = [];
    const login = new PluginLogin(target, target.user as PluginUser, {
      runner: new Runner('linux', () => {}),
      env: {...sandbox.env, ...env},
      platform: process.platform,
      home: sandbox.home,
      showLine: (line) => lines.push(line),
    });
    return {login, lines};
  }

  const authority = () => ({'certificate-authority-data': Buffer.from(api.authority).toString('base64')});
  const requests: readonly (readonly [string, object, () => object])[] = [
    ['by v1beta1', {apiVersion: V1BETA1, interactiveMode: undefined}, authority],
    [
      'with arguments and variables, one of which goes before ours',
      {
        args: ['a b', '$HOME', ''],
        env: [
          {name: 'EXTRA', value: 'x y'},
          {name: 'HOME', value: '/x'},
        ],
      },
      authority,
    ],
    [
      'with the cluster, its authority in a file',
      {provideClusterInfo: true},
      () => {
        writeFileSync(join(sandbox.root, 'ca.crt'), api.authority);
        return {'certificate-authority': 'ca.crt'};
      },
    ],
    [
      'with a cluster that has more to it',
      {provideClusterInfo: true},
      () => ({
        ...authority(),
        'tls-server-name': 'localhost',
        'disable-compression': true,
        extensions: [
          {name: 'other', extension: {no: 1}},
          {name: 'client.authentication.k8s.io/exec', extension: {audience: 'x', list: [1, null]}},
        ],
      }),
    ],
    [
      'with a cluster that is not checked',
      {provideClusterInfo: true},
      () => ({'insecure-skip-tls-verify': true}),
    ],
  ];
  for (const [what, exec, cluster] of requests) {
    it(`gives the plugin what kubectl gives it: ${what}`, async () => {
      const apiVersion = 'apiVersion' in exec ? String(exec.apiVersion) : V1;
      installPlugin([{token: api.token}], apiVersion);
      const {login} = open(exec, cluster());
      expect((await login.logIn()).user)
        .to.include({name: 'me', token: api.token})
        .and.not.have.property('exec');
      const kubectl = join(realKubectlDirectory(), 'kubectl');
      const ended = await runCommand(kubectl, ['get', '--raw', '/api/v1/nodes'], {
        env: sandbox.env,
        cwd: sandbox.work,
      });
      expect(ended.exitCode, ended.stderr).to.equal(0);
      const [ours, theirs, ...others] = seen();
      expect(ours).to.deep.equal(theirs);
      expect(others).to.deep.equal([]);
    });
  }

  it('runs the plugin once for all, and again if its answer has expired', async () => {
    installPlugin([
      {token: 'first', expirationTimestamp: '2020-01-01T00:00:00Z'},
      {token: 'second', expirationTimestamp: '2999-01-01T00:00:00Z'},
    ]);
    const {login} = open({});
    const logIn = async () => (await login.logIn()).user.token;
    expect(await Promise.all([logIn(), logIn()])).to.deep.equal(['second', 'second']);
    expect(await logIn()).to.equal('second');
    expect(seen()).to.have.length(2);
    login.forget();
    await logIn();
    expect(seen()).to.have.length(3);
  });

  it('accepts a certificate, and shows what the plugin prints to standard error', async () => {
    const answer = {clientCertificateData: 'CERT', clientKeyData: 'KEY'};
    installPlugin([answer], V1, 'open https://login.test\nand type ABC\n');
    const {login, lines} = open({});
    expect((await login.logIn()).user).to.deep.equal({
      name: 'me',
      'client-certificate-data': 'Q0VSVA==',
      'client-key-data': 'S0VZ',
    });
    expect(lines).to.deep.equal(['open https://login.test', 'and type ABC']);
  });

  it('names the plugin and the user if it fails, says what to do, and runs it again', async () => {
    installPlugin([3, {token: 't'}]);
    const {login} = open({installHint: 'Ask Bob.'});
    const error = (await catchError(login.logIn())) as TiltbuildError;
    expect(error).to.include({
      code: 'cluster-denied',
      message: 'The login plugin "login" of user "me" failed with exit code 3.',
    });
    expect(hintsOf(error)).to.equal('Ask Bob.');
    expect((await login.logIn()).user.token).to.equal('t');
  });

  for (const command of ['no-such-login', '/nowhere/login']) {
    it(`says that a plugin does not exist, and how to install it: ${command}`, async () => {
      const error = (await catchError(
        open({command, installHint: 'Ask Bob.'}).login.logIn(),
      )) as TiltbuildError;
      expect(error).to.include({
        code: 'cluster-denied',
        message: `The login plugin "${command}" of user "me" cannot be used: executable ${command} not found.`,
      });
      expect(hintsOf(error)).to.equal('Ask Bob.');
    });
  }

  const forbidAt = (path: string) => {
    mkdirSync(dirname(path), {recursive: true});
    writeFileSync(path, 'credentialPluginPolicy: DenyAll\n');
  };
  const preferences = () => join(sandbox.home, '.kube', 'kuberc');
  for (const [what, exec, prepare] of [
    ['a plugin that cannot be started', {}, () => writeFileSync(join(sandbox.bin, 'login'), '#!/no/such\n')],
    ['an answer that is no ExecCredential', {}, () => void installPlugin(['token: x'])],
    ['preferences that may forbid it', {}, () => forbidAt(preferences())],
    [
      'preferences elsewhere that may forbid it',
      {},
      () => {
        const KUBERC = join(sandbox.root, 'preferences');
        forbidAt(KUBERC);
        return {KUBERC};
      },
    ],
  ] as const) {
    it(`leaves it to kubectl: ${what}`, async () => {
      installPlugin([{token: 't'}]);
      const {login} = open(exec, {}, prepare() ?? {});
      expect(await catchError(login.logIn())).not.to.be.instanceOf(TiltbuildError);
    });
  }

  it('runs the plugin where preferences are turned off', async () => {
    installPlugin([{token: 't'}]);
    forbidAt(preferences());
    expect((await open({}, {}, {KUBERC: 'off'}).login.logIn()).user.token).to.equal('t');
  });
});
