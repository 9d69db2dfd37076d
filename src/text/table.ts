/** Owns tables for people. */
import {showLine} from './show-text.ts';

/** The first row is the heading. Lines end without spaces. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(showLine));
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...shown.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('   ')
      .trimEnd();
  return shown.map((row) => `${line(row)}\n`).join('');
}
