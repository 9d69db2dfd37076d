/** Covers one run of the delegate: what it is given, where its progress goes, and what is read from it. */
import {expect} from 'chai';
import type {DelegateResult} from '../../../../src/cluster/ports.ts';
import {Interrupted} from '../../../../src/errors.ts';
import type {BuildRequest} from '../../../../src/image-build/build-request.ts';
import type {Plan} from '../../../../src/image-build/delegate/plan.ts';
import {runPlan} from '../../../../src/image-build/delegate/run-plan.ts';
import type {DelegateRun} from '../../../../src/ports.ts';
import {buildRequest, makePorts} from '../../builder/builder-world.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const EXPORTED = `#7 exporting manifest ${DIGEST} done\n`;
const NO_EXPORTER = 'Error: loading image into cluster runtime not supported by this builder\n';

const FROM_FILE: Plan['digest'] = {from: 'image-id-file', path: '/private/image-id'};
const FROM_PROGRESS: Plan['digest'] = {from: 'progress'};
const FROM_NOWHERE: Plan['digest'] = {from: 'nowhere'};

interface Case {
  readonly request?: Partial<BuildRequest>;
  readonly digest?: Plan['digest'];
  readonly terminal?: boolean;
  readonly progress?: string;
  readonly imageId?: string;
  readonly ended?: DelegateResult;
  readonly interrupted?: boolean;
}

async function run({
  request,
  digest = FROM_FILE,
  terminal = false,
  progress = '',
  imageId,
  ended = {exitCode: 0, signal: undefined},
  interrupted = false,
}: Case) {
  const runs: DelegateRun[] = [];
  const ports = makePorts({
    delegate: async (given) => {
      runs.push(given);
      if (given.progress.mode !== 'shown') {
        for (const byte of Buffer.from(progress)) given.progress.observe(Uint8Array.of(byte));
      }
      if (interrupted) ports.interrupt();
      return ended;
    },
    files: {readText: async (path) => (path === '/private/image-id' ? imageId : undefined)},
  });
  const stop = new AbortController();
  const plan = {argv: ['--a', 'b c', '.'], env: {TMPDIR: '/private', X: undefined}, digest};
  const outcome = await runPlan(
    {
      program: '/bin/kubectl-build',
      plan,
      request: buildRequest(request),
      namespace: 'ns',
      terminal,
      spool: '/private/progress-1',
      stop: stop.signal,
    },
    ports,
  );
  return {outcome, given: runs[0] as DelegateRun, stop, runs};
}

describe('runPlan', () => {
  it('gives the delegate the plan as it is, and the way to stop it', async () => {
    const {given, stop, runs} = await run({});
    expect(runs).to.have.length(1);
    expect(given).to.deep.include({
      program: '/bin/kubectl-build',
      argv: ['--a', 'b c', '.'],
      env: {TMPDIR: '/private', X: undefined},
      stdout: 'stderr',
    });
    expect(given.stop).to.equal(stop.signal);
  });

  it('leaves standard output to a result that goes there', async () => {
    const {given} = await run({request: {destination: {kind: 'files', stdout: true}}, digest: FROM_NOWHERE});
    expect(given.stdout).to.equal('result');
  });

  for (const [what, terminal, request, digest, mode] of [
    ['shown on a terminal', true, {}, FROM_FILE, 'shown'],
    ['shown on a terminal where there is no digest', true, {}, FROM_NOWHERE, 'shown'],
    ['watched on a terminal where the digest is in it', true, {}, FROM_PROGRESS, 'watched'],
    ['watched elsewhere', false, {}, FROM_FILE, 'watched'],
    ['watched elsewhere where there is no digest', false, {}, FROM_NOWHERE, 'watched'],
    ['watched elsewhere where the digest is in it', false, {}, FROM_PROGRESS, 'watched'],
    ['held with --quiet', false, {quiet: true}, FROM_FILE, 'held'],
    ['held with --quiet on a terminal', true, {quiet: true}, FROM_FILE, 'held'],
    ['held with --quiet where the digest is in it', true, {quiet: true}, FROM_PROGRESS, 'held'],
  ] as const) {
    it(`has the progress ${what}`, async () => {
      const {progress} = (await run({terminal, request, digest})).given;
      expect(progress.mode).to.equal(mode);
      if (progress.mode === 'held') expect(progress.spool).to.equal('/private/progress-1');
    });
  }

  for (const [what, given, digest] of [
    ['the image ID file', {imageId: DIGEST}, DIGEST],
    ['an image ID file that is not there', {}, undefined],
    ['an image ID file with something else', {imageId: 'x', progress: EXPORTED}, undefined],
    ['the progress', {digest: FROM_PROGRESS, progress: EXPORTED}, DIGEST],
    ['the progress, held', {digest: FROM_PROGRESS, progress: EXPORTED, request: {quiet: true}}, DIGEST],
    ['the progress, on a terminal', {digest: FROM_PROGRESS, progress: EXPORTED, terminal: true}, DIGEST],
    ['a progress without one', {digest: FROM_PROGRESS, progress: '#1 DONE\n', imageId: DIGEST}, undefined],
    ['nowhere', {digest: FROM_NOWHERE, progress: EXPORTED, imageId: DIGEST}, undefined],
  ] as const) {
    it(`finds the digest in ${what}`, async () => {
      const {outcome} = await run(given);
      expect(outcome).to.deep.equal({
        exitCode: 0,
        signal: undefined,
        digest,
        fault: undefined,
        words: undefined,
      });
    });
  }

  for (const ended of [
    {exitCode: 1, signal: undefined},
    {exitCode: undefined, signal: 'SIGKILL'},
  ]) {
    it(`gives no digest after ${ended.signal ?? `exit code ${ended.exitCode}`}`, async () => {
      for (const digest of [FROM_FILE, FROM_PROGRESS]) {
        const {outcome} = await run({ended, digest, imageId: DIGEST, progress: EXPORTED});
        expect(outcome).to.deep.equal({...ended, digest: undefined, fault: undefined, words: undefined});
      }
    });
  }

  for (const quiet of [false, true]) {
    it(`tells a failure that is the builder's, ${quiet ? 'held' : 'watched'}`, async () => {
      const {outcome} = await run({
        request: {quiet, builder: {name: 'own', given: true}},
        ended: {exitCode: 1, signal: undefined},
        progress: `#1 [1/1] FROM a\n${NO_EXPORTER}`,
      });
      expect(outcome.fault).to.include({retriable: true});
      expect(outcome.fault?.message).to.include('"own"');
      expect(JSON.stringify(outcome.fault?.remedy)).to.include('"--namespace","ns"');
    });
  }

  it('tells none where the build succeeded in spite of it', async () => {
    expect((await run({progress: NO_EXPORTER, imageId: DIGEST})).outcome.fault).to.equal(undefined);
  });

  for (const exitCode of [0, 1]) {
    it(`ends as interrupted where a signal came, and it ended with ${exitCode}`, async () => {
      const ended = {exitCode, signal: undefined};
      const error = await run({interrupted: true, ended, imageId: DIGEST}).catch((caught) => caught);
      expect(error).to.be.instanceOf(Interrupted);
    });
  }
});
