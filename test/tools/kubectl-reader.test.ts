/** Covers what is read from kubectl's own words, which are given here literally. */

import {expect} from 'chai';
import type {ClusterQuery} from '../../src/cluster/facts.ts';
import {askKubectl, KubectlFailure} from '../../src/tools/kubectl-reader.ts';
import {readApiRecording} from '../helpers/api-samples.ts';

interface Said {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number | undefined;
  readonly signal?: string;
}

const BOTH: ClusterQuery = {pullSecret: 'docker-registry', builder: 'buildkit', nodes: false};
const GET = ['get', 'secrets/docker-registry', 'deployments.apps/buildkit'];
const OPTIONS = ['--show-labels', '--no-headers', '--ignore-not-found'];
const RAW = ['get', '--raw', '/api/v1/nodes?limit=20'];

async function ask(query: ClusterQuery, named: Said, nodes: Said = {}) {
  const asked: (readonly string[])[] = [];
  const facts = await askKubectl(async (args) => {
    asked.push(args);
    const said = args.includes('--raw') ? nodes : named;
    return {stdout: '', stderr: '', exitCode: said.stderr === undefined ? 0 : 1, signal: undefined, ...said};
  }, query);
  return {facts, asked};
}

async function failure(query: ClusterQuery, named: Said, nodes?: Said) {
  return await ask(query, named, nodes).then(
    () => undefined,
    (error) => error,
  );
}

const SECRET_ROW = 'secret/docker-registry   kubernetes.io/dockerconfigjson   1     26h   <none>';
const BUILDER_ROW =
  'deployment.apps/buildkit   1/1   1     1     26h   app=buildkit,rootless=false,runtime=containerd,worker=containerd';
const SECRET = {kind: 'found', value: {type: 'kubernetes.io/dockerconfigjson'}};
const BUILDER = {
  kind: 'found',
  value: {labels: {app: 'buildkit', rootless: 'false', runtime: 'containerd', worker: 'containerd'}},
};
const forbidden = (message: string) => ({kind: 'forbidden', message});
const no = (resource: string) => `${resource} is forbidden: User "nobody" cannot get resource`;
const refused = (resource: string) => `Error from server (Forbidden): ${no(resource)}\n`;
const LOGIN = 'To sign in, use a web browser to open the page https://example.com/device\n';

describe('askKubectl', () => {
  it('asks for the secret and the builder at once, in the form that shows no data', async () => {
    const {facts, asked} = await ask(BOTH, {stdout: `${SECRET_ROW}\n\n${BUILDER_ROW}\n`});
    expect(asked).to.deep.equal([[...GET, ...OPTIONS]]);
    expect(facts).to.deep.equal({pullSecret: SECRET, builder: BUILDER, nodes: undefined});
  });

  it('asks for nothing that is not wanted', async () => {
    const {asked, facts} = await ask({nodes: true}, {}, {stdout: '{"items":[]}'});
    expect(asked).to.deep.equal([RAW]);
    expect(facts).to.deep.equal({nodes: {kind: 'found', value: []}});
    expect((await ask({pullSecret: 's', nodes: false}, {})).asked).to.deep.equal([
      ['get', 'secrets/s', ...OPTIONS],
    ]);
  });

  for (const [what, said, pullSecret, builder] of [
    ['neither', {}, {kind: 'missing'}, {kind: 'missing'}],
    // Where kubectl found one kind only, it puts none before the name.
    ['a secret alone', {stdout: `${SECRET_ROW.slice(7)}\n`}, SECRET, {kind: 'missing'}],
    ['a builder alone', {stdout: `${BUILDER_ROW.slice(16)}\n`}, {kind: 'missing'}, BUILDER],
    [
      'a builder without labels',
      {stdout: 'deployment.apps/buildkit   0/1   1   0   3s   <none>\n'},
      {kind: 'missing'},
      {kind: 'found', value: {labels: {}}},
    ],
    [
      'a secret with labels',
      {stdout: 'docker-registry   Opaque   0     3d4h   a=b,c=\n'},
      {kind: 'found', value: {type: 'Opaque'}},
      {kind: 'missing'},
    ],
    [
      'a warning beside the rows',
      {stdout: `${SECRET_ROW}\n`, stderr: 'Warning: v1 is old\n', exitCode: 0},
      SECRET,
      {kind: 'missing'},
    ],
    [
      'a 403 for the secret',
      {stdout: `${BUILDER_ROW}\n`, stderr: refused('secrets "docker-registry"')},
      forbidden(no('secrets "docker-registry"')),
      BUILDER,
    ],
    [
      'a 403 for the builder',
      {stdout: `${SECRET_ROW}\n`, stderr: refused('deployments.apps "buildkit"')},
      SECRET,
      forbidden(no('deployments.apps "buildkit"')),
    ],
    [
      'a 403 for both',
      {stderr: refused('secrets "docker-registry"') + refused('deployments.apps "buildkit"')},
      forbidden(no('secrets "docker-registry"')),
      forbidden(no('deployments.apps "buildkit"')),
    ],
    [
      'a 403 behind what a login program says',
      {stderr: LOGIN + refused('secrets "docker-registry"')},
      forbidden(no('secrets "docker-registry"')),
      {kind: 'missing'},
    ],
  ] as const) {
    it(`reads ${what}`, async () => {
      expect((await ask(BOTH, said)).facts).to.deep.equal({pullSecret, builder, nodes: undefined});
    });
  }

  it('reads the nodes that a real API server answered', async () => {
    const stdout = JSON.stringify(readApiRecording('nodes-kind').body);
    const {nodes} = (await ask({nodes: true}, {}, {stdout})).facts;
    expect(nodes).to.have.property('kind', 'found');
    expect(nodes).to.have.nested.property('value[0].providerId', 'kind://docker/kind/kind-control-plane');
  });

  it('reads a 403 for the nodes beside the other answers', async () => {
    const {facts, asked} = await ask(
      {...BOTH, nodes: true},
      {stdout: `${SECRET_ROW}\n`},
      {stderr: refused('nodes')},
    );
    expect(asked).to.deep.equal([[...GET, ...OPTIONS], RAW]);
    expect(facts).to.deep.equal({
      pullSecret: SECRET,
      builder: {kind: 'missing'},
      nodes: forbidden(no('nodes')),
    });
  });

  for (const [what, stderr, message] of [
    [
      'no server',
      'The connection to the server localhost:1 was refused - did you specify the right host or port?\n',
      'connection to the server localhost:1 was refused',
    ],
    ['no login', 'error: You must be logged in to the server (Unauthorized)\n', 'must be logged in'],
    [
      'klog lines before the error',
      'E1125 01:11:19.1 1 memcache.go:265] "x"\nUnable to connect to the server: EOF\n',
      'Unable to connect',
    ],
    [
      'a server error beside a 403',
      `${refused('secrets "x"')}Error from server (InternalError): etcd is ill\n`,
      'etcd is ill',
    ],
    [
      'a 403 for something else',
      'Error from server (Forbidden): pods is forbidden: no\n',
      'pods is forbidden',
    ],
  ] as const) {
    it(`throws what kubectl said of ${what}`, async () => {
      const error = await failure(BOTH, {stderr});
      expect(error).to.be.instanceOf(KubectlFailure);
      expect(error.message).to.include(message);
      expect(await failure({nodes: true}, {}, {stderr})).to.be.instanceOf(KubectlFailure);
    });
  }

  it('throws where kubectl was killed without a word', async () => {
    const error = await failure(BOTH, {exitCode: undefined, signal: 'SIGTERM'});
    expect(error).to.be.instanceOf(KubectlFailure);
    expect(error.message).not.to.equal('');
  });

  it('throws a failure of kubectl where the nodes are no JSON', async () => {
    expect(await failure({nodes: true}, {}, {stdout: '<html>'})).to.be.instanceOf(KubectlFailure);
  });
});
