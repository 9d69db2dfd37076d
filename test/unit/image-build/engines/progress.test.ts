/** Covers the forms of progress that nothing else shows: raw JSON, and what a quiet build shows if it fails. */
import {expect} from 'chai';
import type {StatusResponse} from '../../../../src/buildkit/control.ts';
import {type ProgressForm, showProgress} from '../../../../src/image-build/engines/progress.ts';
import {log, step} from '../../buildkit/progress/statuses.ts';

async function show(form: ProgressForm, failed: boolean, ...statuses: readonly StatusResponse[]) {
  let shown = '';
  const progress = showProgress(form, false, {
    show: async (text) => {
      shown += text;
    },
    terminalSize: () => ({columns: 60, rows: 20}),
    every: () => () => undefined,
  });
  for (const status of statuses) progress.observe(status);
  await progress.end(failed);
  return shown;
}

describe('showProgress', () => {
  it("prints BuildKit's statuses as raw JSON, with bytes in base64 and times as text", async () => {
    const shown = await show('rawjson', false, step('a', {started: 0}), log('a', 'one\n', 1));
    const [first, second] = shown
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(first.vertexes[0].started).to.equal('2023-11-14T22:13:20.000Z');
    expect(second.logs[0]).to.include({vertex: 'a', stream: 1, data: 'b25lCg=='});
  });

  it('shows all of a quiet build that fails, and the failed step once more', async () => {
    const failed = step('a', {started: 0, completed: 1, error: 'exit code: 1'});
    const statuses = [step('a', {started: 0}), log('a', 'one\n'), failed];
    expect(await show('quiet', false, ...statuses)).to.equal('');
    expect((await show('quiet', true, ...statuses)).trimEnd().split('\n')).to.deep.equal([
      ...['#1 RUN a', '#1 1.000 one', '#1 ERROR: exit code: 1', '------', ' > RUN a:', 'one', '------'],
    ]);
  });
});
