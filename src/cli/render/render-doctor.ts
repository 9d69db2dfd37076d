/** Owns how a diagnosis is shown: a line for each check and its fix for people, one object for programs. */
import {CHECKS, type Check, type Mark, type Report} from '../../doctor/report.ts';
import {formatAdvice, isCommand, type Writing} from '../../text/advice.ts';
import {formatJson} from '../../text/show-text.ts';
import {paint, type Style} from './render.ts';
import {wrapText} from './wrap-text.ts';

export interface DoctorPage extends Style {
  /** In columns; undefined where it is shown on no terminal. */
  readonly width: number | undefined;
}

const MARKS: Readonly<Record<Mark, readonly [sign: string, colour: number]>> = {
  ok: ['✓', 32],
  warn: ['!', 33],
  fail: ['✗', 31],
  skipped: ['-', 2],
};

const USUAL = 80;
/** Wider lines are hard to read. */
const WIDEST = 100;
const TITLE = Math.max(...Object.values(CHECKS).map(({length}) => length));
const INDENT = ' '.repeat(2 + TITLE + 2);
/** Below this, text that is indented so far has no room left. */
const NARROW = 50;

export function renderDoctor(report: Report, form: 'text' | 'json', page: DoctorPage): string {
  return form === 'json' ? renderJson(report, page) : renderText(report, page);
}

function renderText(report: Report, page: DoctorPage): string {
  return [
    ...report.checks.flatMap((check) => renderCheck(check, page)),
    '',
    renderVerdict(report, page),
    '',
  ].join('\n');
}

function renderJson({checks, works}: Report, writing: Writing): string {
  const described = checks.map(({name, mark, found, fix, waitsFor}) => ({
    name,
    title: CHECKS[name],
    mark,
    found,
    fix:
      fix === undefined
        ? null
        : {kind: isCommand(fix) ? 'command' : 'advice', text: formatAdvice(fix, writing)},
    waitsFor: waitsFor ?? null,
  }));
  return formatJson({works, checks: described});
}

/** A command stays on one line whatever its length, so that it can be copied. */
function renderCheck({name, mark, found, fix}: Check, page: DoctorPage): readonly string[] {
  const [sign, colour] = MARKS[mark];
  const width = Math.min(page.width ?? USUAL, WIDEST);
  const narrow = width < NARROW;
  const indent = narrow ? '    ' : INDENT;
  const head = `${paint(page, colour, sign)} ${CHECKS[name]}`;
  const gap = ' '.repeat(TITLE - CHECKS[name].length + 2);
  const lines = wrapText(found, width - indent.length);
  const fixLines = fix === undefined ? [] : wrapText(fix, width - indent.length - 2, page);
  return [
    ...(narrow
      ? [head, ...lines.map((line) => indent + line)]
      : lines.map((line, at) => (at === 0 ? `${head}${gap}${line}` : indent + line))),
    ...fixLines.map((line, at) => `${indent}${at === 0 ? paint(page, 36, '→') : ' '} ${line}`),
  ];
}

function renderVerdict({checks, works}: Report, page: DoctorPage): string {
  const count = (wanted: Mark) => checks.filter(({mark}) => mark === wanted).length;
  const [failed, warned] = [count('fail'), count('warn')];
  if (!works)
    return paint(
      page,
      31,
      `A build would not work: see ${failed === 1 ? 'the ✗' : `the ${failed} ✗`} above.`,
    );
  if (warned > 0)
    return paint(page, 33, `A build would work; see ${warned === 1 ? 'the !' : `the ${warned} !`} above.`);
  return paint(page, 32, 'A build would work.');
}
