/**
 * Covers the whole text of a dry run: test/fixtures/dry-run has a file for each situation. `UPDATE_GOLDEN=1` writes
 * them again; review the changes.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {readBuilderDeployment} from '../../../src/builder/model/objects.ts';
import type {Decision} from '../../../src/builder/verdict/decision.ts';
import type {Verdict} from '../../../src/builder/verdict/verdict.ts';
import {parseTags, qualifyTags} from '../../../src/image/qualification.ts';
import type {DryRun} from '../../../src/image-build/dry-run.ts';
import {formatDryRun} from '../../../src/image-build/dry-run-report.ts';
import {missingPlugin} from '../../../src/image-build/engines/engine.ts';
import type {PreparedBuild} from '../../../src/image-build/prepare-build.ts';
import {command} from '../../../src/text/advice.ts';
import {preparedBuild} from './build-world.ts';

const fixtures = join(import.meta.dirname, '../../fixtures/dry-run');

function builder(action: Decision, verdict: Verdict): DryRun['builder'] {
  return {observed: {nodes: []}, verdict, action};
}

const READY = builder({kind: 'use'}, {kind: 'working', reason: 'is ready and runs moby/buildkit:v0.32.2'});

function dryRun(changes: Partial<DryRun> = {}, build: Partial<PreparedBuild> = {}): DryRun {
  return {
    build: preparedBuild({
      tags: qualifyTags(parseTags(['localhost/web:dev']), {refuseUnqualified: true, qualify: false}),
      pullSecret: {name: 'docker-registry', reason: 'it exists, and no other is named'},
      ...build,
    }),
    contentReference: undefined,
    builder: READY,
    cover: undefined,
    commands: [
      {
        words: ['/bin/kubectl-build', '--tag', 'localhost/web:dev', '--iidfile', '<private>/image-id', '-'],
        env: {DOCKER_DEFAULT_PLATFORM: undefined},
      },
    ],
    notes: [],
    problems: [],
    ...changes,
  };
}

const SECRETS =
  'C:\\Program Files\\kubectl-build.exe|--build-arg|NPM_TOKEN=hunter2|--label|a="50%" & more|--secret|id=npm,src=<private>\\secret-0|https://me:hunter2@host/x.git'.split(
    '|',
  );
const HARMS: Verdict = {kind: 'plugin-made', reason: 'harms its node at every start'};

const SITUATIONS: Readonly<Record<string, DryRun>> = {
  usual: dryRun(),
  'content-tag': dryRun(
    {
      contentReference: 'localhost/web:tilt-<digest>',
      commands: [
        {words: ['/bin/kubectl-build', '.'], env: {}},
        {words: ['/bin/kubectl-build', '--tag', 'localhost/web:tilt-<digest>', '--push', '.'], env: {}},
      ],
    },
    {tags: []},
  ),
  'builder-made': dryRun(
    {
      builder: builder({kind: 'create'}, {kind: 'missing', reason: 'does not exist'}),
      notes: ['tag "web:dev" is built as docker.io/library/web:dev, the name that the kubelet looks for'],
    },
    {
      pullSecret: {reason: 'none: there is no secret "docker-registry"'},
      tags: qualifyTags(parseTags(['web:dev']), {refuseUnqualified: false, qualify: true}),
    },
  ),
  'builder-waited-for': dryRun({
    builder: builder({kind: 'wait'}, {kind: 'starting', reason: 'has no ready pod yet'}),
  }),
  'builder-replaced': dryRun({
    builder: builder({kind: 'replace', note: 'n', old: readBuilderDeployment({})}, HARMS),
  }),
  'builder-kept': dryRun({
    builder: builder(
      {
        kind: 'warn',
        note: 'the builder "b" harms its node; it is left as it is, because of you.',
        command: command('kubectl', 'x'),
      },
      HARMS,
    ),
  }),
  'cluster-down': dryRun(
    {builder: undefined, problems: [missingPlugin()]},
    {pullSecret: {reason: 'docker-registry if it exists; could not check'}},
  ),
  builtin: dryRun(
    {commands: [], node: 'b'},
    {engine: {name: 'builtin', reason: 'kubectl build is not on PATH'}, program: undefined},
  ),
  windows: dryRun({commands: [{words: SECRETS, env: {DOCKER_DEFAULT_PLATFORM: undefined}}]}),
};

describe('formatDryRun', () => {
  for (const [name, run] of Object.entries(SITUATIONS)) {
    it(`writes what test/fixtures/dry-run/${name}.txt holds`, () => {
      const platform = name === 'windows' ? 'win32' : 'linux';
      const surroundings = {env: {DOCKER_DEFAULT_PLATFORM: 'linux/amd64'}, platform} as const;
      const text = `${formatDryRun(run, 'text', surroundings)}── json\n${formatDryRun(run, 'json', surroundings)}`;
      const file = join(fixtures, `${name}.txt`);
      if (process.env.UPDATE_GOLDEN) {
        mkdirSync(fixtures, {recursive: true});
        writeFileSync(file, text);
      }
      expect(text).to.equal(readFileSync(file, 'utf8'));
      expect(text).not.to.include('hunter2');
    });
  }
});
