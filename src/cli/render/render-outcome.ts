/** Owns the last line of a build on a terminal: the result, and how long it took. */
import type {BuildRequest} from '../../image-build/build-request.ts';
import type {BuildResult} from '../../image-build/build-result.ts';
import {showLine} from '../../text/show-text.ts';
import {paint, type Style} from './render.ts';

type Asked = Pick<BuildRequest, 'destination' | 'push'>;

export function renderDone({references, digest, seconds}: BuildResult, asked: Asked, style: Style): string {
  // As many hex digits as docker shows of an ID.
  const short = digest === undefined ? '' : ` (${digest.slice(0, 'sha256:'.length + 12)})`;
  return `${paint(style, 32, 'done:')}  ${showLine(describe(references, asked))}${short} in ${formatSeconds(seconds)}\n`;
}

export function renderFailed(seconds: number, style: Style): string {
  return `${paint(style, 31, 'failed:')} after ${formatSeconds(seconds)}\n`;
}

function describe(references: readonly string[], {destination, push}: Asked): string {
  const names = references.length > 0 ? references.join(', ') : 'an untagged image';
  switch (destination.kind) {
    case 'files':
      return 'wrote the files';
    case 'archive':
      return 'wrote the archive';
    case 'image':
      return `${push ? 'pushed' : 'built'} ${names}`;
    case 'runtime':
      return `built ${names}`;
    default:
      return destination.kind satisfies never;
  }
}

/** `0.8 s`, `12.3 s`, `2 min 5 s`. */
function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
