/** Owns the composition: the process's environment and streams become adapters, the outcome an exit code. */
import {homedir, tmpdir} from 'node:os';
import {buildImage} from './build/build-image.ts';
import type {Surroundings} from './build/build-request.ts';
import {formatResult} from './build/build-result.ts';
import type {Notes, Ports} from './build/ports.ts';
import {runBuilderCommand} from './build/run-builder-command.ts';
import {readCommandLine} from './cli/command-line.ts';
import {exitCodeOf} from './cli/exit-codes.ts';
import {VERSION} from './cli/oclif-boot.ts';
import {chooseStyle, renderDetail, renderError, renderNote} from './cli/render.ts';
import {BuildDelegate} from './tools/build-delegate.ts';
import {SystemClusters} from './tools/cluster-reader.ts';
import {confirm} from './tools/confirm.ts';
import {DiskFiles} from './tools/disk-files.ts';
import {SignalInterruption} from './tools/interruption.ts';
import {Runner} from './tools/runner.ts';
import {StandardInput} from './tools/standard-input.ts';
import {Terminal} from './tools/terminal.ts';

async function main(): Promise<number> {
  const {env, platform} = process;
  const terminal = new Terminal(process.stdout, process.stderr);
  const style = chooseStyle(process.stderr.isTTY === true, env);
  const surroundings: Surroundings = {
    env,
    home: homedir(),
    cwd: process.cwd(),
    platform,
    terminal: process.stderr.isTTY === true,
    toolVersion: VERSION,
  };
  try {
    const invocation = await readCommandLine(process.argv.slice(2), surroundings);
    if (invocation.kind === 'text') {
      await terminal.writeResult(invocation.text);
      return 0;
    }
    if (invocation.kind === 'builder') {
      const notes: Notes = {
        note: (text) => terminal.writeError(renderNote(text, style)),
        detail: () => undefined,
      };
      const text = await runBuilderCommand(invocation.request, surroundings, makePorts(terminal, notes));
      await terminal.writeResult(text);
      return 0;
    }
    const {request, verbose} = invocation;
    const notes: Notes = {
      note: (text) => request.quiet || terminal.writeError(renderNote(text, style)),
      detail: (text) => verbose && terminal.writeError(renderDetail(text, style)),
    };
    const result = await buildImage(request, surroundings, makePorts(terminal, notes));
    await terminal.writeResult(request.destination.stdout ? '' : formatResult(result, request.print));
    return 0;
  } catch (error) {
    await terminal.writeError(renderError(error, style));
    return exitCodeOf(error);
  }
}

function makePorts(terminal: Terminal, notes: Notes): Ports {
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
      showLine: (line) => void terminal.writeError(`${line}\n`),
    }),
    delegate: new BuildDelegate(runner, terminal, env, platform),
    notes,
    interruption,
    confirm: (question) => confirm(question, process.stdin, process.stderr),
    wallClock: () => Date.now(),
    now: () => performance.now(),
    sleep: (milliseconds) => interruption.sleep(milliseconds),
  };
}

process.exit(await main());
