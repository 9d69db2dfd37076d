/** Owns the engine `kubectl build`: one run of the plugin, its digest, and what it reported of a failure. */
import type {BuilderRuntime} from '../../../builder/model/builder.ts';
import type {ExitStatus} from '../../../cluster/ports.ts';
import {TiltbuildError} from '../../../errors.ts';
import type {Ports} from '../../../ports.ts';
import type {Surroundings} from '../../../surroundings.ts';
import {advise, flag} from '../../../text/advice.ts';
import {formatCommand} from '../../../text/shell-words.ts';
import type {BuildRequest} from '../../build-request.ts';
import {type FailureWords, FaultWatcher} from '../../failure/builder-faults.ts';
import type {StagedInputs} from '../../inputs/stage-inputs.ts';
import type {PreparedBuild} from '../../prepare-build.ts';
import type {Engine} from '../engine.ts';
import {explainEnd} from '../explain-end.ts';
import {findDeadStream, type Hearsay} from './dead-stream.ts';
import {type DigestSource, findDigest, ProgressDigest} from './digest.ts';
import {lendLogin} from './lend-login.ts';
import type {LiveView} from './live-view.ts';
import {planBuild} from './plan.ts';

/** `program` is the path of kubectl-build. */
export function kubectlBuild(
  program: string,
  staged: StagedInputs,
  build: PreparedBuild,
  runtime: BuilderRuntime,
  ports: Ports,
): Engine {
  const {context, file, secretSpecs, input} = staged;
  const {settings} = build.builder.request;
  return {
    name: 'kubectl-build',
    isRepeatable: !build.request.destination.stdout,
    close: async () => undefined,
    run: async ({pass, attempt, stop}) => {
      const request = {...pass.request, context, file};
      const privatePath = (name: string) => build.privatePath(`pass-${pass.number}-${name}`);
      const pinArgs = await lendLogin(build, privatePath, ports.files);
      const plan = planBuild({...pass, request}, {...build, runtime, pinArgs, secretSpecs});
      if (attempt === 1) ports.notes.detail(`runs: ${formatCommand([program, ...plan.argv])}`);
      const digests = new ProgressDigest();
      const faults = new FaultWatcher({builder: settings.name, namespace: settings.namespace});
      const mode = chooseMode(request, plan.digest, build.surroundings);
      const view = mode === 'read' ? await openView(build, ports) : undefined;
      let lastSign: number | undefined;
      const observe = (chunk: Uint8Array) => {
        lastSign = ports.now();
        digests.observe(chunk);
        faults.observe(chunk);
        view?.observe(chunk);
      };
      const dead = new AbortController();
      const running = ports.delegate.run({
        program,
        argv: plan.argv,
        env: plan.env,
        cwd: plan.cwd,
        input,
        stop: AbortSignal.any([stop, dead.signal]),
        stdout: request.destination.stdout ? 'result' : 'stderr',
        progress: {mode, spool: build.spoolPath(`pass-${pass.number}-progress-${attempt}`), observe},
      });
      const listening = {lastSign: () => lastSign, ask: () => askBuilder(build)};
      const watching = findDeadStream(listening, running, ports).then((what) => {
        if (what !== undefined) dead.abort();
        return what;
      });
      const ended = await running.catch(async (error: unknown) => {
        await view?.end(false);
        throw error;
      });
      // What was cancelled says so itself.
      await view?.end(ended.exitCode !== 0 && !stop.aborted && !dead.signal.aborted);
      if (ended.exitCode === 0) {
        const digest = await findDigest(plan.digest, request, digests, ports.files);
        return {kind: 'built', digest, node: undefined};
      }
      const explain = () => explainExit(ended, faults.words(), build, ports);
      const what = await watching;
      const fault = what === undefined ? faults.fault() : {message: what, remedy: [], retriable: true};
      return {kind: 'failed', fault, explain};
    },
  };
}

/** The plugin's own live view needs the terminal itself, and then there is nothing for us to read. */
function chooseMode({quiet, progress}: BuildRequest, digest: DigestSource, {terminal, env}: Surroundings) {
  if (quiet) return 'held';
  if (!terminal || progress === 'plain') return 'watched';
  if (progress === 'tty' && digest.from !== 'progress') return 'shown';
  return progress !== 'tty' && env.TERM === 'dumb' ? 'watched' : 'read';
}

async function askBuilder({builder, cluster}: PreparedBuild): Promise<Hearsay> {
  const {findBuildActivity} = await import('../../../builder/ensure/running-builds.ts');
  try {
    return (await findBuildActivity({...builder.request.settings, readyReplicas: 1}, cluster)).kind;
  } catch {
    return 'unreachable';
  }
}

async function openView({surroundings}: PreparedBuild, ports: Ports): Promise<LiveView> {
  const {openLiveView} = await import('./live-view.ts');
  return openLiveView(surroundings, ports);
}

async function explainExit(
  {exitCode, signal}: ExitStatus,
  words: FailureWords | undefined,
  build: PreparedBuild,
  ports: Ports,
): Promise<TiltbuildError> {
  const {explained, isStepFailure} = await explainEnd(words, build, ports.files);
  if (explained !== undefined) return explained;
  const how = exitCode === undefined ? `was killed by ${signal}` : `exited with ${exitCode}`;
  return new TiltbuildError('build-failed', `The build failed: kubectl build ${how}. Its output is above.`, {
    // A failed command of the Dockerfile says it all, and with --progress tty we cannot see whether it was one.
    remedy:
      words === undefined || isStepFailure
        ? []
        : [advise`To see the command that ran, use ${flag('dry-run')}.`],
  });
}
