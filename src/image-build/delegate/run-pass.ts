/** Owns one pass of a build through the plugin: its run beside a watch on the builder, one retry, and its failure. */
import {waitForBuilder} from '../../builder/ensure/wait-for-builder.ts';
import {watchBuilder} from '../../builder/ensure/watch-builder.ts';
import type {BuilderRuntime} from '../../builder/model/builder.ts';
import type {Loss} from '../../builder/verdict/loss.ts';
import type {ExitStatus} from '../../cluster/ports.ts';
import {TiltbuildError, timedOut} from '../../errors.ts';
import type {Files, Ports} from '../../ports.ts';
import {advise, flag} from '../../text/advice.ts';
import {formatCommand} from '../../text/shell-words.ts';
import type {BuildPass} from '../build-passes.ts';
import type {BuildRequest} from '../build-request.ts';
import {type FailureWords, type Fault, FaultWatcher} from '../failure/builder-faults.ts';
import type {PreparedBuild} from '../prepare-build.ts';
import {type DigestSource, findDigest, ProgressDigest} from './digest.ts';
import {lendLogin} from './lend-login.ts';
import {planBuild} from './plan.ts';

/** A build whose builder is there. */
export interface ReadyBuild extends PreparedBuild {
  readonly runtime: BuilderRuntime;
}

/** Gives the digest. Throws `build-failed`, `digest-missing`, `timed-out` and `Interrupted`. */
export async function runPass(pass: BuildPass, build: ReadyBuild, ports: Ports): Promise<string | undefined> {
  const {request} = pass;
  const {program, input, cluster, surroundings} = build;
  const {settings, deadline, policy} = build.builder.request;
  const privatePath = (name: string) => build.privatePath(`pass-${pass.number}-${name}`);
  const plan = planBuild(pass, {...build, pinArgs: await lendLogin(build, privatePath, ports.files)});
  const mode = chooseProgress(request, plan.digest, surroundings.terminal);
  ports.notes.detail(`runs: ${formatCommand([program, ...plan.argv])}`);

  for (let attempt = 1; ; attempt += 1) {
    ports.interruption.throwIfReceived();
    const digests = new ProgressDigest();
    const faults = new FaultWatcher({builder: settings.name, namespace: settings.namespace});
    const observe = (chunk: Uint8Array) => {
      digests.observe(chunk);
      faults.observe(chunk);
    };
    const stop = new AbortController();
    const timer =
      deadline === undefined
        ? undefined
        : setTimeout(() => stop.abort(timedOut()), Math.max(0, deadline - ports.now()));
    const running = ports.delegate
      .run({
        program,
        argv: plan.argv,
        env: plan.env,
        input,
        stop: stop.signal,
        stdout: request.destination.stdout ? 'result' : 'stderr',
        progress: {mode, spool: privatePath(`progress-${attempt}`), observe},
      })
      .finally(() => {
        clearTimeout(timer);
        ports.interruption.throwIfReceived();
      });
    // With the policy `never` the plugin alone is responsible for the builder.
    const watching =
      policy === 'never'
        ? undefined
        : watchBuilder({...settings, cluster}, running, ports).then((loss) => {
            if (loss !== undefined) stop.abort();
            return loss;
          });
    const ended = await running;
    const loss = await watching;

    if (ended.exitCode === 0) return await findDigest(plan.digest, request, digests, ports.files);
    if (stop.signal.reason instanceof TiltbuildError) throw stop.signal.reason;
    const cause = loss ?? faults.fault();
    if (attempt === 2 || !cause?.retriable || !isRepeatable(request, input))
      throw await explainEnd(ended, cause, faults.words(), build, ports.files);
    ports.notes.note(`${cause.message} Your build did not cause this; retrying once.`);
    if (loss !== undefined) await waitForBuilder(build.builder.request, cluster, ports, {wasReady: true});
  }
}

function chooseProgress({quiet}: BuildRequest, digest: DigestSource, terminal: boolean) {
  if (quiet) return 'held';
  // A live view needs the terminal itself, and then there is nothing for us to read.
  return terminal && digest.from !== 'progress' ? 'shown' : 'watched';
}

/** Our standard input can be read only once, and output on standard output cannot be taken back. */
function isRepeatable({context, file, destination}: BuildRequest, input: string | undefined): boolean {
  const readsOurs = input === undefined && (context === '-' || file === '-');
  return !readsOurs && !destination.stdout;
}

async function explainEnd(
  {exitCode, signal}: ExitStatus,
  cause: Loss | Fault | undefined,
  words: FailureWords | undefined,
  {asked, pullSecret, builder, surroundings: {platform}}: ReadyBuild,
  files: Files,
): Promise<TiltbuildError> {
  if (cause !== undefined) {
    return new TiltbuildError('build-failed', `The build failed. ${cause.message}`, {
      remedy: 'remedy' in cause ? cause.remedy : [],
    });
  }
  // The known failures are many, and are loaded only after a build failed.
  const {explainFailure, isStepFailure} = await import('../failure/build-hints.ts');
  const {namespace} = builder.request.settings;
  const scene = {asked, pullSecret: pullSecret.name, namespace, platform, files};
  const hint = words && (await explainFailure(words, scene));
  if (hint !== undefined) {
    const {message, detail, remedy} = hint;
    return new TiltbuildError('build-failed', `The build failed. ${message}`, {detail, remedy});
  }
  const how = exitCode === undefined ? `was killed by ${signal}` : `exited with ${exitCode}`;
  return new TiltbuildError('build-failed', `The build failed: kubectl build ${how}. Its output is above.`, {
    // A failed command of the Dockerfile says it all, and on a terminal we cannot see whether it was one.
    remedy:
      words === undefined || isStepFailure(words)
        ? []
        : [advise`To see the command that ran, use ${flag('dry-run')}.`],
  });
}
