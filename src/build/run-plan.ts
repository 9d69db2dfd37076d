/** Owns one delegated run: private files first, then the delegate to its end, then the digest. */
import {TiltbuildError} from '../errors.ts';
import type {BuildRequest} from './build-request.ts';
import {ProgressDigest, readDigest} from './digest.ts';
import type {Plan} from './plan.ts';
import type {DelegateRun, Ports} from './ports.ts';

/** Runs the delegate to its end and gives the digest. Throws `build-failed`, `digest-missing`, `Interrupted`. */
export async function runPlan(
  program: string,
  plan: Plan,
  request: BuildRequest,
  spool: string,
  ports: Ports,
): Promise<string | undefined> {
  for (const {path, text} of plan.files) await ports.files.writePrivate(path, text);
  ports.interruption.throwIfReceived();

  const watched = new ProgressDigest();
  const observe = (chunk: Uint8Array) => watched.observe(chunk);
  const ended = await ports.delegate.run({
    program,
    argv: plan.argv,
    env: plan.env,
    stdout: request.destination.stdout ? 'result' : 'stderr',
    progress: chooseProgress(request, plan, spool, observe),
  });
  ports.interruption.throwIfReceived();
  if (ended.exitCode !== 0) {
    const how =
      ended.exitCode === undefined ? `was killed by ${ended.signal}` : `exited with ${ended.exitCode}`;
    throw new TiltbuildError(
      'build-failed',
      `The build failed: kubectl build ${how}. What it said is above.`,
    );
  }

  const {digest} = plan;
  if (digest.from === 'nowhere') return undefined;
  const found =
    digest.from === 'progress'
      ? watched.digest()
      : readDigest((await ports.files.readText(digest.path)) ?? '');
  // An archive is the user's file already; only some versions of BuildKit tell its digest.
  if (found === undefined && request.destination.kind !== 'archive') {
    throw new TiltbuildError(
      'digest-missing',
      'The build succeeded, but kubectl build did not tell the digest of the image.',
      {
        remedy: [
          'The image is in place under its tags. Run again with --verbose to see the command that was run.',
        ],
      },
    );
  }
  return found;
}

function chooseProgress(
  request: BuildRequest,
  plan: Plan,
  spool: string,
  observe: (chunk: Uint8Array) => void,
): DelegateRun['progress'] {
  if (request.quiet) return {mode: 'held', spool, observe};
  return plan.digest.from === 'progress' ? {mode: 'watched', observe} : {mode: 'shown'};
}
