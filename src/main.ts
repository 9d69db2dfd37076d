/** Owns the composition: the process's environment and streams become adapters, the outcome an exit code. */
import {homedir, tmpdir} from 'node:os';
import {buildImage} from './build/build-image.ts';
import type {Surroundings} from './build/build-request.ts';
import {formatResult} from './build/build-result.ts';
import {completeValues} from './build/complete-values.ts';
import {runDoctor} from './build/doctor/run-doctor.ts';
import {dryRunBuild} from './build/dry-run.ts';
import {formatDryRun} from './build/dry-run-report.ts';
import type {Notes, Ports} from './build/ports.ts';
import {reportVersions} from './build/report-versions.ts';
import {runBuilderCommand} from './build/run-builder-command.ts';
import {readCommandLine} from './cli/command-line.ts';
import {formatCompletion} from './cli/complete.ts';
import {exitCodeOf, UNFIT} from './cli/exit-codes.ts';
import {COMMIT, VERSION} from './cli/oclif-boot.ts';
import {
  chooseStyle,
  formatErrorJson,
  renderDetail,
  renderError,
  renderNote,
  type Style,
} from './cli/render.ts';
import {renderDoctor} from './cli/render-doctor.ts';
import {renderDone, renderFailed} from './cli/render-outcome.ts';
import {readReporting} from './cli/reporting.ts';
import {TiltbuildError} from './errors.ts';
import {chooseRephrasing} from './tilt/tiltfile-phrases.ts';
import {Activity, showActivity} from './tools/activity.ts';
import {BuildDelegate} from './tools/build-delegate.ts';
import {SystemClusters} from './tools/cluster-reader.ts';
import {confirm} from './tools/confirm.ts';
import {DiskFiles} from './tools/disk-files.ts';
import {SignalInterruption} from './tools/interruption.ts';
import {PathPrograms} from './tools/programs.ts';
import {Runner} from './tools/runner.ts';
import {StandardInput} from './tools/standard-input.ts';
import {Terminal} from './tools/terminal.ts';

async function main(): Promise<number> {
  const {env, platform} = process;
  const terminal = new Terminal(process.stdout, process.stderr);
  const argv = process.argv.slice(2);
  const style: Style = {
    ...chooseStyle(process.stderr.isTTY === true, env, process.stderr.columns),
    rephrase: chooseRephrasing(env),
  };
  const surroundings: Surroundings = {
    env,
    home: homedir(),
    cwd: process.cwd(),
    platform,
    terminal: process.stderr.isTTY === true,
    toolVersion: VERSION,
  };
  try {
    const invocation = await readCommandLine(argv, surroundings);
    if (invocation.kind === 'text') {
      await terminal.writeResult(invocation.text);
      return 0;
    }
    if (invocation.kind === 'completion') {
      const {completion} = invocation;
      const ports = makePorts(terminal, SILENT, () => undefined);
      const values = completion.live ? await completeValues(completion.live, surroundings, ports) : [];
      await terminal.writeResult(formatCompletion(completion, values));
      return 0;
    }
    if (invocation.kind === 'version') {
      const runtime = `${describeRuntime(process.versions)}, ${platform}/${process.arch}`;
      const own = {version: VERSION, commit: COMMIT, runtime};
      await terminal.writeResult(await reportVersions(own, makePorts(terminal, SILENT)));
      return 0;
    }
    if (invocation.kind === 'builder') {
      const notes: Notes = {
        note: (text) => terminal.writeError(renderNote(text, style)),
        detail: () => undefined,
      };
      const text = await runBuilderCommand(invocation.request, surroundings, livePorts(terminal, notes));
      await terminal.writeResult(text);
      return 0;
    }
    if (invocation.kind === 'doctor') {
      const notes: Notes = {
        note: (text) => terminal.writeError(renderNote(text, style)),
        detail: () => undefined,
      };
      const report = await runDoctor(invocation.request, surroundings, livePorts(terminal, notes));
      await terminal.writeResult(
        renderDoctor(report, invocation.request.form, {
          ...chooseStyle(process.stdout.isTTY === true, env),
          width: process.stdout.columns,
        }),
      );
      return report.works ? 0 : UNFIT;
    }
    const {request, verbose, dryRun} = invocation;
    const notes: Notes = {
      note: (text) => request.quiet || terminal.writeError(renderNote(text, style)),
      detail: (text) => verbose && terminal.writeError(renderDetail(text, style)),
    };
    const ports = request.quiet ? makePorts(terminal, notes) : livePorts(terminal, notes);
    if (dryRun) {
      const run = await dryRunBuild(request, surroundings, ports);
      const form = request.print === 'json' ? 'json' : 'text';
      await terminal.writeResult(formatDryRun(run, form, surroundings));
      return 0;
    }
    const result = await buildImage(request, surroundings, ports);
    await terminal.writeResult(request.destination.stdout ? '' : formatResult(result, request.print));
    if (surroundings.terminal && !request.quiet)
      await terminal.writeError(renderDone(result, request, style));
    return 0;
  } catch (error) {
    const {verbosity, json} = readReporting(argv);
    const runtime = `${describeRuntime(process.versions)}, ${platform}/${process.arch}`;
    await terminal.writeError(
      json ? formatErrorJson(error, style) : renderError(error, style, {verbosity, runtime}),
    );
    if (surroundings.terminal && !json && error instanceof TiltbuildError && error.code === 'build-failed')
      await terminal.writeError(renderFailed(performance.now() / 1000, style));
    return exitCodeOf(error);
  }
}

const SILENT: Notes = {note: () => undefined, detail: () => undefined};

function describeRuntime({bun, node}: NodeJS.ProcessVersions): string {
  return bun === undefined ? `Node ${node}` : `Bun ${bun}`;
}

/** Those that show on a terminal what they wait for. */
function livePorts(terminal: Terminal, notes: Notes): Ports {
  const ports = makePorts(terminal, notes);
  if (process.stderr.isTTY !== true || process.env.TERM === 'dumb') return ports;
  const activity = new Activity({
    showStatus: (line) => terminal.showStatus(line),
    now: ports.now,
    every: (milliseconds, callback) => {
      const timer = setInterval(callback, milliseconds).unref();
      return () => clearInterval(timer);
    },
  });
  return showActivity(ports, activity);
}

function makePorts(
  terminal: Terminal,
  notes: Notes,
  showLine = (line: string): void => void terminal.writeError(`${line}\n`),
): Ports {
  const {env, platform} = process;
  const interruption = new SignalInterruption(process);
  const runner = new Runner(interruption, platform);
  const files = new DiskFiles(tmpdir(), (cleanUp) => process.on('exit', cleanUp));
  return {
    files,
    input: new StandardInput(() => process.stdin, files, interruption),
    clusters: new SystemClusters({
      runner,
      interruption,
      env,
      platform,
      showLine,
    }),
    delegate: new BuildDelegate(runner, terminal, env, platform),
    programs: new PathPrograms(runner, env, platform),
    notes,
    interruption,
    confirm: (question) => confirm(question, process.stdin, process.stderr),
    wallClock: () => Date.now(),
    now: () => performance.now(),
    sleep: (milliseconds) => interruption.sleep(milliseconds),
  };
}

process.exit(await main());
