/** Covers what is said of the programs on this machine, case by case. */
import {expect} from 'chai';
import {
  judgeBuild,
  judgeBuildkit,
  judgeKubectl,
  judgePath,
  judgeTilt,
} from '../../../src/doctor/judge-programs.ts';
import type {Finding, Mark} from '../../../src/doctor/report.ts';

const kubectl = (version?: string) => ({path: '/bin/kubectl', version});
const on = (server?: string) => ({server, needed: false});
const twins = (...files: string[]) => [{name: 'kubectl-build', files}];

const CASES: readonly (readonly [what: string, finding: Finding, mark: Mark, ...words: string[]])[] = [
  ['the same minor version', judgeKubectl(kubectl('v1.36.0'), on('v1.36.2')), 'ok', 'v1.36.0, /bin/kubectl'],
  ['one behind', judgeKubectl(kubectl('v1.35.9'), on('v1.36.2')), 'ok', 'for Kubernetes v1.36.2'],
  ['one ahead, of a cloud', judgeKubectl(kubectl('v1.37.0'), on('v1.36.2-gke.1')), 'ok'],
  ['two behind', judgeKubectl(kubectl('v1.34.0'), on('v1.36.2')), 'warn', '2 minor versions behind'],
  ['four ahead', judgeKubectl(kubectl('v1.36.0'), on('v1.32.0+k3s1')), 'warn', '4 minor versions ahead of'],
  ['no server to compare with', judgeKubectl(kubectl('v1.34.0'), on()), 'ok', 'v1.34.0, /bin/kubectl'],
  ['a version that is none', judgeKubectl(kubectl('unknown'), on('v1.36.2')), 'ok'],
  ['a kubectl that says nothing', judgeKubectl(kubectl(), on('v1.36.2')), 'warn', 'does not tell'],
  ['no kubectl', judgeKubectl(undefined, on('v1.36.2')), 'warn', 'not on PATH', 'kubernetes.io/docs'],
  [
    'no kubectl, and it is needed',
    judgeKubectl(undefined, {server: undefined, needed: true}),
    'fail',
    'alone',
  ],
  ['the plugin', judgeBuild({path: '/bin/kubectl-build', isKaniko: false}), 'ok', '/bin/kubectl-build'],
  ['no plugin', judgeBuild(undefined), 'fail', 'no kubectl-build', 'https://github.com/'],
  [
    "kaniko's plugin",
    judgeBuild({path: '/b/kubectl-build', isKaniko: true}),
    'fail',
    '/b/kubectl-build is another',
    'PATH',
  ],
  ['its other half', judgeBuildkit({path: '/b/kubectl-buildkit', version: 'v0.1.6'}), 'ok', 'v0.1.6, /b/'],
  ['its other half, silent', judgeBuildkit({path: '/b/kubectl-buildkit'}), 'ok', 'does not tell'],
  ['its other half missing', judgeBuildkit(undefined), 'warn', 'builds do without it'],
  ['Tilt', judgeTilt({path: '/b/tilt', version: 'v0.37.0'}), 'ok', 'v0.37.0, /b/tilt'],
  ['Tilt that takes too long', judgeTilt({path: '/b/tilt'}), 'ok', '/b/tilt, which does not tell'],
  ['no Tilt', judgeTilt(undefined), 'ok', 'not installed'],
  ['a PATH in order', judgePath({path: ['/bin', 'C:\\bin', '\\\\host\\bin'], twins: []}), 'ok'],
  ['an empty entry', judgePath({path: ['/bin', ''], twins: []}), 'warn', 'empty', 'out of PATH'],
  ['a relative entry', judgePath({path: ['bin', '/bin'], twins: []}), 'warn', '"bin" is relative'],
  [
    'a plugin that is there twice',
    judgePath({path: ['/a', '/b'], twins: twins('/a/kubectl-build', '/b/kubectl-build')}),
    'warn',
    '/a/kubectl-build is run, and /b/kubectl-build is not',
  ],
];

describe('the checks of programs', () => {
  for (const [what, finding, mark, ...words] of CASES) {
    it(`say ${mark} of ${what}`, () => {
      expect(finding.mark).to.equal(mark);
      const text = `${finding.found}\n${finding.cure?.text ?? ''}`;
      for (const word of words) expect(text).to.contain(word);
      expect(finding.cure === undefined, 'cure').to.equal(
        mark === 'ok' || finding.found.includes('not tell'),
      );
    });
  }
});
