/** Owns what a check of a Dockerfile found, how it is printed, and what follows from it. */
import {TiltbuildError} from '../errors.ts';
import {formatJson, showText} from '../text/show-text.ts';
import type {PrintForm} from './build-request.ts';

export interface DockerfileCheck {
  /** All warnings, as BuildKit words them. */
  readonly text: string;
  /** BuildKit's own JSON, with the Dockerfile in it. */
  readonly json: string;
  readonly warnings: number;
  /** Why it cannot be built at all. */
  readonly error?: {readonly message: string; readonly quoted: readonly string[]};
}

/** The text for standard output. */
export function formatCheck({text, json}: DockerfileCheck, form: PrintForm): string {
  switch (form) {
    case 'none':
      return '';
    case 'json':
      return formatJson(JSON.parse(json));
    case 'digest':
    case 'ref':
      return showText(text);
    default:
      return form satisfies never;
  }
}

/** Throws `check-failed` if anything was found. */
export function judgeCheck({warnings, error}: DockerfileCheck): void {
  if (error !== undefined) {
    throw new TiltbuildError('check-failed', `The Dockerfile cannot be built: ${error.message}`, {
      detail: error.quoted,
    });
  }
  if (warnings === 0) return;
  const counted = warnings === 1 ? '1 warning' : `${warnings} warnings`;
  throw new TiltbuildError('check-failed', `The check of the Dockerfile found ${counted}.`);
}
