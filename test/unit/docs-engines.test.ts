/** Covers that docs/engines.md has the table of what kubectl build cannot do, row by row. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {LIMITS} from '../../src/image-build/engines/choose-engine.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'engines.md'), 'utf8');

describe('docs/engines.md', () => {
  it('has the limits of kubectl build in the order in which they are checked', () => {
    const [, table = ''] = /^\| `kubectl build` .*\n\|-.*\n((?:\|.*\n)+)/m.exec(page) ?? [];
    const rows = table
      .trimEnd()
      .split('\n')
      .map((row) => row.split('|').map((cell) => cell.trim()));
    expect(rows.map(([, reason, forced]) => [reason, forced])).to.deep.equal(
      LIMITS.map(({reason, works}) => [reason, works ? 'works' : 'is refused']),
    );
  });
});
