/** Covers requests that are sent again. */
import {expect} from 'chai';
import {RequestTimeout} from '../../src/system/https-transport.ts';
import {retryRequests} from '../../src/system/retry-requests.ts';

const closed = () => Object.assign(new Error('closed'), {code: 'ECONNRESET'});

/** Each attempt ends as its turn says; the last turn is that of all attempts after it. */
async function attempt(timeout: number, ...turns: readonly (number | (() => Error))[]) {
  const limits: number[] = [];
  const pauses: number[] = [];
  const send = retryRequests(
    async (_path, _accept, _body, limit) => {
      const turn = turns[Math.min(limits.length, turns.length - 1)] as number | (() => Error);
      limits.push(limit);
      if (typeof turn === 'function') throw turn();
      return {status: turn, body: '', retryAfter: undefined};
    },
    timeout,
    async (pause) => void pauses.push(pause),
  );
  const outcome = await send('/version', 'application/json').then(
    ({status}) => status,
    (error: Error) => error.message,
  );
  return {outcome, limits, pauses};
}

describe('retryRequests', () => {
  for (const [what, timeout, turns, outcome, pauses] of [
    ['an answer', 30_000, [200], 200, []],
    ['a refusal', 30_000, [403], 403, []],
    ['a closed connection', 30_000, [closed, 200], 200, [200]],
    ['a server that is busy', 30_000, [429, 503, 200], 200, [200, 400]],
    ['one that stays busy', 30_000, [503], 503, [200, 400, 800]],
    ['no time to wait', 100, [closed], 'closed', []],
  ] as const) {
    it(`pauses as often as it helps for ${what}`, async () => {
      const {limits, ...ended} = await attempt(timeout, ...turns);
      expect(ended).to.deep.equal({outcome, pauses});
      // Node refuses a timer of a part of a millisecond.
      for (const limit of limits) expect(limit).to.satisfy(Number.isInteger).and.be.at.most(timeout);
    });
  }

  it('tries a new connection after a third of the time, and then takes all that is left', async () => {
    const late = () => new RequestTimeout(1);
    const {outcome, limits} = await attempt(30_001, late, late);
    expect(outcome).to.equal(new RequestTimeout(30_001).message);
    expect(limits).to.have.length(2);
    expect(limits[0]).to.equal(10_001);
    expect(limits[1]).to.be.above(29_000);
  });
});
