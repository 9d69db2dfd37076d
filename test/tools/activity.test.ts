/** Covers the line that shows what we are waiting for: when it appears, what it says, and that it disappears. */
import {Writable} from 'node:stream';
import {expect} from 'chai';
import {Activity, showActivity} from '../../src/system/activity.ts';
import {Terminal} from '../../src/system/terminal.ts';
import {found, makePorts, scriptCluster} from '../unit/builder/builder-world.ts';

const CLEAR = '\r\u001b[K';

/** A terminal with a clock that only `pass` advances. */
function makeTerminal() {
  const shown: string[] = [];
  const stream = () =>
    new Writable({
      write: (chunk, _encoding, done) => {
        shown.push(String(chunk));
        done();
      },
    });
  const terminal = new Terminal({stdout: stream(), stderr: stream()});
  const ticks = new Set<() => void>();
  let clock = 0;
  const activity = new Activity({
    showStatus: (line) => terminal.showStatus(line),
    now: () => clock,
    every: (_milliseconds, callback) => {
      ticks.add(callback);
      return () => ticks.delete(callback);
    },
  });
  const pass = (milliseconds: number) => {
    for (let left = milliseconds; left > 0; left -= 50) {
      clock += 50;
      for (const tick of [...ticks]) tick();
    }
  };
  return {terminal, activity, shown, pass, isTicking: () => ticks.size > 0};
}

/** Work that ends on `end`. */
function makeWork() {
  const {promise, resolve} = Promise.withResolvers<string>();
  return {work: () => promise, end: () => resolve('done')};
}

describe('Activity', () => {
  it('shows nothing for less than half a second, and stops its clock', async () => {
    const {activity, shown, pass, isTicking} = makeTerminal();
    const {work, end} = makeWork();
    const running = activity.during('waiting', work);
    pass(400);
    end();
    expect(await running).to.equal('done');
    pass(1000);
    expect(shown).to.deep.equal([]);
    expect(isTicking()).to.equal(false);
  });

  for (const how of ['succeeds', 'fails'] as const) {
    it(`shows longer work and its duration, and removes the line when it ${how}`, async () => {
      const {activity, shown, pass} = makeTerminal();
      const {promise, resolve, reject} = Promise.withResolvers<string>();
      const running = activity.during('waiting', () => promise).catch((error: Error) => error.message);
      pass(2100);
      expect(shown).to.deep.equal([0, 1, 2].map((seconds) => `${CLEAR}waiting … ${seconds} s`));
      if (how === 'fails') reject(new Error('no'));
      else resolve('no');
      expect(await running).to.equal('no');
      pass(200);
      expect(shown.at(-1)).to.equal(CLEAR);
    });
  }

  it('writes all other output above the line', async () => {
    const {activity, terminal, shown, pass} = makeTerminal();
    const {work, end} = makeWork();
    const running = activity.during('waiting', work);
    pass(600);
    await terminal.writeError('note: x\n');
    await terminal.writeResult('sha256:1\n');
    pass(50);
    expect(shown).to.deep.equal([
      `${CLEAR}waiting … 0 s`,
      CLEAR,
      'note: x\n',
      'sha256:1\n',
      `${CLEAR}waiting … 0 s`,
    ]);
    end();
    await running;
  });

  it('leaves the terminal to other work', async () => {
    const {activity, shown, pass} = makeTerminal();
    const [long, other] = [makeWork(), makeWork()];
    const running = activity.during('waiting', long.work);
    pass(600);
    const silent = activity.silently(other.work);
    pass(5000);
    expect(shown).to.deep.equal([`${CLEAR}waiting … 0 s`, CLEAR]);
    other.end();
    await silent;
    pass(50);
    expect(shown).to.have.length(3);
    long.end();
    await running;
  });
});

describe('showActivity', () => {
  it('counts repeated requests for a builder as one wait', async () => {
    const {activity, shown, pass} = makeTerminal();
    const cluster = scriptCluster({get: {pods: [found({})]}, onGet: () => pass(100)});
    const inner = makePorts();
    const ports = showActivity(
      {
        ...inner,
        clusters: {connect: () => cluster},
        sleep: async () => pass(300),
      },
      activity,
    );
    const connected = ports.clusters.connect({} as never, {args: []});
    for (let round = 0; round < 3; round += 1) {
      await connected.get('/api/v1/namespaces/x/pods?a');
      await ports.sleep(300, 'builder');
    }
    expect(shown).to.deep.equal([
      `${CLEAR}waiting for the builder … 0 s`,
      `${CLEAR}waiting for the builder … 1 s`,
    ]);
    expect(connected.pause).to.equal(cluster.pause);
  });

  it('names the cluster while it is asked, although a clock limits the question', async () => {
    const {activity, shown, pass} = makeTerminal();
    const cluster = scriptCluster({get: {pods: [found({})]}, onGet: () => pass(600)});
    const forever = () => new Promise<void>(() => undefined);
    const inner = {...makePorts(), clusters: {connect: () => cluster}, sleep: forever};
    const ports = showActivity(inner, activity);
    void ports.sleep(10_000);
    await ports.clusters.connect({} as never, {args: []}).get('/api/v1/namespaces/x/pods?a');
    expect(shown).to.deep.equal([`${CLEAR}waiting for the cluster … 0 s`]);
  });

  it('is silent during a build, whatever is requested meanwhile', async () => {
    const {activity, shown, pass} = makeTerminal();
    const cluster = scriptCluster({get: {pods: [found({})]}, onGet: () => pass(5000)});
    const ports = showActivity(
      {
        ...makePorts({
          delegate: async () => {
            await connected.get('/api/v1/namespaces/x/pods?a');
            return {exitCode: 0, signal: undefined};
          },
        }),
        clusters: {connect: () => cluster},
      },
      activity,
    );
    const connected = ports.clusters.connect({} as never, {args: []});
    await ports.delegate.run({} as never);
    expect(shown).to.deep.equal([]);
  });
});
