/** Covers how a benchmark counts rounds, and how its results are shown. */
import {expect} from 'chai';
import {measureLink} from '../../scripts/bench-link.ts';
import {compare, median} from '../../scripts/bench-measure.ts';
import {
  formatLink,
  formatMarkdown,
  formatMemory,
  formatPlot,
  formatResult,
  type Report,
} from '../../scripts/bench-report.ts';

const RESULT = {
  title: 'Start <against> a & b',
  rounds: 7,
  rows: [
    {name: 'peer', min: 10, median: 20, max: 30, ratio: 1},
    {name: 'slower', min: 20, median: 30, max: 25_000, ratio: 1.5},
    {name: 'sooner', min: 5, median: 10, max: 12, ratio: 0.5},
  ],
};
const REPORT: Report = {
  about: ['v1', 'linux'],
  results: [RESULT],
  memory: [{name: 'a run', megabytes: 51.4}],
  link: [
    {name: 'all of it', bytes: 32_000_000, ratio: 1},
    {name: 'one file', bytes: 31_234, ratio: 0.000976},
  ],
};

describe('compare', () => {
  it('runs the cases in turns, and does not count warm-ups', async () => {
    const order: string[] = [];
    const one = (name: string) => ({
      name,
      prepare: () => void order.push(`(${name})`),
      run: async () => void order.push(name),
    });
    const result = await compare({title: 't', cases: [one('a'), one('b')], rounds: 2}, 9);
    expect(order.join('')).to.equal('(a)a(b)b'.repeat(4));
    expect(result.rounds).to.equal(2);
    expect(result.rows.map(({name}) => name)).to.deep.equal(['a', 'b']);
    expect(result.rows[0]?.ratio).to.equal(1);
  });

  it('throws the error of a case that fails', async () => {
    const failing = {name: 'x', run: () => Promise.reject(new Error('x ended with 1'))};
    const error = await compare({title: 't', cases: [failing]}, 1).catch((thrown) => thrown);
    expect(error).to.have.property('message', 'x ended with 1');
  });

  it('takes the middle value', () => expect(median([30, 1, 2])).to.equal(2));
});

describe('the link to a second node', () => {
  it('carries what changed, and hardly anything else', async () => {
    const [whole, changed, nothing] = (await measureLink()).map(({bytes}) => bytes);
    expect(whole).to.be.within(8_000_000, 8_200_000);
    // The layer has 10,000 bytes.
    expect(changed).to.be.within(10_000, 40_000);
    expect(nothing).to.be.within(1, 10_000);
  });
});

describe('a report', () => {
  it('shows each case against the first', () => {
    const text = formatResult(RESULT);
    expect(text).to.contain('(7 rounds, alternating)');
    expect(text).to.match(/^peer +10\.0 ms +20\.0 ms +30\.0 ms +$/m);
    expect(text).to.match(/^slower +20\.0 ms +30\.0 ms +25\.0 s +1\.50 ×, \+10\.0 ms$/m);
    expect(text).to.match(/^sooner .*0\.50 ×, −10\.0 ms$/m);
    expect(formatMemory(REPORT.memory)).to.match(/a run +51 MB/);
    expect(formatLink(REPORT.link)).to.match(/^one file +31\.2 kB +0\.00098 ×$/m);
  });

  it('has the same in its page', () => {
    const page = formatMarkdown(REPORT);
    expect(page).to.contain('v1 · linux');
    expect(page).to.contain('| slower | 20.0 ms | 30.0 ms | 25.0 s | 1.50 ×, +10.0 ms |');
    expect(page).to.contain('| a run | 51 MB |');
    expect(page).to.contain('| all of it | 32,000 kB |  |');
  });

  it('has a plot that is well-formed, with a bar for each case', () => {
    const plot = formatPlot(REPORT);
    expect(plot).to.match(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(plot).to.contain('Start &lt;against&gt; a &amp; b');
    expect(plot.match(/<rect x=/g)).to.have.length(3);
    expect(plot).to.not.match(/NaN|undefined|Infinity/);
    // Every element is closed: at once, or in its line.
    for (const line of plot.trim().split('\n').slice(1, -1))
      expect(line).to.match(/\/>$|<\/(?:text|title)>$/);
  });
});
