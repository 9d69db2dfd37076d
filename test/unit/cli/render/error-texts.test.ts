/**
 * Covers the whole text of what goes wrong, as the user sees it: test/fixtures/errors has a file for each situation, at
 * two widths, with colour (its escape written as ␛), as plain lines, and in the log of a Tilt that our extension runs
 * in. `UPDATE_GOLDEN=1` writes them anew; then look through them.
 */

import {mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {demandRights} from '../../../../src/builder/verdict/demand-rights.ts';
import {BUILD_RIGHTS} from '../../../../src/builder/verdict/rights.ts';
import {readArgv} from '../../../../src/cli/argv/pflag-argv.ts';
import {
  chooseStyle,
  formatErrorJson,
  renderError,
  renderNote,
  type Style,
} from '../../../../src/cli/render/render.ts';
import {missingKubeconfig} from '../../../../src/cluster/kubeconfig/paths.ts';
import {refuseK3d} from '../../../../src/cluster/product.ts';
import {resolvePullSecret} from '../../../../src/cluster/pull-secret.ts';
import {Interrupted, TiltbuildError, timedOut} from '../../../../src/errors.ts';
import {parseTags, qualifyTags} from '../../../../src/image/qualification.ts';
import {attemptBuild} from '../../../../src/image-build/delegate/attempt-build.ts';
import {checkContext} from '../../../../src/image-build/inputs/context.ts';
import {readBuildSecret} from '../../../../src/image-build/inputs/secrets.ts';
import {missingDelegate} from '../../../../src/image-build/prepare-build.ts';
import type {Files} from '../../../../src/ports.ts';
import {formatAdvice} from '../../../../src/text/advice.ts';
import {chooseRephrasing} from '../../../../src/tilt/tiltfile-phrases.ts';
import {buildRequest, failureOf, makePorts, scriptCluster} from '../../builder/builder-world.ts';
import {filesOf, KNOWN, recorded, type Scene} from '../../image-build/failure/known-failures.ts';

const fixtures = join(import.meta.dirname, '../../../fixtures/errors');

/** What a build ends with where the delegate says `stderr`. */
async function failBuild(stderr: string, {pullSecret, files = {}, asked = {}}: Scene = {}): Promise<unknown> {
  const request = buildRequest(asked);
  const ports = makePorts({
    delegate: async ({progress}) => {
      if (progress.mode !== 'shown') progress.observe(Buffer.from(stderr));
      return {exitCode: 1, signal: undefined};
    },
    files: filesOf(files) as Partial<Files>,
  });
  const run = {
    program: '/bin/kubectl-build',
    plan: {argv: ['.'], env: {}, digest: {from: 'nowhere'} as const},
    request: {...request, context: '.', file: undefined},
    namespace: 'ns',
    terminal: false,
  };
  return await failureOf(
    attemptBuild(
      {
        run,
        privatePath: (name) => `/private/${name}`,
        cluster: scriptCluster(),
        builder: undefined,
        deadline: undefined,
        scene: {asked: request, pullSecret, platform: 'linux'},
      },
      ports,
    ),
  );
}

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function bug(): Error {
  const error = new TypeError("Cannot read properties of undefined (reading 'name')");
  error.stack = `${error.name}: ${error.message}\n    at plan (/app/plan.ts:1:2)\n    at https://me:hunter2@host/x`;
  return error;
}

const named = {kind: 'named', name: 'regcred', by: '--registry-secret'} as const;
const nothing = {kindOf: () => 'missing'} as unknown as Files;

type Situation = () => unknown;

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'refused-k3d': () => thrown(() => refuseK3d({product: 'k3d', reason: 'the cluster is called "k3d-demo"'})),
  'refused-unqualified-tag': () =>
    thrown(() =>
      qualifyTags(parseTags(['web:dev', 'me/app', 'localhost/x:1']), {
        refuseUnqualified: true,
        qualify: false,
      }),
    ),
  'invalid-reference': () => thrown(() => parseTags(['localhost/Web:dev'])),
  'pull-secret-missing': () => thrown(() => resolvePullSecret(named, {kind: 'missing'}, 'default')),
  'pull-secret-opaque': () =>
    thrown(() => resolvePullSecret(named, {kind: 'found', value: {type: 'Opaque'}}, 'default')),
  'build-secret-missing': () =>
    thrown(() => readBuildSecret('id=npm,env=NPM_TOKEN', {env: {}, exists: () => false})),
  'tool-missing': () => missingDelegate(),
  'timed-out': () => timedOut(),
  'rights-missing': () => thrown(() => demandRights({rules: []}, 'ns', BUILD_RIGHTS, 'buildkit')),
  'kubeconfig-missing': () => missingKubeconfig({paths: ['/home/me/.kube/config'], explicit: false}),
  'context-directory-missing': () => thrown(() => checkContext(buildRequest({context: 'nope'}), nothing)),
  'unknown-flag': () => thrown(() => readArgv(['--tga', 'x'], {tag: {type: 'option'}})),
  'step-failed': () => failBuild(recorded('run-fails')),
  'failed-unknown': () => failBuild('Error: something that nobody knows\n'),
  'builder-otel': () => failBuild(recorded('run-fails-on-default-builder')),
  'builder-entitlement': () => failBuild(recorded('network-host')),
  panic: () => failBuild('panic: oops\n\ngoroutine 1 [running]:\n'),
  interrupted: () => new Interrupted('SIGINT'),
  bug: () => bug(),
  ...Object.fromEntries(
    KNOWN.map(({name, stderr, scene}): [string, Situation] => [name, () => failBuild(stderr, scene)]),
  ),
};

const env = {KUBECTL_TILTBUILD_INPUTS: 'x'};
const VIEWS: readonly (readonly [string, Style])[] = [
  ['80 columns', {...chooseStyle(true, {}, 80), colour: false}],
  ['40 columns', {...chooseStyle(true, {}, 40), colour: false}],
  ['80 columns, with colour', chooseStyle(true, {}, 80)],
  ['40 columns, with colour', chooseStyle(true, {}, 40)],
  ['no terminal', chooseStyle(false, {})],
  ["in Tilt's log", {...chooseStyle(false, env), rephrase: chooseRephrasing(env)}],
];

const shownError = (error: unknown, style: Style) =>
  renderError(error, style, {runtime: 'Node 26.0.0, linux/x64'});
const withoutVersion = (text: string) =>
  text.replaceAll(/tiltbuild \d+\.\d+\.\d+[\w-]*/g, 'tiltbuild VERSION');

function page(render: (style: Style) => string): string {
  return VIEWS.map(
    ([title, style]) => `── ${title}\n${withoutVersion(render(style)).replaceAll('\u001b', '␛')}`,
  ).join('');
}

function compare(name: string, text: string): void {
  const file = join(fixtures, `${name}.txt`);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(fixtures, {recursive: true});
    writeFileSync(file, text);
  }
  expect(text).to.equal(readFileSync(file, 'utf8'));
}

describe('the text of an error', () => {
  for (const [name, situation] of Object.entries(SITUATIONS)) {
    it(`is what test/fixtures/errors/${name}.txt holds`, async () => {
      const error = await situation();
      compare(
        name,
        `${page((style) => shownError(error, style))}── json\n${withoutVersion(formatErrorJson(error))}`,
      );
    });

    it(`${name} breaks no command, and goes beyond no line but for one`, async () => {
      const error = await situation();
      if (!(error instanceof TiltbuildError)) return;
      const narrow = shownError(error, {colour: false, width: 40}).split('\n');
      for (const line of error.remedy
        .map((entry) => formatAdvice(entry))
        .filter((text) => text.startsWith('  kubectl')))
        expect(narrow.some((shown) => shown.endsWith(line))).to.equal(true);
      expect(shownError(error, chooseStyle(true, {}, 40))).not.to.include('hunter2');
    });
  }

  it('has a file for each situation, and no other', () => {
    const files = readdirSync(fixtures).filter((file) => !file.startsWith('note-'));
    expect(files.toSorted()).to.deep.equal(
      Object.keys(SITUATIONS)
        .map((name) => `${name}.txt`)
        .toSorted(),
    );
  });
});

describe('the text of a note', () => {
  for (const [name, text] of [
    [
      'note-other-builders',
      'there are other builders beside "b" in this namespace: "c", "d". With more than one, every image travels through your machine. To remove one: kubectl tiltbuild builder rm NAME',
    ],
    ['note-tag', 'tag "web" is built as docker.io/library/web:latest, the name that the kubelet looks for'],
  ] as const) {
    it(`is what test/fixtures/errors/${name}.txt holds`, () => {
      compare(
        name,
        page((style) => renderNote(text, style)),
      );
    });
  }
});
