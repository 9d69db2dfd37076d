/** Owns the picture of a terminal: an SVG in the colours of the reader's theme, light or dark. */
import type {Span, Style} from './terminal-screen.ts';

export interface Picture {
  /** Says what is shown, for those who do not see it. */
  readonly title: string;
  readonly columns: number;
  readonly lines: readonly (readonly Span[])[];
}

const FONT = 14;
/** Of monospaced fonts, most of which are as wide as this. */
const CHARACTER = 8.43;
const LINE = 18;
const MARGIN = 18;
/** The bar with the three buttons. */
const BAR = 36;

/** Each colour on paper and at night, as GitHub's themes have them. */
const INK: Readonly<Record<Exclude<Style, '1' | '2'> | 'dim' | 'paper' | 'edge', readonly [string, string]>> =
  {
    paper: ['#ffffff', '#0d1117'],
    edge: ['#d0d7de', '#30363d'],
    dim: ['#656d76', '#8d96a0'],
    '': ['#1f2328', '#e6edf3'],
    31: ['#cf222e', '#ff7b72'],
    32: ['#1a7f37', '#3fb950'],
    33: ['#9a6700', '#d29922'],
    34: ['#0969da', '#58a6ff'],
    36: ['#1b7c83', '#39c5cf'],
  };

export function formatPicture({title, columns, lines}: Picture): string {
  const width = Math.ceil(columns * CHARACTER) + 2 * MARGIN;
  const height = BAR + lines.length * LINE + MARGIN;
  const buttons = [0, 1, 2].map(
    (place) => `<circle cx="${MARGIN + 6 + place * 20}" cy="18" r="6" class="button"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<style>\n${formatStyles(0)}\n@media (prefers-color-scheme: dark) {\n${formatStyles(1)}\n}\n</style>`,
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" class="paper"/>`,
    ...buttons,
    ...lines.flatMap((spans, index) => formatLine(spans, BAR + index * LINE + FONT)),
    '</svg>',
    '',
  ].join('\n');
}

function formatStyles(theme: 0 | 1): string {
  const {paper, edge, dim, ...colours} = INK;
  return [
    `text { font: ${FONT}px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre; fill: ${colours[''][theme]} }`,
    `.paper { fill: ${paper[theme]}; stroke: ${edge[theme]} }`,
    `.button { fill: ${edge[theme]} }`,
    '.s1 { font-weight: bold }',
    `.s2 { fill: ${dim[theme]} }`,
    ...Object.entries(colours).flatMap(([style, pair]) =>
      style === '' ? [] : [`.s${style} { fill: ${pair[theme]} }`],
    ),
  ].join('\n');
}

/** Words in columns stand where they belong, whatever the width of the reader's font. */
function formatLine(spans: readonly Span[], y: number): readonly string[] {
  let column = 0;
  const texts = spans.flatMap(({text, style}) =>
    text.split(/( {2,})/).flatMap((part) => {
      const x = (MARGIN + column * CHARACTER).toFixed(1);
      column += [...part].length;
      if (part.trim() === '') return [];
      return [`<tspan x="${x}"${style === '' ? '' : ` class="s${style}"`}>${escapeXml(part)}</tspan>`];
    }),
  );
  return texts.length === 0 ? [] : [`<text y="${y}">${texts.join('')}</text>`];
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
