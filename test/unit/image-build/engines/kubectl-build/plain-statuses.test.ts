/** Covers the plugin's plain progress, as recorded, read for the live view. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import fc from 'fast-check';
import {parse} from 'yaml';
import {PlainProgress} from '../../../../../src/buildkit/progress/plain.ts';
import {Steps} from '../../../../../src/buildkit/progress/steps.ts';
import {PlainStatuses} from '../../../../../src/image-build/engines/kubectl-build/plain-statuses.ts';

const RECORDINGS = join(import.meta.dirname, '../../../../fixtures/recordings');

/** What it reads of chunks. */
function read(chunks: readonly string[]) {
  const steps = new Steps();
  const plain = new PlainProgress();
  let shown = '';
  let others = '';
  const statuses = new PlainStatuses({
    status: (status) => {
      shown += plain.format(steps.apply(status));
    },
    other: (text) => {
      others += text;
    },
    now: () => 1_700_000_000_123,
  });
  for (const chunk of chunks) statuses.observe(Buffer.from(chunk));
  const error = statuses.end();
  return {shown, others, error, steps: steps.all};
}

/** Without the numbers of steps, which we give in another order, and without times that are nothing. */
const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('#') && !line.endsWith('...'))
    .map((line) => line.replace(/^#\d+ /, '').replace(/(?<!DONE) 0\.0s/, ''));

describe('PlainStatuses', () => {
  for (const name of readdirSync(RECORDINGS).filter((file) => file.endsWith('.yaml'))) {
    const {stderr = ''} = parse(readFileSync(join(RECORDINGS, name), 'utf8')) as {stderr?: string};
    if (!/^#1 /m.test(stderr)) continue;
    it(`reads all of ${name}, wherever it is cut`, () => {
      const [progress = ''] = stderr.split(/^(?:-{6}|Error: )/m);
      const others = progress.match(/^[^#\n].*\n/gm)?.join('') ?? '';
      const [error = ''] = /^Error: .*$/ms.exec(stderr) ?? [];
      fc.assert(
        fc.property(fc.infiniteStream(fc.integer({min: 1, max: 40})), (sizes) => {
          const chunks = stderr.split(/(?<=\n)/).flatMap((line) => {
            const size = sizes.next().value ?? 1;
            return [line.slice(0, size), line.slice(size)];
          });
          const found = read(chunks);
          expect(linesOf(found.shown)).to.deep.equal(linesOf(progress));
          expect([found.others, found.error.trimEnd()]).to.deep.equal([others, error.trimEnd()]);
          expect(read([stderr]).steps).to.deep.equal(found.steps);
        }),
        {numRuns: 20},
      );
    });
  }

  it('passes on what others print, at once, and an error that is not the last word', () => {
    const {others, error, steps} = read([
      'Visit https://login\n#1 a\n#1 0.1 Error: x\nError: no login\nmore\n#1 DONE 1.5s\nError: the end\n',
    ]);
    expect(others).to.equal('Visit https://login\nError: no login\nmore\n');
    expect(error).to.equal('Error: the end\n');
    expect(steps[0]).to.include({name: 'a', state: 'done', seconds: 1.5});
    expect(steps[0]?.tail).to.deep.equal(['Error: x']);
  });

  it('keeps a crash', () => {
    expect(read(['#1 a\npanic: x\n\ngoroutine 1 [running]:\n']).error).to.equal(
      'panic: x\n\ngoroutine 1 [running]:\n',
    );
  });

  it('takes any text', () => {
    const line = fc.oneof(
      fc.string(),
      fc.stringMatching(/^#\d (?:DONE|CACHED|CANCELED|ERROR:?|\.\.\.)(?: [\d.s]{0,4})?$/),
      fc.stringMatching(/^#\d [a-z]{0,3} [\d.]{1,5}[kM]?B(?: \/ \d\d[A-Z]B)?(?: \d\.\ds)?(?: done)?$/),
    );
    fc.assert(fc.property(fc.array(line), (lines) => void read([lines.join('\n')])));
  });
});
