/** Owns how errors and notes look on standard error. */
import {Interrupted, TiltbuildError} from '../errors.ts';
import {VERSION} from './oclif-boot.ts';

export interface Style {
  readonly colour: boolean;
}

/** Colour is for terminals, and for those who did not turn it off (no-color.org). */
export function chooseStyle(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  return {colour: isTerminal && !env.NO_COLOR && env.TERM !== 'dumb'};
}

/** What is wrong, where, and what to do. An interruption needs no words. */
export function renderError(error: unknown, style: Style): string {
  if (error instanceof Interrupted) return '';
  if (error instanceof TiltbuildError) {
    return [
      `${paint(style, 31, 'error:')} ${error.message}`,
      ...error.detail.map((line) => `  ${line}`),
      ...error.remedy.map((line, index) =>
        index === 0 ? `${paint(style, 36, 'hint:')}  ${line}` : `       ${line}`,
      ),
      '',
    ].join('\n');
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return [
    `${paint(style, 31, 'error:')} kubectl tiltbuild ${VERSION} met something that it did not foresee. This is a bug.`,
    ...stack.split('\n').map((line) => `  ${line}`),
    `${paint(style, 36, 'hint:')}  Please report it with the lines above.`,
    '',
  ].join('\n');
}

export function renderNote(text: string, style: Style): string {
  return `${paint(style, 33, 'note:')}  ${text}\n`;
}

export function renderDetail(text: string, style: Style): string {
  return `${paint(style, 2, text)}\n`;
}

function paint({colour}: Style, code: number, text: string): string {
  return colour ? `\u001b[${code}m${text}\u001b[0m` : text;
}
