/** Covers which directory of its node a builder keeps its state in. */
import {expect} from 'chai';
import {chooseStateDirectory} from '../../../../src/builder/ensure/state-directory.ts';
import {readBuilderDeployment} from '../../../../src/builder/model/objects.ts';
import {forbidden, found, MISSING, pluginDeployment, scriptCluster} from '../builder-world.ts';

const PLACE = {name: 'b', namespace: 'ns'};
const USUAL = '/var/lib/buildkit/ns_b';
const cluster = (answer = found({metadata: {uid: 'c-1'}})) => scriptCluster({get: {'kube-system': [answer]}});
const old = (root: string, changes: object = {}) => ({
  ...readBuilderDeployment(pluginDeployment()),
  ...{managedByUs: true, readyReplicas: 1, toml: `root = "${root}"\n`},
  ...changes,
});

describe('chooseStateDirectory', () => {
  for (const [what, answer] of [
    ['get kube-system', forbidden('no')],
    ['find it', MISSING],
    ['take its UID for a name', found({metadata: {uid: '../x'}})],
  ] as const) {
    it(`leaves out the cluster if it cannot ${what}`, async () =>
      expect(await chooseStateDirectory(PLACE, cluster(answer as never))).to.equal(USUAL));
  }

  for (const [what, before, directory] of [
    ['of the cluster for a new one', undefined, `${USUAL}_c-1`],
    ['that it has for one that works', old(USUAL), USUAL],
    [
      'of the cluster for one that does not, which may wait for a lock',
      old(USUAL, {readyReplicas: 0}),
      `${USUAL}_c-1`,
    ],
    ['of the cluster for one that somebody else created', old(USUAL, {managedByUs: false}), `${USUAL}_c-1`],
    ['of the cluster for one that was rootless', old('/home/user/.local/share/buildkit'), `${USUAL}_c-1`],
    ['of the cluster for one without a configuration', old('', {toml: undefined}), `${USUAL}_c-1`],
  ] as const) {
    it(`is that ${what}`, async () =>
      expect(await chooseStateDirectory(PLACE, cluster(), before)).to.equal(directory));
  }
});
