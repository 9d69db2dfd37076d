/** Owns the proof that the stand-in API server answers as a real one did, and is one to the real kubectl. */
import {readdirSync} from 'node:fs';
import {get} from 'node:https';
import {join} from 'node:path';
import {expect} from 'chai';
import type {KubeconfigAuth} from '../helpers/api-kubeconfig.ts';
import {readApiRecording} from '../helpers/api-samples.ts';
import {
  type ApiServer,
  builderDeployment,
  node,
  SECRET_MARKER,
  SECRET_MARKER_BASE64,
  startApiServer,
} from '../helpers/api-server.ts';
import {type Ended, runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';

const recordings = readdirSync(join(import.meta.dirname, '..', 'fixtures', 'recordings', 'api'));

describe('the stand-in API server', () => {
  let sandbox: Sandbox;
  let api: ApiServer;

  beforeEach(async () => {
    sandbox = await makeSandbox();
    api = await startApiServer({
      state: {
        secrets: [{namespace: 'default', name: 'docker-registry', type: 'kubernetes.io/dockerconfigjson'}],
        deployments: [builderDeployment()],
        nodes: [node()],
      },
    });
  });
  afterEach(async () => {
    await api.close();
    sandbox.remove();
  });

  const kubectl = (...args: string[]): Promise<Ended> =>
    runCommand(join(realKubectlDirectory(), 'kubectl'), args, {env: sandbox.env, cwd: sandbox.work});
  const getBoth = (...more: string[]): Promise<Ended> => {
    const names = ['secret/docker-registry', 'deployment.apps/buildkit'];
    return kubectl('get', ...names, '--show-labels', '--no-headers', '--ignore-not-found', ...more);
  };
  const log = (auth: KubeconfigAuth, more = {}) =>
    sandbox.writeKubeconfig(api.kubeconfig({auth, directory: sandbox.root, ...more}));

  /** What no two servers have in common, and the columns' documentation. */
  const comparable = (body: unknown) =>
    JSON.parse(JSON.stringify(body), (key, value) =>
      ['resourceVersion', 'uid', 'creationTimestamp', 'description'].includes(key) ? undefined : value,
    );
  for (const name of recordings.map((file) => file.replace('.json', ''))) {
    it(`answers as recorded: ${name}`, async () => {
      const recorded = readApiRecording(name);
      const {path, accept = 'application/json'} = recorded.request;
      api.state.secrets.push({namespace: 'default', name: 'opaque', type: 'Opaque'});
      if (recorded.status === 403) api.state.forbidden = new Set(['secrets', 'deployments', 'nodes']);
      if (name === 'builder-missing') api.state.deployments = [];
      const headers = {
        Accept: accept,
        ...(recorded.status !== 401 && {Authorization: `Bearer ${api.token}`}),
        ...(recorded.status === 403 && {'Impersonate-User': 'system:serviceaccount:default:nobody'}),
      };
      const [status, body] = await new Promise<[number | undefined, string]>((resolve, reject) => {
        get(`${api.url}${path}`, {ca: api.authority, headers}, async (response) => {
          resolve([response.statusCode, (await response.setEncoding('utf8').toArray()).join('')]);
        }).on('error', reject);
      });
      expect(status).to.equal(recorded.status);
      expect(comparable(JSON.parse(body))).to.deep.equal(comparable(recorded.body));
    });
  }

  const users: Readonly<Record<Exclude<KubeconfigAuth, 'none'>, string>> = {
    certificate: 'certificate-user',
    'certificate-files': 'certificate-user',
    token: 'token-user',
    'token-file': 'token-user',
    basic: 'basic-user',
    exec: 'token-user',
  };
  for (const [auth, user] of Object.entries(users)) {
    for (const relativePaths of [false, true]) {
      it(`lets kubectl in: ${auth}${relativePaths ? ', relative paths' : ''}`, async () => {
        log(auth as KubeconfigAuth, {relativePaths});
        const ended = await getBoth();
        expect(ended.stderr).to.equal('');
        expect(ended.stdout).to.equal(
          'secret/docker-registry   kubernetes.io/dockerconfigjson   1     1s    <none>\n' +
            'deployment.apps/buildkit   1/1   1     1     1s    ' +
            'app=buildkit,rootless=false,runtime=containerd,worker=containerd\n',
        );
        expect(new Set(api.requests.map((request) => request.user))).to.deep.equal(new Set([user]));
      });
    }
  }

  it('drops the kind before the name where one thing alone is found', async () => {
    log('token');
    api.state.deployments = [];
    expect((await getBoth()).stdout).to.match(/^docker-registry {3}/);
    api.state.secrets = [];
    expect(await getBoth()).to.include({exitCode: 0, stdout: '', stderr: ''});
  });

  it('answers nodes in full, and the server name that the certificate has', async () => {
    await api.close();
    api = await startApiServer({
      certificateNames: ['cluster.test'],
      basePath: '/clusters/a',
      state: {nodes: [node()]},
    });
    log('certificate', {clusterFields: {'tls-server-name': 'cluster.test'}});
    const ended = await kubectl(
      'get',
      'nodes',
      '-o',
      'jsonpath={.items[*].status.nodeInfo.containerRuntimeVersion}',
    );
    expect(ended).to.include({exitCode: 0, stdout: 'containerd://2.1.9+unknown', stderr: ''});
    log('certificate');
    expect((await kubectl('get', 'nodes')).stderr).to.contain(
      'x509: cannot validate certificate for 127.0.0.1',
    );
  });

  it('does not know who comes with no credentials, or wrong ones', async () => {
    log('token', {userFields: {token: 'wrong'}});
    const ended = await kubectl('get', '--raw', '/api/v1/nodes');
    expect(ended).to.include({
      exitCode: 1,
      stderr: 'error: You must be logged in to the server (Unauthorized)\n',
    });
    expect(api.requests[0]?.user).to.equal(undefined);
  });

  it('forbids as recorded, to whoever is impersonated', async () => {
    log('token');
    api.state.forbidden = new Set(['secrets', 'deployments', 'nodes']);
    const as = ['--as', 'system:serviceaccount:default:nobody', '--as-group', 'g'];
    const recorded = ['forbidden-secret', 'forbidden-deployments'].map((name) => {
      const {body} = readApiRecording(name) as {body: {message: string}};
      return `Error from server (Forbidden): ${body.message}\n`;
    });
    expect(await getBoth(...as)).to.include({exitCode: 1, stdout: '', stderr: recorded.join('')});
    expect(api.requests.at(-1)?.impersonate).to.deep.include({user: as[1], groups: ['g']});
    const {body} = readApiRecording('forbidden-nodes') as {body: {message: string}};
    const nodes = await kubectl('get', 'nodes', ...as);
    expect(nodes.stderr).to.equal(`Error from server (Forbidden): ${body.message}\n`);
  });

  it('shows a secret only to who asks for all of it', async () => {
    log('token');
    const table = await kubectl('get', 'secrets,deployments', '--field-selector=metadata.namespace=default');
    expect(table.stdout).to.not.contain(SECRET_MARKER_BASE64);
    const whole = await kubectl('get', 'secret', 'docker-registry', '-o', 'json');
    const data = JSON.parse(whole.stdout).data['.dockerconfigjson'];
    expect(Buffer.from(data, 'base64').toString()).to.equal(SECRET_MARKER);
  });

  it('fails as told', async () => {
    log('token');
    const path = '/api/v1/nodes';
    api.state.failWith = 503;
    expect((await kubectl('get', '--raw', path)).stderr).to.contain('currently unable to handle the request');
    api.state.failWith = undefined;
    api.state.delayMs = 5000;
    // Go's client words the timeout by where it strikes: before the headers, or in the handshake already.
    expect((await kubectl('get', '--raw', path, '--request-timeout=200ms')).stderr).to.match(
      /Client\.Timeout|context deadline exceeded/,
    );
    api.state.delayMs = 0;
    expect((await kubectl('get', '--raw', '/api/v1/bananas')).stderr).to.contain(
      'could not find the requested resource',
    );
    await api.close();
    expect((await kubectl('get', '--raw', path)).stderr).to.match(
      /^The connection to the server \S+ was refused/,
    );
  });
});
