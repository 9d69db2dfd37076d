/** Covers in which pod the registries of a builder's node are read, and what the programs there may do. */
import {expect} from 'chai';
import {readNodeRegistries} from '../../../../src/builder/ensure/node-registries.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {TiltbuildError} from '../../../../src/errors.ts';
import {catchError} from '../../../helpers/caught.ts';
import {
  forbidden,
  list,
  pod,
  type Said,
  type Scripted,
  scriptCluster,
  workingDeployment,
} from '../builder-world.ts';

const BUILDER = {...readBuilderDeployment(workingDeployment()), nodeRegistries: '/etc/containerd/certs.d'};
const FILE = '/etc/containerd/certs.d/quay.io/hosts.toml';
const PODS = list(pod({name: 'new', owner: 'new'}), pod({name: 'old', owner: 'old', deleting: true}));

const GREP = {stdout: `${FILE}:[host."http://m.example"]\n`};

async function read(pods: Scripted, find: Said = {stdout: `${FILE}\n`}, grep: Said = GREP) {
  const cluster = scriptCluster({
    get: {pods: [pods]},
    kubectl: (args) => (args.includes('grep') ? grep : find),
  });
  const registries = await readNodeRegistries(BUILDER, cluster);
  return {tables: registries?.tables, pods: new Set(cluster.calls.map(({args}) => args[1]))};
}

const TABLES = {'quay.io': {mirrors: ['m.example']}, 'm.example': {http: true}};

describe('readNodeRegistries', () => {
  it('asks a pod that mounts them, and not one from before', async () => {
    expect(await read(PODS)).to.deep.equal({tables: TABLES, pods: new Set(['new'])});
  });

  it('asks any pod without permission to list them', async () => {
    expect((await read(forbidden('no'))).pods).to.deep.equal(new Set([`deployment/${BUILDER.name}`]));
  });

  it('reads what is there beside a link that leads nowhere', async () => {
    expect((await read(PODS, {stdout: `${FILE}\n`, exitCode: 1})).tables).to.deep.equal(TABLES);
  });

  it('takes an empty file as containerd does, for none', async () => {
    const {tables} = await read(PODS, undefined, {exitCode: 1, stderr: ''});
    expect(tables).to.deep.equal({'quay.io': {tlsconfigdir: ['/etc/containerd/certs.d/quay.io']}});
  });

  it('fails with what the programs say', async () => {
    const error = await catchError(read(PODS, {exitCode: 1, stderr: 'no find here\n'}));
    expect(error).to.deep.include({code: 'builder-failed', detail: ['no find here']});
  });

  it('fails with the beginning of what programs say of every file', async () => {
    const stderr = `${'find: denied\n'.repeat(10_000)}${'x'.repeat(1_000_000)}`;
    const error = await catchError(read(PODS, {exitCode: 1, stderr}));
    expect(error instanceof TiltbuildError && error.detail.join('\n')).to.match(/^find: denied\n.{0,4096}$/s);
  });

  it('asks nobody where no pod mounts them, or none is ready', async () => {
    for (const builder of [
      undefined,
      {...BUILDER, nodeRegistries: undefined},
      {...BUILDER, readyReplicas: 0},
    ])
      expect(await readNodeRegistries(builder as typeof BUILDER, scriptCluster())).to.equal(undefined);
  });
});
