/**
 * Covers the whole text of each error that a build can end with: test/fixtures/error-texts.txt has them as a terminal of
 * 80 columns shows them. `UPDATE_GOLDEN=1` writes that file; then read through the difference.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {defaultBuilderSettings} from '../../../../src/builder/model/settings.ts';
import {BUILD_PERMISSIONS, demandPermissions} from '../../../../src/builder/verdict/permissions.ts';
import {explainFault} from '../../../../src/cli/argv/flag-errors.ts';
import {renderError} from '../../../../src/cli/render/render.ts';
import {missingKubeconfig} from '../../../../src/cluster/kubeconfig/paths.ts';
import {refuseK3d} from '../../../../src/cluster/product.ts';
import {resolvePullSecret} from '../../../../src/cluster/pull-secret.ts';
import {Interrupted, TiltbuildError, timedOut} from '../../../../src/errors.ts';
import {parseTags, qualifyTags} from '../../../../src/image/qualification.ts';
import {missingPlugin} from '../../../../src/image-build/engines/engine.ts';
import {kubectlBuild} from '../../../../src/image-build/engines/kubectl-build/kubectl-build.ts';
import {runPass} from '../../../../src/image-build/engines/run-pass.ts';
import {checkContext} from '../../../../src/image-build/inputs/context.ts';
import type {LocalContext} from '../../../../src/image-build/inputs/local-context.ts';
import {readBuildSecret} from '../../../../src/image-build/inputs/secrets.ts';
import {failDelivery} from '../../../../src/image-build/node-results.ts';
import type {Files} from '../../../../src/ports.ts';
import {divideAdvice} from '../../../../src/text/advice.ts';
import {refusalOf} from '../../../helpers/caught.ts';
import {
  builderRequest,
  buildRequest,
  failureOf,
  found,
  makePorts,
  workingDeployment,
} from '../../builder/builder-world.ts';
import {preparedBuild} from '../../image-build/build-world.ts';
import {filesOf, KNOWN, localOf, recorded, type Scene} from '../../image-build/failure/known-failures.ts';

const file = join(import.meta.dirname, '../../../fixtures/error-texts.txt');

/** What a build ends with where the delegate says `stderr`. */
async function failBuild(stderr: string, scene: Scene = {}): Promise<unknown> {
  const {pullSecret, files = {}, asked = {}, stepNetwork = 'node'} = scene;
  const request = buildRequest(asked);
  const ports = makePorts({
    delegate: async ({progress}) => {
      if (progress.mode !== 'shown') progress.observe(Buffer.from(stderr));
      return {exitCode: 1, signal: undefined};
    },
    files: filesOf(files) as Partial<Files>,
  });
  const build = preparedBuild({
    request,
    pullSecret: {name: pullSecret, reason: ''},
    builder: {
      ...preparedBuild().builder,
      request: builderRequest({settings: defaultBuilderSettings('buildkit', 'ns'), policy: 'never'}),
      facts: stepNetwork === 'pod' ? {deployments: found([workingDeployment()])} : {},
    },
    inputs: {local: localOf(scene) as LocalContext},
  });
  const staged = {context: '-', file: undefined, secretSpecs: []};
  const engine = kubectlBuild('/bin/kubectl-build', staged, build, 'containerd', ports);
  return await failureOf(runPass({number: 1, request, tags: []}, engine, build, ports));
}

function bug(): Error {
  const error = new TypeError("Cannot read properties of undefined (reading 'name')");
  error.stack = `${error.name}: ${error.message}\n    at plan (/app/plan.ts:1:2)\n    at https://me:hunter2@host/x`;
  return error;
}

const named = {kind: 'named', name: 'regcred', by: '--registry-secret'} as const;
const nothing = {kindOf: () => 'missing'} as unknown as Files;

const uncopied = (name: string, failure: string) =>
  ({name, state: 'failed', bytes: 0, blobs: 0, failure}) as const;

type Situation = () => unknown;

const SITUATIONS: Readonly<Record<string, Situation>> = {
  'refused-k3d': () =>
    refusalOf(() =>
      refuseK3d({product: 'k3d', reason: 'the cluster is called "k3d-demo"'}, {allowed: false}),
    ),
  'refused-unqualified-tag': () =>
    refusalOf(() =>
      qualifyTags(parseTags(['web:dev', 'me/app', 'localhost/x:1']), {
        refuseUnqualified: true,
        qualify: false,
      }),
    ),
  'invalid-reference': () => refusalOf(() => parseTags(['localhost/Web:dev'])),
  'pull-secret-missing': () => refusalOf(() => resolvePullSecret(named, {kind: 'missing'}, 'default')),
  'pull-secret-opaque': () =>
    refusalOf(() => resolvePullSecret(named, {kind: 'found', value: {type: 'Opaque'}}, 'default')),
  'build-secret-missing': () =>
    refusalOf(() => readBuildSecret('id=npm,env=NPM_TOKEN', {env: {}, cwd: '/', exists: () => false})),
  'tool-missing': () => missingPlugin(),
  'timed-out': () => timedOut(),
  'image-not-copied': () => failDelivery([uncopied('worker', 'it has no space for blob sha256:abc')]),
  'image-not-copied-to-several': () =>
    failDelivery(['worker', 'worker2'].map((name) => uncopied(name, 'no answer within 5 s'))),
  'rights-missing': () =>
    refusalOf(() => demandPermissions({rules: []}, 'ns', BUILD_PERMISSIONS, 'buildkit')),
  'kubeconfig-missing': () => missingKubeconfig({paths: ['/home/me/.kube/config'], explicit: false}),
  'context-directory-missing': () => refusalOf(() => checkContext(buildRequest({context: 'nope'}), nothing)),
  'unknown-flag': () => explainFault({kind: 'unknown', shown: '--wat'}, 'build'),
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

const shown = (text: string) => text.replaceAll(/tiltbuild \d+\.\d+\.\d+[\w-]*/g, 'tiltbuild VERSION');

describe('the text of an error', () => {
  const texts = new Map<string, string>();
  const expected = new Map(
    readFileSync(file, 'utf8')
      .split(/^── /m)
      .slice(1)
      .map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)]),
  );

  for (const [name, situation] of Object.entries(SITUATIONS)) {
    it(`is what the file has for ${name}, and breaks no command and no flag`, async () => {
      const error = await situation();
      const show = (width: number) =>
        shown(renderError(error, {colour: false, width}, {runtime: 'Node 26.0.0, linux/x64'}));
      texts.set(name, show(80));
      if (!process.env.UPDATE_GOLDEN) expect(show(80)).to.equal(expected.get(name));
      expect(show(80)).not.to.include('hunter2');

      const remedy = error instanceof TiltbuildError ? error.remedy : [];
      const narrow = show(40).split('\n');
      for (const {text} of remedy.flatMap((entry) => divideAdvice(entry)).filter(({fixed}) => fixed))
        expect(
          narrow.some((line) => line.includes(text)),
          text,
        ).to.equal(true);
    });
  }

  it('is there for these situations and no other', () => {
    if (process.env.UPDATE_GOLDEN)
      writeFileSync(file, [...texts].map(([name, text]) => `── ${name}\n${text}`).join(''));
    else expect([...expected.keys()]).to.deep.equal([...texts.keys()]);
  });
});
