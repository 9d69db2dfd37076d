/** Owns the delegate: finds `kubectl-build`, and runs it with its progress sent where it belongs. */
import type {ExitStatus} from '../cluster/ports.ts';
import type {Delegate, DelegateRun, FoundPlugin} from '../ports.ts';
import {isExecutable, readStart} from './disk-files.ts';
import {HeldLog} from './held-log.ts';
import type {Interruption} from './interruption.ts';
import {findOnPath} from './path-lookup.ts';
import {findPluginFlaw, type Machine, PLUGIN_START} from './plugin-flaw.ts';
import type {Runner, SuperviseOptions} from './runner.ts';
import type {Terminal} from './terminal.ts';

export class BuildDelegate implements Delegate {
  readonly #runner: Runner;
  readonly #interruption: Interruption;
  readonly #terminal: Terminal;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #machine: Machine;
  readonly #record: (pid: number) => void;

  /** `record` keeps the number of a delegate that was started. */
  constructor(
    runner: Runner,
    interruption: Interruption,
    terminal: Terminal,
    env: Readonly<Record<string, string | undefined>>,
    machine: Machine,
    record: (pid: number) => void,
  ) {
    this.#runner = runner;
    this.#interruption = interruption;
    this.#terminal = terminal;
    this.#env = env;
    this.#machine = machine;
    this.#record = record;
  }

  /** It cannot report its version, and kvaps/kubectl-build creates a pod whatever its arguments are, even `--help`. */
  async find(): Promise<FoundPlugin | undefined> {
    const path = await findOnPath('kubectl-build', this.#env, this.#machine.platform);
    if (path === undefined) return undefined;
    // A program that may be run need not be readable.
    const start = await readStart(path, PLUGIN_START).catch(() => undefined);
    const flaw = start && findPluginFlaw(start, this.#machine, isExecutable);
    return {path, ...(flaw !== undefined && {flaw})};
  }

  async run({program, argv, env, cwd, stdout, input, stop, progress}: DelegateRun): Promise<ExitStatus> {
    const run = (stderr: SuperviseOptions['stderr']) =>
      this.#interruption.withGrace((interrupted) =>
        this.#runner.supervise(program, argv, {
          env: {...this.#env, ...env},
          cwd,
          stop: stop === undefined ? interrupted : AbortSignal.any([interrupted, stop]),
          input,
          stdout: stdout === 'result' ? 'inherit' : 'stderr',
          stderr,
          onStart: this.#record,
        }),
      );
    switch (progress.mode) {
      case 'shown':
        return await run('inherit');
      case 'watched':
        return await run((chunk) => {
          progress.observe(chunk);
          return this.#terminal.writeError(chunk);
        });
      case 'read':
        return await run(progress.observe);
      case 'held': {
        const log = new HeldLog(progress.spool);
        const result = await run(async (chunk) => {
          progress.observe(chunk);
          await log.write(chunk);
        }).finally(() => log.close());
        if (result.exitCode !== 0) await log.show((chunk) => this.#terminal.writeError(chunk));
        return result;
      }
    }
  }
}
