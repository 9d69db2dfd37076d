/** Covers what ends the work early: it is cut off wherever it is, unless it has grace. */
import {EventEmitter} from 'node:events';
import {expect} from 'chai';
import {Interrupted, timedOut} from '../../src/errors.ts';
import {Interruption} from '../../src/system/interruption.ts';
import {catchError} from '../helpers/caught.ts';

function setUp() {
  const signals = new EventEmitter();
  const left: Interrupted[] = [];
  const interruption = new Interruption(signals, (interrupted) => left.push(interrupted));
  return {interruption, left, send: (signal: string) => void signals.emit(signal)};
}

const forever = new Promise<never>(() => undefined);
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe('Interruption', () => {
  it('changes nothing about work that ends by itself', async () => {
    const {interruption} = setUp();
    expect(await interruption.cutOff(Promise.resolve(7))).to.equal(7);
    expect(await interruption.withGrace(async () => 8)).to.equal(8);
    expect((await catchError(interruption.cutOff(Promise.reject(new Error('no'))))).message).to.equal('no');
  });

  it('cuts off work that listens to nothing, at a signal and at the time limit', async () => {
    for (const [act, name] of [
      [({send}) => send('SIGTERM'), 'Interrupted'],
      [({interruption}) => interruption.limit(5, timedOut), 'TiltbuildError'],
      [({interruption}) => interruption.limit(-5, timedOut), 'TiltbuildError'],
    ] as readonly (readonly [(world: ReturnType<typeof setUp>) => void, string])[]) {
      const world = setUp();
      const error = catchError(world.interruption.cutOff(forever));
      act(world);
      expect((await error).name).to.equal(name);
    }
  });

  it('waits for work with grace, which sees the reason, and ends with that whatever the work gives', async () => {
    for (const outcome of [async () => 'done', () => Promise.reject(new Error('exit code 1'))]) {
      const {interruption, send} = setUp();
      let isDone = false;
      const graced = interruption.withGrace(async (stop) => {
        await new Promise((resolve) => stop.addEventListener('abort', resolve));
        expect(stop.reason).to.be.instanceOf(Interrupted);
        await pause(50);
        isDone = true;
        return await outcome();
      });
      const ended = catchError(interruption.cutOff(Promise.all([graced, forever])));
      send('SIGHUP');
      expect(await ended).to.include({signal: 'SIGHUP'});
      expect(isDone).to.equal(true);
      expect(await catchError(graced)).to.include({signal: 'SIGHUP'});
      expect(await catchError(interruption.withGrace(outcome))).to.include({signal: 'SIGHUP'});
    }
  });

  it('takes a failure for the signal that comes right after it', async () => {
    const {interruption, send} = setUp();
    const ended = catchError(interruption.cutOff(Promise.reject(new Error('the child was killed'))));
    setTimeout(() => send('SIGINT'), 5);
    expect(await ended).to.include({signal: 'SIGINT'});
  });

  it('leaves at the second signal, as of the first one, and at a signal after the time limit', async () => {
    const {interruption, left, send} = setUp();
    for (const signal of ['SIGTERM', 'SIGINT']) send(signal);
    expect(left.map(({signal}) => signal)).to.deep.equal(['SIGTERM']);
    expect(interruption.stop.reason).to.equal(left[0]);

    const late = setUp();
    late.interruption.limit(0, timedOut);
    await pause(10);
    late.send('SIGINT');
    expect(late.left.map(({signal}) => signal)).to.deep.equal(['SIGINT']);
  });
});
