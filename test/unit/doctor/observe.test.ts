/** Covers looking at something for a limited time, and making a report of what was found. */
import {expect} from 'chai';
import {observe} from '../../../src/doctor/observe.ts';
import {
  CHECKS,
  type CheckName,
  chooseFix,
  type Findings,
  fail,
  makeReport,
  ok,
  skip,
  warn,
} from '../../../src/doctor/report.ts';
import {Interrupted, TiltbuildError} from '../../../src/errors.ts';
import {advise, command} from '../../../src/text/advice.ts';

/** A clock that stands, and a limit that is reached when `reach` is called. */
function clock() {
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  return {now: () => 5, sleep: () => promise, reach: resolve, interrupt: reject};
}

const never = new Promise<never>(() => undefined);

describe('observe', () => {
  const catching = (look: () => Promise<unknown>, time = clock()) =>
    observe(look, 9, time).catch((caught) => caught);

  it('gives what was seen, or an error of ours', async () => {
    const error = new TiltbuildError('usage', 'no');
    expect(await observe(async () => 'x', 9, clock())).to.deep.equal({kind: 'seen', value: 'x', took: 0});
    const seen = await observe(() => Promise.reject(error), 9, clock());
    expect(seen).to.deep.equal({kind: 'failed', error, took: 0});
  });

  it('reports that it took too long, or ends with a signal', async () => {
    const time = clock();
    const seen = observe(() => never, 9, time);
    time.reach();
    expect(await seen).to.deep.equal({kind: 'late', limit: 9});

    const other = clock();
    const interrupted = catching(() => never, other);
    other.interrupt(new Interrupted('SIGTERM'));
    expect(await interrupted).to.be.instanceOf(Interrupted);
  });

  it('throws what is no finding', async () => {
    for (const error of [new TypeError('a bug'), new Interrupted('SIGINT')])
      expect(await catching(() => Promise.reject(error))).to.equal(error);
  });
});

describe('chooseFix', () => {
  const scale = command('kubectl', 'scale', 'x');
  const logs = command('kubectl', 'logs', 'x');
  const inline = advise`Create it with: ${command('kubectl', 'create', 'x')}`;
  for (const [what, remedy, fix] of [
    ['nothing in nothing', [], undefined],
    ['a sentence', ['Do it.', 'Or this.'], 'Do it.'],
    ['a sentence with a command in it', [inline], inline],
    ['a command on its own', ['Do this:', scale], scale],
    ['the last of several commands', ['Read:', logs, 'Or:', scale, inline], scale],
  ] as const) {
    it(`finds ${what}`, () => expect(chooseFix(remedy)).to.equal(fix));
  }
});

describe('makeReport', () => {
  // The line about images is there only where something is wrong with one.
  const names = (Object.keys(CHECKS) as CheckName[]).filter((name) => name !== 'images');
  const fine = Object.fromEntries(names.map((name) => [name, ok('')])) as Findings;

  for (const [works, what, findings] of [
    [true, 'if all is fine', fine],
    [true, 'with a warning', {...fine, builder: warn('')}],
    [false, 'if a check fails', {...fine, builder: fail('')}],
    [false, 'if a check was skipped', {...fine, builder: skip('server')}],
  ] as const) {
    it(`says that a build ${works ? 'works' : 'does not work'} ${what}`, () => {
      expect(makeReport(findings, 'server').works).to.equal(works);
    });
  }

  it('has every check in order, and lets those without a finding wait for another', () => {
    const {checks} = makeReport({builder: ok('')}, 'kubeconfig');
    expect(checks.map(({name}) => name)).to.deep.equal(names);
    expect(checks[0]).to.deep.equal({name: 'kubectl', ...skip('kubeconfig')});
  });
});
