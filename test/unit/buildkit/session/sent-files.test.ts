/** Covers the files that were listed: each by its number, once. */
import {expect} from 'chai';
import {SentFiles} from '../../../../src/buildkit/session/sent-files.ts';

describe('the files that were listed', () => {
  const COUNT = 300;
  const fileOf = (id: number) => ({path: `dir ${id % 7}/ü${id}`, size: id});
  const list = () => {
    const files = new SentFiles();
    for (let id = 0; id < COUNT; id++) files.add(fileOf(id).path, id % 5 === 0 ? undefined : id);
    return files;
  };

  for (const [order, at] of [
    ['in their order', (index: number) => index],
    ['from the last to the first', (index: number) => COUNT - 1 - index],
    ['in any order', (index: number) => (index * 77) % COUNT],
  ] as const) {
    it(`are found ${order}, once each, and only those with content`, () => {
      const files = list();
      for (let index = 0; index < COUNT; index++) {
        const id = at(index);
        expect(files.take(id)).to.deep.equal(id % 5 === 0 ? undefined : fileOf(id));
        expect(files.take(id)).to.equal(undefined);
      }
      expect(files.take(COUNT)).to.equal(undefined);
    });
  }

  it('are found while the list goes on', () => {
    const files = new SentFiles();
    for (let id = 0; id < COUNT; id++) {
      files.add(fileOf(id).path, id);
      expect(files.take(id)).to.deep.equal(fileOf(id));
    }
  });
});
