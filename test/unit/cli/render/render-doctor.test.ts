/** Covers how a diagnosis is shown: the whole text, wide and narrow, with and without colour, and as JSON. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {renderDoctor} from '../../../../src/cli/render/render-doctor.ts';
import {type Findings, fail, makeReport, ok, skip, warn} from '../../../../src/doctor/report.ts';
import {command} from '../../../../src/text/advice.ts';

const HEALTHY = {
  kubectl: ok('v1.35.2, /usr/local/bin/kubectl, for Kubernetes v1.36.2'),
  build: ok('/home/me/.krew/bin/kubectl-build'),
  buildkit: ok('v0.1.6, /home/me/.krew/bin/kubectl-buildkit'),
  engine: ok('kubectl-build: found at /home/me/.krew/bin/kubectl-build'),
  path: ok('no plugin is there twice (9 directories)'),
  tilt: ok('v0.37.0, /usr/local/bin/tilt'),
  kubeconfig: ok('context "kind-demo", namespace "default"'),
  server: ok('https://127.0.0.1:42355 answers in under 10 ms, Kubernetes v1.36.2'),
  user: ok('kubernetes-admin'),
  rights: ok('all that builds and builders need in namespace "default"'),
  product: ok('kind: the cluster is called "kind-demo"'),
  nodes: ok('1 node: containerd 2.1.9 on linux/amd64'),
  builder: ok('"buildkit" is ready: BuildKit v0.32.2, RUN works'),
  'pull-secret': ok('"docker-registry": it exists, and no other is named; there is also ghcr'),
} satisfies Findings;

const WARNED: Findings = {
  ...HEALTHY,
  builder: warn(
    '"buildkit" harms its node at every start (it mounts /run/containerd/containerd.sock inside a directory that it shares with the node, and the node\'s mounts double); the next build that finds it idle replaces it',
    command(...'kubectl tiltbuild builder create buildkit --replace --namespace default'.split(' ')),
  ),
};

const SICK = {
  ...HEALTHY,
  build: warn('/usr/local/bin/kubectl-build is for amd64, and this machine is arm64', 'Remove it.'),
  engine: fail(
    'kubectl build cannot be used: /usr/local/bin/kubectl-build is for amd64',
    'Use `--engine auto`.',
  ),
  server: fail(
    'The API server at https://127.0.0.1:42355 (cluster "kind-demo", context "kind-demo") could not be reached. (connect ECONNREFUSED 127.0.0.1:42355)',
    command('docker', 'start', 'demo-control-plane'),
  ),
  user: skip('server'),
  rights: skip('server'),
  nodes: skip('server'),
  builder: skip('server'),
  'pull-secret': skip('server'),
} satisfies Findings;

const goldenFile = (name: string) => join(import.meta.dirname, '../../../fixtures/doctor', `${name}.txt`);
const golden = (name: string) => readFileSync(goldenFile(name), 'utf8');

describe('renderDoctor', () => {
  for (const [name, findings, width, colour] of [
    ['healthy-80', HEALTHY, 80, false],
    ['warned-80', WARNED, 80, false],
    ['sick-80', SICK, 80, false],
    ['sick-80-colour', SICK, 80, true],
    ['sick-40', SICK, 40, false],
    ['warned-40-colour', WARNED, 40, true],
  ] as const) {
    it(`shows as it should: ${name}`, () => {
      const text = renderDoctor(makeReport(findings, 'server'), 'text', {colour, width});
      if (process.env.UPDATE_GOLDEN) writeFileSync(goldenFile(name), text);
      expect(text).to.equal(golden(name));
    });
  }

  it('is 80 columns wide where there is no terminal, and does not stretch', () => {
    const show = (width: number | undefined) =>
      renderDoctor(makeReport(SICK, 'server'), 'text', {colour: false, width});
    expect(show(undefined)).to.equal(golden('sick-80'));
    expect(show(400)).to.equal(show(100));
  });

  it('gives all of it as one JSON object', () => {
    const text = renderDoctor(makeReport(SICK, 'server'), 'json', {colour: true, width: 40});
    expect(text.indexOf('\n')).to.equal(text.length - 1);
    const {works, checks} = JSON.parse(text);
    expect([works, checks.length]).to.deep.equal([false, 14]);
    const {found, fix} = SICK.build;
    const plain = {name: 'build', title: 'kubectl build', mark: 'warn', found, waitsFor: null};
    expect(checks[1]).to.deep.equal({...plain, fix: {kind: 'advice', text: fix}});
    expect(checks[8]).to.deep.include({name: 'user', mark: 'skipped', fix: null, waitsFor: 'server'});
  });
});
