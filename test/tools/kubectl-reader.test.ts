/** Covers what is read from kubectl's output, given here literally. */
import {expect} from 'chai';
import type {ClusterQuery} from '../../src/cluster/api/facts.ts';
import {isForeignLine, KubectlFailure, readThroughKubectl} from '../../src/system/kubectl-reader.ts';
import type {Collected} from '../../src/system/runner.ts';
import {readApiRecording, readBuilderRecording} from '../helpers/api-samples.ts';
import {catchError} from '../helpers/caught.ts';

type Said = Partial<Collected>;

const NO_ITEMS = '{"kind":"List","items":[]}';
const SECRET: ClusterQuery = {pullSecret: 'docker-registry', builders: false};
const BUILDERS: ClusterQuery = {builders: true};
const NODES: ClusterQuery = {builders: false, nodes: 'some'};
const ALL: ClusterQuery = {...SECRET, builders: true, nodes: 'some'};

const GET_SECRET = ['get', 'secrets/docker-registry', '--no-headers', '--ignore-not-found'];
const LABELS = 'rootless,runtime,worker';
const GET_BUILDERS = ['get', 'deployments.apps,configmaps', '--selector', LABELS, '--output', 'json'];
const GET_NODES = ['get', '--raw', '/api/v1/nodes?limit=50'];

const ROW = 'docker-registry   kubernetes.io/dockerconfigjson   1     26h\n';
const DEPLOYMENT = readApiRecording('builder-by-plugin').body;
const CONFIG_MAP = (readBuilderRecording('builder-by-plugin-configmap') as {body: unknown}).body;
const NODE_LIST = readApiRecording('nodes-kind').body as {items: unknown[]};
const LOGIN = 'To sign in, use a web browser to open the page https://example.com/device\n';

const list = (...items: readonly unknown[]) => JSON.stringify({apiVersion: 'v1', kind: 'List', items});
const found = (...value: readonly unknown[]) => ({kind: 'found', value});
const secret = (type: string) => ({kind: 'found', value: {type}});
const message = (resource: string) => `${resource} is forbidden: User "nobody" cannot get resource`;
const forbidden = (resource: string) => ({kind: 'forbidden', message: message(resource)});
const refused = (resource: string) => `Error from server (Forbidden): ${message(resource)}\n`;

/** Answers each call of kubectl with `said`, or what `said` makes of its arguments; logs the calls. */
function open(said: Said | ((args: readonly string[]) => Said)) {
  const calls: (readonly string[])[] = [];
  const reads = readThroughKubectl(async (args) => {
    calls.push(args);
    const {stderr = '', ...rest} = typeof said === 'function' ? said(args) : said;
    return {stdout: '', stderr, exitCode: stderr === '' ? 0 : 1, signal: undefined, ...rest};
  });
  return {reads, calls};
}

/** The facts that are there. */
async function read(query: ClusterQuery, said: Parameters<typeof open>[0]) {
  const facts = await open(said).reads.read(query);
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

describe('reading facts through kubectl', () => {
  for (const [what, query, expected] of [
    ['the secret', SECRET, [GET_SECRET]],
    ['the builders', BUILDERS, [GET_BUILDERS]],
    ['the nodes', NODES, [GET_NODES]],
    ['everything', ALL, [GET_SECRET, GET_BUILDERS, GET_NODES]],
  ] as const) {
    it(`asks for no more than is wanted: ${what}`, async () => {
      const {reads, calls} = open(({1: what}) => ({stdout: what === '--raw' ? NO_ITEMS : ''}));
      const reading = reads.read(query);
      // All at once: none waits for another.
      expect(calls).to.deep.equal(expected);
      await reading;
    });
  }

  const cases: readonly (readonly [string, ClusterQuery, Said, object])[] = [
    ['no secret', SECRET, {}, {pullSecret: {kind: 'missing'}}],
    ['a secret', SECRET, {stdout: ROW}, {pullSecret: secret('kubernetes.io/dockerconfigjson')}],
    [
      'a warning beside the row',
      SECRET,
      {stdout: ROW, stderr: 'Warning: v1 is old\n', exitCode: 0},
      {pullSecret: secret('kubernetes.io/dockerconfigjson')},
    ],
    [
      'a 403 after what a login plugin says',
      SECRET,
      {stderr: LOGIN + refused('secrets "docker-registry"')},
      {pullSecret: forbidden('secrets "docker-registry"')},
    ],
    ['no output', BUILDERS, {}, {deployments: found(), configMaps: found()}],
    [
      'builders',
      BUILDERS,
      {stdout: list(DEPLOYMENT, CONFIG_MAP, DEPLOYMENT)},
      {deployments: found(DEPLOYMENT, DEPLOYMENT), configMaps: found(CONFIG_MAP)},
    ],
    [
      'a 403 for the Deployments',
      BUILDERS,
      {stdout: list(CONFIG_MAP), stderr: refused('deployments.apps')},
      {deployments: forbidden('deployments.apps'), configMaps: found(CONFIG_MAP)},
    ],
    [
      'a 403 for both',
      BUILDERS,
      {stderr: refused('deployments.apps') + refused('configmaps')},
      {deployments: forbidden('deployments.apps'), configMaps: forbidden('configmaps')},
    ],
    [
      'values that are no objects',
      BUILDERS,
      {stdout: '{"items":[null,5,{}]}'},
      {deployments: found(), configMaps: found()},
    ],
    ['nodes', NODES, {stdout: JSON.stringify(NODE_LIST)}, {nodes: found(...NODE_LIST.items)}],
    ['a 403 for the nodes', NODES, {stderr: refused('nodes')}, {nodes: forbidden('nodes')}],
  ];
  for (const [what, query, said, facts] of cases) {
    it(`gives ${what}`, async () => expect(await read(query, said)).to.deep.equal(facts));
  }

  for (const query of [SECRET, BUILDERS]) {
    const unknown = 'Error from server (Forbidden): unknown\n';

    it(`gives the reason where kubectl does not know it: ${Object.keys(query)}`, async () => {
      const reason = 'users "jane" is forbidden: User "dev" cannot impersonate resource "users"';
      const {reads, calls} = open(({1: what}) =>
        what === '--raw' ? {stderr: `Error from server (Forbidden): ${reason}\n`} : {stderr: unknown},
      );
      expect((await catchError(reads.read(query))).message).to.contain(reason);
      expect(calls.at(-1)).to.deep.equal(['get', '--raw', '/api']);
    });

    it(`says what kubectl says where it does not learn more: ${Object.keys(query)}`, async () => {
      const {reads} = open(({1: what}) => (what === '--raw' ? {stdout: '{}'} : {stderr: unknown}));
      expect((await catchError(reads.read(query))).message).to.equal(unknown.trim());
    });
  }

  it('gives the other answers beside a 403', async () => {
    const facts = await read(ALL, ({1: what}) => {
      if (what === '--raw') return {stderr: refused('nodes')};
      return {stdout: what === GET_SECRET[1] ? ROW : list()};
    });
    expect(facts).to.deep.equal({
      pullSecret: secret('kubernetes.io/dockerconfigjson'),
      deployments: found(),
      configMaps: found(),
      nodes: forbidden('nodes'),
    });
  });

  const server = 'The connection to the server localhost:1 was refused\n';
  const failures: readonly (readonly [string, ClusterQuery, Said, string])[] = [
    ['no server', BUILDERS, {stderr: server}, 'localhost:1 was refused'],
    ['no server, asked for a secret', SECRET, {stderr: server}, 'localhost:1 was refused'],
    [
      'klog lines first',
      NODES,
      {stderr: 'E1125 01:11:19.1 1 memcache.go:265] "x"\nUnable to connect to the server: EOF\n'},
      'Unable to connect',
    ],
    [
      'a 403 and another error',
      SECRET,
      {stderr: `${refused('secrets "x"')}Error from server (InternalError): etcd is ill\n`},
      'etcd is ill',
    ],
    ['a 403 for another resource', BUILDERS, {stderr: refused('pods')}, 'pods is forbidden'],
    [
      'a 403 for no resource',
      NODES,
      {stderr: 'Error from server (Forbidden): forbidden: User "u" cannot get path "/api"\n'},
      'cannot get path',
    ],
    ['no word at all', SECRET, {exitCode: undefined, signal: 'SIGTERM'}, 'without a message'],
  ];
  for (const [what, query, said, expected] of failures) {
    it(`throws for ${what}`, async () => {
      const error = await catchError(open(said).reads.read(query));
      expect(error).to.be.instanceOf(KubectlFailure);
      expect(String(error)).to.include(expected);
    });
  }

  it('throws for output that is not JSON', async () => {
    for (const query of [NODES, BUILDERS])
      expect(await catchError(open({stdout: '<html>'}).reads.read(query))).to.be.instanceOf(KubectlFailure);
  });
});

describe('reading a path through kubectl', () => {
  const PATH = '/api/v1/namespaces/ns/pods?limit=5';

  for (const [what, said, answer] of [
    ['an object', {stdout: '{"a":[1]}'}, {kind: 'found', value: {a: [1]}}],
    ['a 404', {stderr: 'Error from server (NotFound): namespaces "ns" not found\n'}, {kind: 'missing'}],
    ['a 403 after what a login plugin says', {stderr: LOGIN + refused('pods')}, forbidden('pods')],
  ] as const) {
    it(`gives ${what}`, async () => {
      const {reads, calls} = open(said);
      expect(await reads.get(PATH)).to.deep.equal(answer);
      expect(calls).to.deep.equal([['get', '--raw', PATH]]);
    });
  }

  for (const [what, said, expected] of [
    ['an error of the server', {stderr: 'Error from server (ServiceUnavailable): is unable\n'}, 'is unable'],
    ['output that is not JSON', {stdout: '<html>'}, 'not JSON'],
  ] as const) {
    it(`throws for ${what}`, async () => {
      const error = await catchError(open(said).reads.get(PATH));
      expect(error).to.be.instanceOf(KubectlFailure);
      expect(String(error)).to.include(expected);
    });
  }
});

describe('isForeignLine', () => {
  it('is a line of a login plugin, not of kubectl', () => {
    expect(isForeignLine('To sign in, use a web browser')).to.equal(true);
    for (const line of [
      '',
      '  ',
      'Error from server (Forbidden): no',
      'error: You must be logged in',
      'Unable to connect to the server: EOF',
      'E1125 01:11:19.1 1 memcache.go:265] "x"',
      'Warning: v1 is old',
    ])
      expect(isForeignLine(line), line).to.equal(false);
  });
});
