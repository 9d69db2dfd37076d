/** Owns the composition: the process's environment and streams become adapters, the outcome an exit code. */
import {hostname, tmpdir} from 'node:os';
import type {BuilderCommandRequest} from './builder/commands/command-request.ts';
import {type Invocation, readCommandLine} from './cli/argv/command-line.ts';
import {readReporting} from './cli/argv/reporting.ts';
import {findTiltArgument} from './cli/commands/commands.ts';
import {COMMIT, VERSION} from './cli/help/version.ts';
import {exitCodeOf, UNFIT} from './cli/render/exit-codes.ts';
import {
  chooseStyle,
  formatErrorJson,
  renderDetail,
  renderError,
  renderNote,
  type Style,
} from './cli/render/render.ts';
import {renderDone, renderFailed} from './cli/render/render-outcome.ts';
import {Interrupted, TiltbuildError, timedOut} from './errors.ts';
import {buildImage} from './image-build/build-image.ts';
import {formatResult} from './image-build/build-result.ts';
import {answerLogin} from './image-build/engines/kubectl-build/lend-login.ts';
import {every, type Host, makePorts} from './make-ports.ts';
import type {Notes, Ports} from './ports.ts';
import type {Surroundings} from './surroundings.ts';
import {Activity, showActivity} from './system/activity.ts';
import {Interruption} from './system/interruption.ts';
import {isStandardOutputClosed} from './system/output-disk.ts';
import {Terminal} from './system/terminal.ts';
import {describeSystemError} from './system-error.ts';
import {chooseFlagWriter} from './tilt/tiltfile-phrases.ts';

async function main(): Promise<number> {
  const {env, platform} = process;
  const crash = listenForCrashes();
  const interruption = new Interruption(process, (interrupted) => process.exit(exitCodeOf(interrupted)));
  const terminal = new Terminal(process, isStandardOutputClosed);
  const onTerminal = process.stderr.isTTY === true;
  const argv = process.argv.slice(2);
  const style: Style = {
    ...chooseStyle(onTerminal, env, onTerminal ? process.stderr.columns : undefined),
    writeFlag: chooseFlagWriter(env, findTiltArgument),
    shell: platform === 'win32' ? 'powershell' : 'posix',
  };
  try {
    const surroundings: Surroundings = {
      env,
      cwd: process.cwd(),
      platform,
      terminal: onTerminal,
      // Read late, since it opens the stream.
      resultTerminal: () => process.stdout.isTTY === true,
      toolVersion: VERSION,
      // Compiled, the second word is a path inside the program itself.
      self: {program: process.execPath, args: process.versions.bun ? [] : process.argv.slice(1, 2)},
    };
    const invocation = await readCommandLine(argv, surroundings);
    const performing = perform(invocation, {interruption, surroundings, terminal, style});
    return await interruption.cutOff(Promise.race([performing, crash]));
  } catch (thrown) {
    if (thrown instanceof Interrupted) return exitCodeOf(thrown);
    const error = describeSystemError(thrown);
    const {verbosity, json} = readReporting(argv);
    await terminal.writeError(
      json
        ? formatErrorJson(error, style)
        : renderError(error, style, {verbosity, runtime: describeRuntime()}),
    );
    if (onTerminal && !json && error instanceof TiltbuildError && error.code === 'build-failed')
      await terminal.writeError(renderFailed(performance.now() / 1000, style));
    const {reason} = interruption.stop;
    return exitCodeOf(reason instanceof Interrupted ? reason : error);
  } finally {
    await terminal.flush();
  }
}

/** Rejects with what nothing caught, which the runtime would show with the program's own source. */
function listenForCrashes(): Promise<never> {
  const {promise, reject} = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  process.on('uncaughtException', reject).on('unhandledRejection', reject);
  return promise;
}

interface Stage {
  readonly interruption: Interruption;
  readonly surroundings: Surroundings;
  readonly terminal: Terminal;
  readonly style: Style;
}

/** Gives the exit code. What is not a build is loaded only where it is asked for: a build has no time for it. */
async function perform(invocation: Invocation, stage: Stage): Promise<number> {
  const {interruption, surroundings, terminal, style} = stage;
  const notes: Notes = {
    note: (text) => terminal.writeError(renderNote(text, style)),
    detail: () => undefined,
  };
  switch (invocation.kind) {
    case 'build':
      return await performBuild(invocation, stage);
    case 'text':
      await terminal.writeResult(invocation.text);
      return 0;
    case 'version': {
      const {reportVersions} = await import('./doctor/report-versions.ts');
      const own = {version: VERSION, commit: COMMIT, runtime: describeRuntime()};
      await terminal.writeResult(await reportVersions(own, makePorts(HOST, interruption, terminal, SILENT)));
      return 0;
    }
    case 'completion': {
      const {completion} = invocation;
      const {completeValues} = await import('./cluster/complete-values.ts');
      const {formatCompletion} = await import('./cli/argv/complete.ts');
      const ports = makePorts(HOST, interruption, terminal, SILENT, () => undefined);
      const values = completion.live ? await completeValues(completion.live, surroundings, ports) : [];
      await terminal.writeResult(formatCompletion(completion, values));
      return 0;
    }
    case 'login': {
      const {text, exitCode} = await answerLogin(
        invocation.question,
        makePorts(HOST, interruption, terminal, SILENT),
      );
      await terminal.writeResult(text);
      return exitCode;
    }
    case 'builder': {
      limitCreation(invocation.request, interruption);
      const {runBuilderCommand} = await import('./builder/commands/run-command.ts');
      const text = await runBuilderCommand(invocation.request, surroundings, livePorts(stage, notes));
      await terminal.writeResult(text);
      return 0;
    }
    case 'doctor': {
      const {runDoctor} = await import('./doctor/run-doctor.ts');
      const {renderDoctor} = await import('./cli/render/render-doctor.ts');
      const report = await runDoctor(invocation.request, surroundings, livePorts(stage, notes));
      const {isTTY, columns: width} = process.stdout;
      const styled = {...chooseStyle(isTTY === true, surroundings.env), width, shell: style.shell};
      await terminal.writeResult(renderDoctor(report, invocation.request.form, styled));
      return report.works ? 0 : UNFIT;
    }
  }
}

async function performBuild(
  {request, verbose, dryRun}: Extract<Invocation, {kind: 'build'}>,
  stage: Stage,
): Promise<number> {
  const {interruption, surroundings, terminal, style} = stage;
  const notes: Notes = {
    note: (text) => request.quiet || terminal.writeError(renderNote(text, style)),
    detail: (text) => verbose && terminal.writeError(renderDetail(text, style)),
  };
  const {timeout} = request;
  if (timeout !== undefined) interruption.limit(timeout - performance.now(), () => timedOut());
  const ports = request.quiet ? makePorts(HOST, interruption, terminal, notes) : livePorts(stage, notes);
  if (request.findBaseImages.length > 0) {
    const {listBaseImages} = await import('./image-build/inputs/base-images.ts');
    const found = await listBaseImages(request, surroundings.env, ports.files);
    await terminal.writeResult(found.map((name) => `${name}\n`).join(''));
    return 0;
  }
  if (dryRun) {
    const {dryRunBuild} = await import('./image-build/dry-run.ts');
    const {formatDryRun} = await import('./image-build/dry-run-report.ts');
    const run = await dryRunBuild(request, surroundings, ports);
    const form = request.print === 'json' ? 'json' : 'text';
    await terminal.writeResult(formatDryRun(run, form, surroundings));
    return 0;
  }
  if (request.check) {
    const {checkDockerfile} = await import('./image-build/check-dockerfile.ts');
    const {formatCheck, judgeCheck} = await import('./image-build/dockerfile-check.ts');
    const found = await checkDockerfile(request, surroundings, ports);
    await terminal.writeResult(formatCheck(found, request.print));
    judgeCheck(found);
    notes.note('The check of the Dockerfile found nothing.');
    return 0;
  }
  await buildImage(request, surroundings, ports, async (result) => {
    await terminal.writeResult(request.destination.stdout ? '' : formatResult(result, request.print));
    if (surroundings.terminal && !request.quiet)
      await terminal.writeError(renderDone(result, request, style));
  });
  return 0;
}

/** What "builder create" waits for says why it is late, and has half a second for it. */
function limitCreation({action}: BuilderCommandRequest, interruption: Interruption): void {
  if (action.kind === 'create')
    interruption.limit(action.timeout + 500 - performance.now(), () =>
      timedOut('The creation of the builder'),
    );
}

const HOST: Host = {process, temporaryRoot: tmpdir, hostname};
const SILENT: Notes = {note: () => undefined, detail: () => undefined};

function describeRuntime(): string {
  const {bun, node} = process.versions;
  return `${bun === undefined ? `Node ${node}` : `Bun ${bun}`}, ${process.platform}/${process.arch}`;
}

/** Those that show on a terminal what they wait for. */
function livePorts({interruption, surroundings, terminal}: Stage, notes: Notes): Ports {
  const ports = makePorts(HOST, interruption, terminal, notes);
  if (!surroundings.terminal || surroundings.env.TERM === 'dumb') return ports;
  const activity = new Activity({
    showStatus: (line) => terminal.showStatus(line),
    now: ports.now,
    every,
  });
  return showActivity(ports, activity);
}

process.exit(await main());
