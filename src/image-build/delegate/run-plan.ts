/** Owns one run of the delegate: its progress going where it belongs, and what it ended with. */
import type {DelegateResult} from '../../cluster/ports.ts';
import type {DelegateRun, Ports} from '../../ports.ts';
import type {BuildRequest} from '../build-request.ts';
import {type FailureWords, type Fault, FaultWatcher} from '../failure/builder-faults.ts';
import {ProgressDigest, readDigest} from './digest.ts';
import type {Plan} from './plan.ts';

export interface PlannedRun {
  readonly program: string;
  readonly plan: Plan;
  readonly request: BuildRequest;
  /** Of the builder. */
  readonly namespace: string;
  /** Whether progress goes to a terminal, which the delegate then has for itself. */
  readonly terminal: boolean;
  /** Where progress is kept that is not to be seen yet. */
  readonly spool: string;
  readonly stop: AbortSignal;
  /** The file that is the delegate's standard input; undefined: our own. */
  readonly input?: string;
}

export interface RunOutcome extends DelegateResult {
  /** Undefined after a failure, and where there is none. */
  readonly digest: string | undefined;
  /** What failed for the builder's sake, where that could be seen: not on a terminal. */
  readonly fault: Fault | undefined;
  /** How the delegate told its failure, where that could be seen. */
  readonly words: FailureWords | undefined;
}

/** Throws `Interrupted`. */
export async function runPlan(run: PlannedRun, ports: Ports): Promise<RunOutcome> {
  const {program, plan, request, namespace, stop, input} = run;
  const digests = new ProgressDigest();
  const faults = new FaultWatcher({builder: request.builder.name, namespace});
  const observe = (chunk: Uint8Array) => {
    digests.observe(chunk);
    faults.observe(chunk);
  };
  const ended = await ports.delegate.run({
    program,
    argv: plan.argv,
    env: plan.env,
    stop,
    input,
    stdout: request.destination.stdout ? 'result' : 'stderr',
    progress: chooseProgress(run, observe),
  });
  ports.interruption.throwIfReceived();
  if (ended.exitCode !== 0)
    return {...ended, digest: undefined, fault: faults.fault(), words: faults.words()};
  return {...ended, digest: await findDigest(plan, digests, ports), fault: undefined, words: undefined};
}

function chooseProgress(
  {request, plan, terminal, spool}: PlannedRun,
  observe: (chunk: Uint8Array) => void,
): DelegateRun['progress'] {
  if (request.quiet) return {mode: 'held', spool, observe};
  // A live view needs the terminal itself, and then there is nothing for us to read.
  return terminal && plan.digest.from !== 'progress' ? {mode: 'shown'} : {mode: 'watched', observe};
}

async function findDigest(
  {digest}: Plan,
  digests: ProgressDigest,
  {files}: Ports,
): Promise<string | undefined> {
  switch (digest.from) {
    case 'nowhere':
      return undefined;
    case 'progress':
      return digests.digest();
    case 'image-id-file':
      return readDigest((await files.readText(digest.path)) ?? '');
  }
}
