/** Covers the benchmark on a cluster: it runs the programs that it compares, and removes what it created. */
import {join} from 'node:path';
import {expect} from 'chai';
import {benchCluster} from '../../scripts/bench-cluster.ts';
import type {Result} from '../../scripts/bench-measure.ts';
import {type ApiServer, node, startApiServer} from '../helpers/api-server.ts';
import {catchError} from '../helpers/caught.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {program} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {makeSandbox, type Sandbox} from '../helpers/sandbox.ts';
import {KIND_NAMES} from '../helpers/world.ts';

const NAMESPACE = 'kubectl-tiltbuild-bench';

describe('the benchmark on a cluster', () => {
  let api: ApiServer;
  let sandbox: Sandbox;
  beforeEach(async function () {
    if (program.name !== 'binary') this.skip();
    [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
    api.state.nodes.push(node());
    serveBuildkit({api});
    const connection = {auth: 'certificate', names: KIND_NAMES, directory: sandbox.root} as const;
    sandbox.writeKubeconfig(api.kubeconfig(connection));
  });
  afterEach(async () => {
    sandbox?.remove();
    await api?.close();
  });

  async function bench(): Promise<readonly Result[]> {
    const results: Result[] = [];
    const {env, work: directory} = sandbox;
    const programs = {tiltbuild: program.command, kubectl: join(realKubectlDirectory(), 'kubectl')};
    const setting = {baseImage: 'busybox:1.37', rounds: 1, atOnce: 2};
    await benchCluster({...programs, env, directory, ...setting}, (result) => results.push(result));
    return results;
  }

  it('compares rebuilds, several at once, and the way from a saved file to a ready pod', async () => {
    const results = await bench();
    expect(results.map(({title, rows}) => [title, ...rows.map(({name}) => name)])).to.deep.equal([
      [
        'A rebuild that changes nothing, on the cluster',
        'kubectl-build alone',
        'kubectl build, through kubectl',
        'kubectl-tiltbuild',
        'kubectl-tiltbuild, builtin engine',
        'kubectl-tiltbuild, builtin engine, reference file',
      ],
      ['2 rebuilds at once, on the cluster', 'kubectl-build', 'kubectl-tiltbuild'],
      ['From save to a ready pod, a tiny image', 'kubectl build', 'kubectl tiltbuild'],
      ['From save to a ready pod, an image of 500 MB', 'kubectl build', 'kubectl tiltbuild'],
    ]);
    const builds = sandbox.invocations();
    for (const {exitCode} of builds) expect(exitCode).to.equal(0);
    // Each comparison with its rounds and warm-ups: 3 cases × 3, 2 × 2 × 3, 2 × 3, 2 × 2.
    expect(builds).to.have.length(9 + 12 + 6 + 4);
    // Every build is rolled out.
    const path = `/namespaces/${NAMESPACE}/deployments/tiny-build`;
    const applied = api.requests.filter((one) => one.method !== 'GET' && one.path.includes(path));
    expect(applied.length).to.be.greaterThanOrEqual(2);
    expect([...api.state.namespaces]).to.deep.equal(['default']);
  });

  it('leaves nothing on the cluster if it fails', async () => {
    sandbox.setDelegate('run-fails');
    const {message} = await catchError(bench());
    expect(message).to.match(/kubectl-build .*exited with 1:\n[\s\S]*exit code: 7/);
    expect([...api.state.namespaces]).to.deep.equal(['default']);
    expect(api.state.deployments).to.deep.equal([]);
  });

  it('leaves an existing namespace of that name alone', async () => {
    api.state.namespaces.add(NAMESPACE);
    const {message} = await catchError(bench());
    expect(message).to.contain(`namespaces "${NAMESPACE}" already exists`);
    expect([...api.state.namespaces]).to.include(NAMESPACE);
  });
});
