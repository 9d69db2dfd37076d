/** Covers what is read from kubectl's own words, which are given here literally. */
import {expect} from 'chai';
import type {ClusterQuery} from '../../src/cluster/api/facts.ts';
import {askKubectl, getRaw, isForeignLine, KubectlFailure} from '../../src/system/kubectl-reader.ts';
import type {Collected} from '../../src/system/runner.ts';
import {readApiRecording, readBuilderRecording} from '../helpers/api-samples.ts';

interface Said {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number | undefined;
  readonly signal?: string;
}

/** By what is asked for. */
interface Scene {
  readonly secret?: Said;
  readonly builders?: Said;
  readonly nodes?: Said;
}

const ALL: ClusterQuery = {pullSecret: 'docker-registry', builders: true, nodes: true};
const SECRET_ONLY: ClusterQuery = {pullSecret: 'docker-registry', builders: false, nodes: false};
const BUILDERS_ONLY: ClusterQuery = {builders: true, nodes: false};
const NODES_ONLY: ClusterQuery = {builders: false, nodes: true};

const GET_SECRET = ['get', 'secrets/docker-registry', '--no-headers', '--ignore-not-found'];
const GET_BUILDERS = [
  'get',
  'deployments.apps,configmaps',
  '--selector',
  'rootless,runtime,worker',
  '--output',
  'json',
];
const GET_NODES = ['get', '--raw', '/api/v1/nodes?limit=50'];

function answer(said: Said): Collected {
  return {stdout: '', stderr: '', exitCode: said.stderr === undefined ? 0 : 1, signal: undefined, ...said};
}

async function ask(query: ClusterQuery, {secret = {}, builders = {}, nodes = {stdout: NO_ITEMS}}: Scene) {
  const asked: (readonly string[])[] = [];
  const facts = await askKubectl(async (args) => {
    asked.push(args);
    if (args[1] === '--raw') return answer(nodes);
    return answer(args[1] === GET_BUILDERS[1] ? builders : secret);
  }, query);
  return {facts, asked};
}

async function failure(query: ClusterQuery, scene: Scene) {
  return await ask(query, scene).then(
    () => undefined,
    (error) => error,
  );
}

const NO_ITEMS = '{"kind":"List","items":[]}';
const SECRET_ROW = 'docker-registry   kubernetes.io/dockerconfigjson   1     26h\n';
const SECRET = {kind: 'found', value: {type: 'kubernetes.io/dockerconfigjson'}} as const;
const MISSING = {kind: 'missing'} as const;
const DEPLOYMENT = readApiRecording('builder-by-plugin').body;
const CONFIG_MAP = (readBuilderRecording('builder-by-plugin-configmap') as {body: unknown}).body;
const list = (...items: readonly unknown[]) => JSON.stringify({apiVersion: 'v1', kind: 'List', items});
const found = (...value: readonly unknown[]) => ({kind: 'found', value});
const forbidden = (message: string) => ({kind: 'forbidden', message});
const no = (resource: string) => `${resource} is forbidden: User "nobody" cannot get resource`;
const refused = (resource: string) => `Error from server (Forbidden): ${no(resource)}\n`;
const LOGIN = 'To sign in, use a web browser to open the page https://example.com/device\n';

describe('askKubectl', () => {
  it('asks for each thing in a process of its own, for the secret in the form that shows no data', async () => {
    const {facts, asked} = await ask(ALL, {
      secret: {stdout: SECRET_ROW},
      builders: {stdout: list(DEPLOYMENT, CONFIG_MAP)},
    });
    expect(asked).to.deep.equal([GET_SECRET, GET_BUILDERS, GET_NODES]);
    expect(facts).to.deep.equal({
      pullSecret: SECRET,
      deployments: found(DEPLOYMENT),
      configMaps: found(CONFIG_MAP),
      nodes: found(),
    });
  });

  it('asks for them side by side', async () => {
    let [running, most] = [0, 0];
    await askKubectl(async (args) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running -= 1;
      return answer({stdout: args[1] === '--raw' ? NO_ITEMS : ''});
    }, ALL);
    expect(most).to.equal(3);
  });

  for (const [what, query, calls] of [
    ['the secret', SECRET_ONLY, [GET_SECRET]],
    ['the builders', BUILDERS_ONLY, [GET_BUILDERS]],
    ['the nodes', NODES_ONLY, [GET_NODES]],
    ['nothing', {builders: false, nodes: false}, []],
  ] as const) {
    it(`asks for nothing that is not wanted: ${what} alone`, async () => {
      expect((await ask(query, {})).asked).to.deep.equal(calls);
    });
  }

  for (const [what, said, pullSecret] of [
    ['no secret', {}, MISSING],
    ['a secret', {stdout: SECRET_ROW}, SECRET],
    [
      'a secret of another type',
      {stdout: 'docker-registry   Opaque   0     3d4h\n'},
      {kind: 'found', value: {type: 'Opaque'}},
    ],
    ['a warning beside the row', {stdout: SECRET_ROW, stderr: 'Warning: v1 is old\n', exitCode: 0}, SECRET],
    [
      'a 403 for the secret',
      {stderr: refused('secrets "docker-registry"')},
      forbidden(no('secrets "docker-registry"')),
    ],
    [
      'a 403 behind what a login program says',
      {stderr: LOGIN + refused('secrets "docker-registry"')},
      forbidden(no('secrets "docker-registry"')),
    ],
  ] as const) {
    it(`reads ${what}`, async () => {
      expect((await ask(SECRET_ONLY, {secret: said})).facts).to.deep.equal({pullSecret, nodes: undefined});
    });
  }

  for (const [what, said, deployments, configMaps] of [
    ['neither of a builder', {stdout: list()}, found(), found()],
    ['no word on builders', {}, found(), found()],
    ['a Deployment alone', {stdout: list(DEPLOYMENT)}, found(DEPLOYMENT), found()],
    ['a ConfigMap alone', {stdout: list(CONFIG_MAP)}, found(), found(CONFIG_MAP)],
    [
      'several of both',
      {stdout: list(DEPLOYMENT, CONFIG_MAP, DEPLOYMENT, CONFIG_MAP)},
      found(DEPLOYMENT, DEPLOYMENT),
      found(CONFIG_MAP, CONFIG_MAP),
    ],
    [
      'a 403 for the Deployments',
      {stdout: list(CONFIG_MAP), stderr: refused('deployments.apps')},
      forbidden(no('deployments.apps')),
      found(CONFIG_MAP),
    ],
    [
      'a 403 for the ConfigMaps',
      {stdout: list(DEPLOYMENT), stderr: refused('configmaps')},
      found(DEPLOYMENT),
      forbidden(no('configmaps')),
    ],
    [
      'a 403 for both',
      {stderr: refused('deployments.apps') + refused('configmaps')},
      forbidden(no('deployments.apps')),
      forbidden(no('configmaps')),
    ],
    ['objects that are none', {stdout: '{"items":[null,5,{}]}'}, found(), found()],
  ] as const) {
    it(`reads ${what}`, async () => {
      expect((await ask(BUILDERS_ONLY, {builders: said})).facts).to.deep.equal({
        pullSecret: undefined,
        deployments,
        configMaps,
        nodes: undefined,
      });
    });
  }

  it('reads the nodes that a real API server answered', async () => {
    const {body} = readApiRecording('nodes-kind');
    const {nodes} = (await ask(NODES_ONLY, {nodes: {stdout: JSON.stringify(body)}})).facts;
    expect(nodes).to.deep.equal({kind: 'found', value: (body as {items: unknown[]}).items});
  });

  it('reads a 403 for the nodes beside the other answers', async () => {
    const {facts, asked} = await ask(ALL, {
      secret: {stdout: SECRET_ROW},
      builders: {stdout: list()},
      nodes: {stderr: refused('nodes')},
    });
    expect(asked).to.deep.equal([GET_SECRET, GET_BUILDERS, GET_NODES]);
    expect(facts).to.deep.equal({
      pullSecret: SECRET,
      deployments: found(),
      configMaps: found(),
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
    [
      'a 403 for no resource at all',
      'Error from server (Forbidden): forbidden: User "u" cannot get path "/api"\n',
      'cannot get path',
    ],
  ] as const) {
    for (const [asked, query, scene] of [
      ['the secret', SECRET_ONLY, {secret: {stderr}}],
      ['the builders', BUILDERS_ONLY, {builders: {stderr}}],
      ['the nodes', NODES_ONLY, {nodes: {stderr}}],
    ] as const) {
      it(`throws what kubectl said of ${what}, asked for ${asked}`, async () => {
        const error = await failure(query, scene);
        expect(error).to.be.instanceOf(KubectlFailure);
        // That of the nodes may be about what else it was given instead.
        if (query !== NODES_ONLY) expect(error.message).to.include(message);
      });
    }
  }

  for (const [asked, query, scene] of [
    ['the secret', SECRET_ONLY, {secret: {exitCode: undefined, signal: 'SIGTERM'}}],
    ['the builders', BUILDERS_ONLY, {builders: {exitCode: undefined, signal: 'SIGTERM'}}],
    ['the nodes', NODES_ONLY, {nodes: {exitCode: undefined, signal: 'SIGTERM'}}],
  ] as const) {
    it(`throws where kubectl was killed without a word, asked for ${asked}`, async () => {
      const error = await failure(query, scene);
      expect(error).to.be.instanceOf(KubectlFailure);
      expect(error.message).not.to.equal('');
    });
  }

  it('throws a failure of kubectl where there is something other than JSON', async () => {
    const said = {stdout: '<html>'};
    expect(await failure(NODES_ONLY, {nodes: said})).to.be.instanceOf(KubectlFailure);
    expect(await failure(BUILDERS_ONLY, {builders: said})).to.be.instanceOf(KubectlFailure);
  });
});

describe('getRaw', () => {
  const PATH = '/api/v1/namespaces/ns/pods?limit=5';

  async function get(said: Said) {
    const asked: (readonly string[])[] = [];
    const result = await getRaw(async (args) => {
      asked.push(args);
      return answer(said);
    }, PATH).catch((error) => error);
    expect(asked).to.deep.equal([['get', '--raw', PATH]]);
    return result;
  }

  for (const [what, said, result] of [
    ['what is there', {stdout: '{"a":[1]}'}, {kind: 'found', value: {a: [1]}}],
    ['that there is nothing', {stderr: 'Error from server (NotFound): namespaces "ns" not found\n'}, MISSING],
    ['a 403', {stderr: refused('pods')}, forbidden(no('pods'))],
    ['a 403 behind a login', {stderr: LOGIN + refused('pods')}, forbidden(no('pods'))],
  ] as const) {
    it(`tells ${what}`, async () => expect(await get(said)).to.deep.equal(result));
  }

  for (const [what, said, message] of [
    ['no server', {stderr: 'Unable to connect to the server: EOF\n'}, 'Unable to connect'],
    [
      'a server that is ill',
      {stderr: 'Error from server (ServiceUnavailable): the server is currently unable\n'},
      'currently unable',
    ],
    ['a page of something else', {stdout: '<html>'}, 'not JSON'],
    ['an end without a word', {exitCode: undefined, signal: 'SIGKILL'}, ''],
  ] as const) {
    it(`throws for ${what}`, async () => {
      const error = await get(said);
      expect(error).to.be.instanceOf(KubectlFailure);
      expect(error.message).to.include(message);
    });
  }
});

describe('isForeignLine', () => {
  for (const [line, foreign] of [
    ['To sign in, use a web browser', true],
    ['', false],
    ['  ', false],
    ['Error from server (Forbidden): no', false],
    ['error: You must be logged in', false],
    ['Unable to connect to the server: EOF', false],
    ['E1125 01:11:19.1 1 memcache.go:265] "x"', false],
    ['Warning: v1 is old', false],
  ] as const) {
    it(`is ${foreign} for ${JSON.stringify(line)}`, () => expect(isForeignLine(line)).to.equal(foreign));
  }
});
