import {expect} from 'chai';
import fc from 'fast-check';
import {ByteQueue} from '../../../src/wire/byte-queue.ts';

describe('bytes that have come', () => {
  it('are cut off in any lengths, whatever the lengths they came in', () => {
    const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(9_000)), {maxLength: 60});
    fc.assert(
      fc.property(lengths, lengths, fc.boolean(), (pushed, taken, shift) => {
        const queue = new ByteQueue();
        const all = Buffer.from(
          Array.from({length: pushed.reduce((sum, length) => sum + length, 0)}, (_, at) => at),
        );
        const out: Buffer[] = [];
        let start = 0;
        for (const [at, length] of pushed.entries()) {
          queue.push(Buffer.from(all.subarray(start, start + length)));
          start += length;
          out.push(queue.take(Math.min(taken[at] ?? 0, queue.length)));
          const parts = queue.takeParts(taken[at + 1] ?? 0);
          expect(Buffer.concat(parts).length).to.be.at.most(taken[at + 1] ?? 0);
          out.push(...parts);
          if (shift && at % 3 === 0) out.push(queue.shift() ?? Buffer.alloc(0));
        }
        out.push(queue.take(queue.length));
        expect(Buffer.concat(out).equals(all)).to.equal(true);
        expect(queue.length).to.equal(0);
      }),
    );
  });

  it('lie together where they came a few at a time', () => {
    const queue = new ByteQueue();
    for (let at = 0; at < 100_000; at++) queue.push(Buffer.from([at]));
    let pieces = 0;
    while (queue.shift() !== undefined) pieces++;
    expect(pieces).to.be.below(30);
  });

  it('are not there before they have come', () => {
    const queue = new ByteQueue();
    queue.push(Buffer.from('ab'));
    expect(() => queue.take(3)).to.throw(RangeError);
    expect(queue.take(2).toString()).to.equal('ab');
  });
});
