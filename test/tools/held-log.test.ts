/** Covers the progress that a quiet build keeps: shown whole, or with a word on what could not be kept. */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {HeldLog} from '../../src/system/held-log.ts';

describe('HeldLog', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'held-log-'));
  });
  afterEach(() => rmSync(directory, {recursive: true}));

  async function keep(path: string, ...chunks: readonly string[]): Promise<string> {
    const log = new HeldLog(path);
    for (const chunk of chunks) await log.write(Buffer.from(chunk));
    await log.close();
    const shown: string[] = [];
    await log.show(async (chunk) => void shown.push(String(chunk)));
    return shown.join('');
  }

  it('shows what was written', async () => {
    expect(await keep(join(directory, 'log'), '#1 one\n', '#2 two\n')).to.equal('#1 one\n#2 two\n');
    expect(await keep(join(directory, 'other'))).to.equal('');
  });

  it('says what is missing where there was no room, and fails no build', async () => {
    expect(await keep(join(directory, 'no', 'log'), '#1 one\n')).to.equal(
      '(The rest of the progress was not kept: there is no such file or directory.)\n',
    );
  });
});
