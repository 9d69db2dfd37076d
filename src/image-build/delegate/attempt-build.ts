/** Owns a build as a whole: the delegate beside a watch on its builder, a limit, and one more attempt where it is due. */
import {waitForBuilder} from '../../builder/ensure/wait-for-builder.ts';
import {watchBuilder} from '../../builder/ensure/watch-builder.ts';
import type {BuilderRequest} from '../../builder/model/request.ts';
import type {Loss} from '../../builder/verdict/loss.ts';
import type {Cluster} from '../../cluster/ports.ts';
import {TiltbuildError, timedOut} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import type {Fault} from '../failure/builder-faults.ts';
import type {FailureScene} from '../failure/failure-scene.ts';
import {type PlannedRun, type RunOutcome, runPlan} from './run-plan.ts';

export interface BuildAttempts {
  readonly run: Omit<PlannedRun, 'spool' | 'stop'>;
  /** Makes the path of a file in this run's private directory. */
  readonly privatePath: (name: string) => string;
  readonly cluster: Cluster;
  /** The builder to watch; undefined where it is left to the delegate. */
  readonly builder: BuilderRequest | undefined;
  /** When it has to be done, by `ports.now`; undefined for no limit. */
  readonly deadline: number | undefined;
  /** What is known around it, for what is said of a failure. */
  readonly scene: Omit<FailureScene, 'files' | 'namespace'>;
}

/** Gives the digest. Throws `build-failed`, `digest-missing`, `timed-out`, `Interrupted`. */
export async function attemptBuild(attempts: BuildAttempts, ports: Ports): Promise<string | undefined> {
  const {run, builder, cluster} = attempts;
  ports.interruption.throwIfReceived();
  const first = await runOnce(attempts, 'progress-1', ports);
  if (first.exitCode === 0) return demandDigest(first, run);
  if (first.timedOut) throw timedOut();
  const cause = first.loss ?? first.fault;
  if (cause === undefined || !cause.retriable || !isRepeatable(run))
    throw await failed(first, attempts, ports);

  ports.notes.note(`${cause.message} Nothing of yours was at fault, so it is built once more.`);
  if (first.loss !== undefined && builder !== undefined)
    await waitForBuilder({...builder, deadline: attempts.deadline}, cluster, ports, {wasReady: true});
  const second = await runOnce(attempts, 'progress-2', ports);
  if (second.exitCode === 0) return demandDigest(second, run);
  throw second.timedOut ? timedOut() : await failed(second, attempts, ports);
}

/** Our standard input can be read once, and what went to standard output cannot be taken back. */
function isRepeatable({request, input}: BuildAttempts['run']): boolean {
  const readsOurs = input === undefined && (request.context === '-' || request.file === '-');
  return !readsOurs && !request.destination.stdout;
}

interface Attempt extends RunOutcome {
  readonly loss: Loss | undefined;
  readonly timedOut: boolean;
}

async function runOnce(
  {run, privatePath, cluster, builder, deadline}: BuildAttempts,
  spoolName: string,
  ports: Ports,
): Promise<Attempt> {
  const stop = new AbortController();
  let isTimedOut = false;
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(
          () => {
            isTimedOut = true;
            stop.abort();
          },
          Math.max(0, deadline - ports.now()),
        );
  try {
    const running = runPlan({...run, spool: privatePath(spoolName), stop: stop.signal}, ports);
    const watching =
      builder === undefined
        ? undefined
        : watchBuilder({...builder.settings, cluster}, running, ports).then((loss) => {
            if (loss !== undefined) stop.abort();
            return loss;
          });
    const outcome = await running;
    return {...outcome, loss: await watching, timedOut: isTimedOut};
  } finally {
    clearTimeout(timer);
  }
}

function demandDigest({digest}: Attempt, {request, plan}: BuildAttempts['run']): string | undefined {
  // An archive is the user's file already; only some versions of BuildKit tell its digest.
  const isOptional = plan.digest.from === 'nowhere' || request.destination.kind === 'archive';
  if (digest !== undefined || isOptional) return digest;
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

async function failed(
  {exitCode, signal, loss, fault, words}: Attempt,
  {scene, run}: BuildAttempts,
  {files}: Ports,
): Promise<TiltbuildError> {
  const cause: Loss | Fault | undefined = loss ?? fault;
  if (cause !== undefined) {
    return new TiltbuildError('build-failed', `The build failed. ${cause.message}`, {
      remedy: 'remedy' in cause ? cause.remedy : [],
    });
  }
  // What can fail is much, and is loaded only once something did.
  const {explainFailure, isStepFailure} = await import('../failure/build-hints.ts');
  const hint = words && (await explainFailure(words, {...scene, files, namespace: run.namespace}));
  if (hint !== undefined) {
    const {message, detail, remedy} = hint;
    return new TiltbuildError('build-failed', `The build failed. ${message}`, {detail, remedy});
  }
  const how = exitCode === undefined ? `was killed by ${signal}` : `exited with ${exitCode}`;
  return new TiltbuildError(
    'build-failed',
    `The build failed: kubectl build ${how}. What it said is above.`,
    {
      // A command of the Dockerfile that failed has said it all; on a terminal it is not seen what it was.
      remedy:
        words === undefined || isStepFailure(words) ? [] : ['To see the command that was run: --dry-run'],
    },
  );
}
