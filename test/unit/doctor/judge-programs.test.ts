/** Covers the checks of the programs on this machine, case by case. */
import {expect} from 'chai';
import {judgeEngine, judgePrograms} from '../../../src/doctor/judge-programs.ts';
import type {ProgramFacts} from '../../../src/doctor/look-at-programs.ts';
import type {Mark} from '../../../src/doctor/report.ts';
import {formatAdvice} from '../../../src/text/advice.ts';

type Name = keyof ReturnType<typeof judgePrograms>;

const kubectl = (version?: string) => ({kubectl: {path: '/bin/kubectl', version}});
const buildkit = (version?: string) => ({buildkit: {path: '/b/kubectl-buildkit', version}});
const tilt = (version?: string) => ({tilt: {path: '/b/tilt', version}});
const twins = [{name: 'kubectl-build', files: ['/a/kubectl-build', '/b/kubectl-build']}];

const CASES: readonly (readonly [Name, mark: Mark, found: string, Partial<ProgramFacts>, server?: string])[] =
  [
    ['kubectl', 'ok', 'v1.36.0, /bin/kubectl, for', kubectl('v1.36.0'), 'v1.36.2'],
    ['kubectl', 'ok', 'for Kubernetes v1.36.2', kubectl('v1.35.9'), 'v1.36.2'],
    ['kubectl', 'ok', 'for Kubernetes v1.36.2-gke.1', kubectl('v1.37.0'), 'v1.36.2-gke.1'],
    ['kubectl', 'warn', '2 minor versions behind', kubectl('v1.34.0'), 'v1.36.2'],
    ['kubectl', 'warn', '4 minor versions ahead of', kubectl('v1.36.0'), 'v1.32.0+k3s1'],
    ['kubectl', 'ok', 'v1.34.0, /bin/kubectl', kubectl('v1.34.0')],
    ['kubectl', 'ok', 'unknown, /bin/kubectl', kubectl('unknown'), 'v1.36.2'],
    ['kubectl', 'warn', '/bin/kubectl, version unknown', kubectl(), 'v1.36.2'],
    ['kubectl', 'warn', 'creating and repairing builders needs it', {}, 'v1.36.2'],
    ['build', 'ok', '/bin/kubectl-build', {build: {path: '/bin/kubectl-build'}}],
    ['build', 'ok', 'not installed; the builtin engine builds without it', {}],
    ['build', 'warn', '/b/kubectl-build is empty', {build: {path: '/b/kubectl-build', flaw: 'is empty'}}],
    ['buildkit', 'ok', 'v0.1.6, /b/', buildkit('v0.1.6')],
    ['buildkit', 'ok', 'version unknown', buildkit()],
    ['buildkit', 'ok', 'a build does not need it', {}],
    ['tilt', 'ok', 'v0.37.0, /b/tilt', tilt('v0.37.0')],
    ['tilt', 'ok', '/b/tilt, version unknown', tilt()],
    ['tilt', 'ok', 'not installed', {}],
    ['path', 'ok', '(1 directory)', {path: ['/bin']}],
    ['path', 'ok', '(3 directories)', {path: ['/bin', 'C:\\bin', '\\\\host\\bin']}],
    ['path', 'warn', 'empty', {path: ['/bin', '']}],
    ['path', 'warn', '"bin" is relative', {path: ['bin', '/bin']}],
    ['path', 'warn', '/a/kubectl-build runs, /b/kubectl-build does not', {twins}],
  ];

describe('the checks of programs', () => {
  for (const [name, mark, found, programs, server] of CASES) {
    it(`report ${mark} for ${name}: ${found}`, () => {
      const finding = judgePrograms({path: [], twins: [], ...programs}, {server, needed: false})[name];
      expect(finding.mark).to.equal(mark);
      expect(finding.found).to.contain(found);
      // A kubectl that reports no version may still be a good one.
      expect(finding.fix !== undefined).to.equal(mark !== 'ok' && !found.includes('version unknown'));
    });
  }

  it('fail without kubectl if nothing else can reach the cluster, and say where to get it', () => {
    const {kubectl: finding} = judgePrograms({path: [], twins: []}, {needed: true});
    expect(finding.mark).to.equal('fail');
    expect(formatAdvice(finding.fix ?? '')).to.contain('https://kubernetes.io/docs');
  });
});

type EngineCase = readonly [
  engine: 'auto' | 'builtin' | 'kubectl-build',
  build: ProgramFacts['build'],
  facts: {readonly env?: Readonly<Record<string, string>>; readonly replicas?: number},
  mark: Mark,
  found: string,
];

describe('the check of the engine', () => {
  const plugin = {path: '/bin/kubectl-build'};
  const wrong = {...plugin, flaw: 'is empty'};
  const SOCKS = {ALL_PROXY: 'socks5://127.0.0.1:1080'};
  const CASES: readonly EngineCase[] = [
    ['auto', plugin, {}, 'ok', 'kubectl-build: found at /bin/kubectl-build'],
    ['auto', undefined, {}, 'ok', 'builtin: kubectl build is not installed'],
    ['auto', wrong, {}, 'ok', 'builtin: /bin/kubectl-build is empty'],
    ['auto', plugin, {env: SOCKS}, 'ok', 'builtin: kubectl build cannot use a SOCKS proxy'],
    ['auto', plugin, {replicas: 2}, 'ok', 'builtin: kubectl build copies an image for the nodes of several'],
    ['builtin', plugin, {}, 'ok', 'builtin: the engine is set to builtin'],
    ['kubectl-build', plugin, {}, 'ok', 'kubectl-build: the engine is set to kubectl-build'],
    ['kubectl-build', undefined, {}, 'fail', 'is not installed'],
    ['kubectl-build', wrong, {}, 'fail', 'cannot be used: /bin/kubectl-build is empty'],
    ['kubectl-build', plugin, {env: SOCKS}, 'fail', 'the engine is set to kubectl-build'],
    ['kubectl-build', plugin, {replicas: 2}, 'fail', 'the engine is set to kubectl-build'],
  ];
  for (const [engine, build, {env = {}, replicas}, mark, found] of CASES) {
    it(`reports ${mark}: ${found}`, () => {
      const finding = judgeEngine(engine, {build, env}, replicas);
      expect(finding.mark).to.equal(mark);
      expect(finding.found).to.contain(found);
      expect(finding.fix !== undefined).to.equal(mark === 'fail');
    });
  }
});
