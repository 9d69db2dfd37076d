/** Covers looking at something for a limited time. */
import {expect} from 'chai';
import {observe} from '../../../src/doctor/observe.ts';
import {chooseCure, makeReport, ok, skip} from '../../../src/doctor/report.ts';
import {Interrupted, TiltbuildError} from '../../../src/errors.ts';

/** A clock that stands, and a limit that is reached when `reach` is called. */
function clock() {
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  return {now: () => 5, sleep: () => promise, reach: resolve, interrupt: reject};
}

const never = new Promise<never>(() => undefined);

describe('observe', () => {
  it('gives what was seen', async () => {
    expect(await observe(async () => 'x', 9, clock())).to.deep.equal({kind: 'seen', value: 'x', took: 0});
  });

  it('gives an error of ours', async () => {
    const error = new TiltbuildError('usage', 'no');
    const seen = await observe(() => Promise.reject(error), 9, clock());
    expect(seen).to.deep.equal({kind: 'failed', error, took: 0});
  });

  it('says that it took too long', async () => {
    const time = clock();
    const seen = observe(() => never, 9, time);
    time.reach();
    expect(await seen).to.deep.equal({kind: 'late', limit: 9});
  });

  for (const error of [new TypeError('a bug'), new Interrupted('SIGINT')]) {
    it(`throws what is no finding: ${error.name}`, async () => {
      const thrown = await observe(() => Promise.reject(error), 9, clock()).catch((caught) => caught);
      expect(thrown).to.equal(error);
    });
  }

  it('ends with a signal while it waits', async () => {
    const time = clock();
    const seen = observe(() => never, 9, time).catch((caught) => caught);
    time.interrupt(new Interrupted('SIGTERM'));
    expect(await seen).to.be.instanceOf(Interrupted);
  });
});

describe('chooseCure', () => {
  for (const [remedy, cure] of [
    [[], undefined],
    [['Do it.'], {kind: 'advice', text: 'Do it.'}],
    [['Do this:', '  kubectl scale x'], {kind: 'command', text: 'kubectl scale x'}],
    [
      ['Read:', '  kubectl logs x', 'Or:', '  kubectl tiltbuild y'],
      {kind: 'command', text: 'kubectl tiltbuild y'},
    ],
    [['Create it with: kubectl create x'], {kind: 'advice', text: 'Create it with: kubectl create x'}],
    [['kubectl tiltbuild x shows all.'], {kind: 'advice', text: 'kubectl tiltbuild x shows all.'}],
  ] as const) {
    it(`finds ${cure?.kind ?? 'nothing'} in ${JSON.stringify(remedy)}`, () => {
      expect(chooseCure(remedy)).to.deep.equal(cure);
    });
  }
});

describe('makeReport', () => {
  const fine = {
    kubectl: ok(''),
    build: ok(''),
    buildkit: ok(''),
    path: ok(''),
    tilt: ok(''),
    kubeconfig: ok(''),
    server: ok(''),
    user: ok(''),
    rights: ok(''),
    product: ok(''),
    nodes: ok(''),
    builder: ok(''),
    'pull-secret': ok(''),
  };

  it('says that a build would work where nothing fails', () => {
    expect(makeReport(fine).works).to.equal(true);
    expect(makeReport({...fine, builder: {mark: 'warn', found: ''}}).works).to.equal(true);
    expect(makeReport({...fine, builder: {mark: 'fail', found: ''}}).works).to.equal(false);
    expect(makeReport({...fine, builder: skip('server')}).works).to.equal(false);
  });
});
