/** Owns the proof that the stand-in API server answers as a real one did, and refuses what a real one refuses. */
import {readdirSync} from 'node:fs';
import {request} from 'node:https';
import {join} from 'node:path';
import {expect} from 'chai';
import {readApiRecording} from '../helpers/api-samples.ts';
import {type ApiServer, addBuilder, builderDeployment, node, startApiServer} from '../helpers/api-server.ts';

const recordings = readdirSync(join(import.meta.dirname, '..', 'fixtures', 'recordings', 'api'));
const IN_DEFAULT = '/api/v1/namespaces/default';
const CONFIG_MAPS = `${IN_DEFAULT}/configmaps`;
const PODS = `${IN_DEFAULT}/pods`;
const BUILDER = '/apis/apps/v1/namespaces/default/deployments/buildkit';
const APPLY = 'application/apply-patch+yaml';

describe('the stand-in API server', () => {
  let api: ApiServer;
  beforeEach(async () => {
    api = await startApiServer({state: {nodes: [node()]}});
  });
  afterEach(() => api.close());

  async function call(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: object,
  ) {
    const options = {ca: api.authority, method, headers};
    const answer = await new Promise<{status: number | undefined; text: string}>((resolve, reject) => {
      const sent = request(`${api.url}${path}`, options, async (response) => {
        const text = (await response.setEncoding('utf8').toArray()).join('');
        resolve({status: response.statusCode, text});
      });
      sent.on('error', reject).end(body && JSON.stringify(body));
    });
    return {status: answer.status, body: JSON.parse(answer.text)};
  }
  const login = () => ({Authorization: `Bearer ${api.token}`, Accept: 'application/json'});

  /** What no two servers have in common. */
  const comparable = (body: unknown) =>
    JSON.parse(JSON.stringify(body), (key, value) =>
      ['resourceVersion', 'uid', 'creationTimestamp'].includes(key) ? undefined : value,
    );
  // Nobody asks for a secret's metadata alone.
  for (const name of recordings
    .map((file) => file.replace('.json', ''))
    .filter((n) => n !== 'secret-partial')) {
    it(`answers as recorded: ${name}`, async () => {
      const recorded = readApiRecording(name);
      const {path, accept = 'application/json'} = recorded.request;
      const namespace = 'default';
      api.state.secrets = [
        {namespace, name: 'docker-registry', type: 'kubernetes.io/dockerconfigjson'},
        {namespace, name: 'opaque', type: 'Opaque'},
      ];
      if (name !== 'builder-missing') api.state.deployments = [builderDeployment()];
      if (recorded.status === 403) api.state.forbidden = new Set(['secrets', 'deployments', 'nodes']);
      const {status, body} = await call('GET', path, {
        ...(recorded.status !== 401 && login()),
        ...(recorded.status === 403 && {'Impersonate-User': 'system:serviceaccount:default:nobody'}),
        Accept: accept,
      });
      expect(status).to.equal(recorded.status);
      expect(comparable(body)).to.deep.equal(comparable(recorded.body));
    });
  }

  const configMap = (metadata: object) => ({apiVersion: 'v1', kind: 'ConfigMap', metadata});
  const fresh = configMap({name: 'buildkit'});
  const stale = configMap({name: 'buildkit', resourceVersion: '1'});
  const {metadata: _, ...named} = builderDeployment({name: 'other'});
  const other = {...named, metadata: {name: 'buildkit'}};
  const refused: readonly (readonly [string, number, string, string, object?, string?])[] = [
    ['a resource of another group', 404, 'GET', `${IN_DEFAULT}/deployments`],
    ['an exec without an upgrade', 404, 'GET', `${PODS}/x/exec`],
    ['a selector that it does not read', 400, 'GET', `${PODS}?labelSelector=a!%3Db`],
    ['a watch that it does not know', 400, 'GET', `${PODS}?watch=true`],
    ['the end of a pod', 405, 'DELETE', `${PODS}/x`],
    ['a write of a secret', 405, 'POST', `${IN_DEFAULT}/secrets`, configMap({name: 'x'})],
    ['a patch that is no apply', 415, 'PATCH', `${CONFIG_MAPS}/buildkit`, {}, 'application/merge-patch+json'],
    ['another name than its own', 400, 'PUT', `${CONFIG_MAPS}/buildkit`, configMap({name: 'x'})],
    ['what is there already', 409, 'POST', CONFIG_MAPS, fresh],
    ['what is in no namespace', 404, 'POST', '/api/v1/namespaces/no/configmaps', configMap({name: 'x'})],
    ['a version that has passed', 409, 'PUT', `${CONFIG_MAPS}/buildkit`, stale],
    ["others' fields", 409, 'PATCH', `${CONFIG_MAPS}/buildkit?fieldManager=me`, fresh, APPLY],
    ['another selector', 422, 'PUT', BUILDER, other],
  ];
  for (const [what, status, method, path, sent, contentType = 'application/json'] of refused) {
    it(`refuses ${what}`, async () => {
      addBuilder(api.state, {kind: 'plugin'});
      const written = () => [api.state.deployments, api.state.configmaps];
      const before = written();
      const answer = await call(method, path, {...login(), 'Content-Type': contentType}, sent);
      expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
      expect(answer.body).to.include({kind: 'Status', status: 'Failure', code: status});
      expect(written()).to.deep.equal(before);
    });
  }
});
