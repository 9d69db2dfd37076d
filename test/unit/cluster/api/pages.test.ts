/** Covers reading a whole list from a server that gives it in pages, or misbehaves. */
import {expect} from 'chai';
import fc from 'fast-check';
import {readAllPages, readNodes} from '../../../../src/cluster/api/pages.ts';
import {failureOf} from '../../builder/builder-world.ts';

const EXPIRED = new Error('410');

/** Serves a list in pages; the calls in `tooLate` come with a token that has expired. */
function serve(items: readonly unknown[], {field = 'items', tooLate = [] as readonly number[]} = {}) {
  const asked: string[] = [];
  const ask = async (path: string) => {
    const params = new URL(path, 'https://server').searchParams;
    const token = params.get('continue');
    asked.push(path);
    if (token !== null && tooLate.includes(asked.length)) throw EXPIRED;
    const start = Number(token ?? 0);
    const end = start + Number(params.get('limit') ?? items.length);
    const metadata = end < items.length ? {continue: String(end)} : {};
    return {kind: 'found', value: {kind: 'List', metadata, [field]: items.slice(start, end)}} as const;
  };
  return {asked, ask, isExpired: (error: unknown) => error === EXPIRED};
}

const PATH = '/api/v1/things?labelSelector=a%2Cb&limit=';
const numbers = (count: number) => Array.from({length: count}, (_, index) => index);

describe('a list in pages', () => {
  it('is read whole and in its order, whatever the pages and wherever a token expires', async () => {
    const field = fc.constantFrom('items', 'rows');
    const cases = [fc.integer({min: 0, max: 60}), fc.integer({min: 1, max: 70}), field] as const;
    const tooLate = fc.option(fc.integer({min: 1, max: 9}), {nil: undefined});
    await fc.assert(
      fc.asyncProperty(...cases, tooLate, async (count, limit, field, late) => {
        const server = serve(numbers(count), {field, tooLate: late === undefined ? [] : [late]});
        const answer = await readAllPages(`${PATH}${limit}`, server);
        expect(answer.kind === 'found' && (answer.value as Record<string, unknown>)[field]).to.deep.equal(
          numbers(count),
        );
      }),
    );
  });

  it('is asked for with its selector and the token, and in one piece once a token has expired', async () => {
    const server = serve(numbers(5), {tooLate: [3]});
    await readAllPages(`${PATH}2`, server);
    const selector = '/api/v1/things?labelSelector=a%2Cb';
    expect(server.asked).to.deep.equal([
      `${selector}&limit=2`,
      `${selector}&limit=2&continue=2`,
      `${selector}&limit=2&continue=4`,
      selector,
    ]);
  });

  it('ends with an error if the server never comes to an end, or tokens go on expiring', async () => {
    const endless = async () => ({kind: 'found', value: {metadata: {continue: 'x'}, items: [1]}}) as const;
    const failure = await failureOf(readAllPages('/api/v1/x', {ask: endless, isExpired: () => false}));
    expect(failure).to.include({code: 'cluster-unreachable'});
    const ask = async (path: string) => (path.includes('continue') ? Promise.reject(EXPIRED) : endless());
    const late = await readAllPages('/api/v1/x', {ask, isExpired: () => true}).catch((error) => error);
    expect(late).to.equal(EXPIRED);
  });

  it('gives a refusal of any page, and leaves an object as it is', async () => {
    for (const answer of [{kind: 'forbidden', message: 'no'}, {kind: 'missing'}] as const)
      expect(await readAllPages(PATH, {...serve([]), ask: async () => answer})).to.equal(answer);
    const object = {kind: 'found', value: {metadata: {name: 'a'}}} as const;
    expect(await readAllPages('/a', {...serve([]), ask: async () => object})).to.deep.equal(object);
  });
});

describe('nodes', () => {
  for (const [count, which, read, more] of [
    [50, 'some', 50, undefined],
    [120, 'some', 50, true],
    [1200, 'all', 1200, undefined],
  ] as const) {
    it(`are ${read} of ${count} if a command asks for ${which}`, async () => {
      const {nodes, moreNodes} = await readNodes(which, serve(numbers(count)));
      expect([nodes?.kind === 'found' && nodes.value.length, moreNodes]).to.deep.equal([read, more]);
    });
  }
});
