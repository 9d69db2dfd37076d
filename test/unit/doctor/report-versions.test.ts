/** Covers what --version prints of the other programs. */
import {expect} from 'chai';
import {DEFAULT_BUILDER_IMAGE} from '../../../src/builder/model/settings.ts';
import {reportVersions} from '../../../src/doctor/report-versions.ts';
import type {Files, FoundPlugin, Programs} from '../../../src/ports.ts';

const OWN = {version: '1.2.3', commit: 'abc', runtime: 'Bun 1, linux/x64'};
const PLUGIN = {path: '/bin/kubectl-build'};
const KUBECTL = '{\n  "clientVersion": {\n    "gitVersion": "v1.35.0",\n    "major": "1"\n  }\n}\n';

/** `answers`: by program, what it prints; a program that is not there is not on PATH. */
function report(
  answers: Readonly<Record<string, string | Promise<string>>>,
  plugin?: FoundPlugin,
): Promise<string> {
  const programs: Partial<Programs> = {
    find: async (name) => (name in answers ? `/bin/${name}` : undefined),
    run: async (program) => ({
      exitCode: 1,
      stdout: await (answers[program.slice('/bin/'.length)] ?? ''),
      stderr: 'noise',
    }),
  };
  const files: Partial<Files> = {
    makePrivateDirectory: async () => ({path: '/private', spool: '/private', remove: async () => undefined}),
    writePrivate: async () => undefined,
    remove: async () => undefined,
    join: (...parts) => parts.join('/'),
  };
  return reportVersions(OWN, {
    files: files as Files,
    programs: programs as Programs,
    delegate: {find: async () => plugin, run: () => Promise.reject(new RangeError('nothing builds'))},
    sleep: () => new Promise((resolve) => setImmediate(() => setImmediate(resolve))),
  });
}

describe('reportVersions', () => {
  it('prints ours with the commit, the engines, kubectl and the runtime', async () => {
    const answers = {
      'kubectl-buildkit': 'Client:  v0.1.6\nBuilder: no answer\n',
      kubectl: KUBECTL,
    };
    expect(await report(answers, PLUGIN)).to.equal(
      [
        'kubectl-tiltbuild 1.2.3 (abc)',
        `builtin engine    BuildKit client, tested with ${DEFAULT_BUILDER_IMAGE}`,
        'kubectl-build     v0.1.6 (/bin/kubectl-build)',
        'kubectl           v1.35.0 (/bin/kubectl)',
        'runtime           Bun 1, linux/x64',
        '',
      ].join('\n'),
    );
  });

  it('reports what is not found, what has no version, and what never answers', async () => {
    expect(await report({})).to.match(/^kubectl-build +not found \(optional\)\nkubectl +not found$/m);
    for (const kubectl of ['command not found', new Promise<never>(() => undefined)]) {
      const text = await report({kubectl}, PLUGIN);
      expect(text).to.match(/^kubectl-build +version unknown \(\/bin\/kubectl-build\)$/m);
      expect(text).to.match(/^kubectl +version unknown \(\/bin\/kubectl\)$/m);
    }
  });

  it('reports why the plugin cannot be used', async () => {
    const text = await report({}, {...PLUGIN, flaw: 'is empty'});
    expect(text).to.match(/^kubectl-build +cannot be used: \/bin\/kubectl-build is empty$/m);
  });
});
