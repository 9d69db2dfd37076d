/** Owns the delegate: finding `kubectl-build`, and running it with its progress going where it belongs. */
import type {ExitStatus} from '../cluster/ports.ts';
import type {Delegate, DelegateRun} from '../ports.ts';
import {openSpool} from './disk-files.ts';
import {findOnPath} from './path-lookup.ts';
import type {Runner} from './runner.ts';
import type {Terminal} from './terminal.ts';

export class BuildDelegate implements Delegate {
  readonly #runner: Runner;
  readonly #terminal: Terminal;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #platform: NodeJS.Platform;

  constructor(
    runner: Runner,
    terminal: Terminal,
    env: Readonly<Record<string, string | undefined>>,
    platform: NodeJS.Platform,
  ) {
    this.#runner = runner;
    this.#terminal = terminal;
    this.#env = env;
    this.#platform = platform;
  }

  find(): Promise<string | undefined> {
    return findOnPath('kubectl-build', this.#env, this.#platform);
  }

  async run({program, argv, env, stdout, input, stop, progress}: DelegateRun): Promise<ExitStatus> {
    const common = {
      env: {...this.#env, ...env},
      stop,
      input,
      stdout: stdout === 'result' ? 'inherit' : 'stderr',
    } as const;
    switch (progress.mode) {
      case 'shown':
        return await this.#runner.supervise(program, argv, {...common, stderr: 'inherit'});
      case 'watched':
        return await this.#runner.supervise(program, argv, {
          ...common,
          stderr: (chunk) => {
            progress.observe(chunk);
            return this.#terminal.writeError(chunk);
          },
        });
      case 'held': {
        const spool = openSpool(progress.spool);
        const result = await this.#runner
          .supervise(program, argv, {
            ...common,
            stderr: (chunk) => {
              progress.observe(chunk);
              return spool.write(chunk);
            },
          })
          .finally(() => spool.close());
        if (result.exitCode !== 0) {
          for await (const chunk of spool.read()) await this.#terminal.writeError(chunk);
        }
        return result;
      }
    }
  }
}
