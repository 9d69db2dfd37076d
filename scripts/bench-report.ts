/** Owns how a benchmark's results look: on the screen, in docs/benchmarks.md, and in the plot. */
import type {LinkRow} from './bench-link.ts';
import type {Result, Row} from './bench-measure.ts';

export interface Report {
  /** The versions, and the machine. */
  readonly about: readonly string[];
  readonly results: readonly Result[];
  /** Peak resident memory. */
  readonly memory: readonly {readonly name: string; readonly megabytes: number}[];
  readonly link: readonly LinkRow[];
}

/** For the screen. */
export function formatResult({title, rounds, rows}: Result): string {
  const width = Math.max(...rows.map(({name}) => name.length)) + 2;
  const head = ['min', 'median', 'max'].map((word) => word.padStart(11)).join('');
  return [
    `${title} (${rounds} rounds, alternating)`,
    `${''.padEnd(width)}${head}   vs. the first`,
    ...rows.map(
      (row) =>
        `${row.name.padEnd(width)}${times(row)
          .map((cell) => cell.padStart(11))
          .join('')}   ${against(row, rows)}`,
    ),
    '',
  ].join('\n');
}

export function formatMemory(memory: Report['memory']): string {
  const width = Math.max(...memory.map(({name}) => name.length)) + 2;
  return [
    'Peak resident memory of the process itself',
    ...memory.map(({name, megabytes}) => `${name.padEnd(width)}${`${megabytes.toFixed(0)} MB`.padStart(11)}`),
    '',
  ].join('\n');
}

export const LINK = 'Bytes over the link to a second node';

export function formatLink(link: Report['link']): string {
  const width = Math.max(...link.map(({name}) => name.length)) + 2;
  return [
    LINK,
    ...link.map((row) => `${row.name.padEnd(width)}${kilobytes(row).padStart(13)}   ${share(row)}`),
    '',
  ].join('\n');
}

function kilobytes({bytes}: LinkRow): string {
  return `${(bytes / 1000).toLocaleString('en', {maximumFractionDigits: 1})} kB`;
}

function share({ratio}: LinkRow): string {
  return ratio === 1 ? '' : `${ratio.toFixed(5)} ×`;
}

/** The generated part of docs/benchmarks.md. */
export function formatMarkdown({about, results, memory, link}: Report): string {
  return [
    about.join(' · '),
    '',
    ...results.flatMap(({title, rounds, rows}) => [
      `### ${title}`,
      '',
      `| ${rounds} rounds, alternating | min | median | max | vs. the first |`,
      '|---|---|---|---|---|',
      ...rows.map((row) => `| ${row.name} | ${times(row).join(' | ')} | ${against(row, rows)} |`),
      '',
    ]),
    '### Memory',
    '',
    '| Peak resident memory of the process itself | |',
    '|---|---|',
    ...memory.map(({name, megabytes}) => `| ${name} | ${megabytes.toFixed(0)} MB |`),
    '',
    '### Several nodes',
    '',
    `| ${LINK} | | vs. the first |`,
    '|---|---|---|',
    ...link.map((row) => `| ${row.name} | ${kilobytes(row)} | ${share(row)} |`),
  ].join('\n');
}

const LEFT = 330;
const WIDTH = 900;
const BAR = 18;
const INK = '#24292f';
const PAPER = '#ffffff';

/** A group of bars for each comparison, with a scale of its own. A bar is the median, its whisker min to max. */
export function formatPlot({results}: Report): string {
  let y = 10;
  const parts = results.flatMap(({title, rows}) => {
    const longest = Math.max(...rows.map(({max}) => max));
    const x = (ms: number) => LEFT + (ms / longest) * (WIDTH - LEFT - 150);
    y += 26;
    const head = `<text x="10" y="${y}" font-weight="bold">${escapeXml(title)}</text>`;
    const bars = rows.map((row, index) => {
      y += BAR + 6;
      const middle = y - BAR / 2 + 1;
      return [
        `<text x="${LEFT - 8}" y="${y - 4}" text-anchor="end">${escapeXml(row.name)}</text>`,
        `<rect x="${LEFT}" y="${y - BAR + 1}" width="${fixed(x(row.median) - LEFT)}" height="${BAR - 2}" fill="${index === 0 ? '#8c959f' : '#1f6feb'}"/>`,
        `<path d="M${fixed(x(row.min))} ${middle}H${fixed(x(row.max))}" stroke="${INK}" stroke-width="1.5"/>`,
        `<text x="${fixed(x(row.max) + 8)}" y="${y - 4}">${escapeXml(`${milliseconds(row.median)}${index === 0 ? '' : `, ${row.ratio.toFixed(2)} ×`}`)}</text>`,
      ].join('\n');
    });
    y += 8;
    return [head, ...bars];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 34}" font-family="sans-serif" font-size="13" fill="${INK}">`,
    '<title>Times of kubectl tiltbuild, and of other programs for comparison</title>',
    `<rect width="100%" height="100%" fill="${PAPER}"/>`,
    ...parts,
    `<text x="10" y="${y + 24}" font-size="11">Grey: the first case, which the others are compared with. Bar: median; line: min to max. Shorter is better.</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function times({min, median, max}: Row): readonly string[] {
  return [min, median, max].map(milliseconds);
}

function milliseconds(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toFixed(1)} ms`;
}

function against({median, ratio}: Row, [peer]: readonly Row[]): string {
  if (peer === undefined || median === peer.median) return '';
  const over = median - peer.median;
  return `${ratio.toFixed(2)} ×, ${over >= 0 ? '+' : '−'}${milliseconds(Math.abs(over))}`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
