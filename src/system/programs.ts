/** Owns finding other programs on PATH, and running them for what they print. */
import type {ProgramOutput} from '../cluster/ports.ts';
import type {Programs} from '../ports.ts';
import {reasonOf} from '../system-error.ts';
import {followLinks} from './disk-files.ts';
import {findAllOnPath, findOnPath, pathEntries} from './path-lookup.ts';
import type {Runner} from './runner.ts';

type Env = Readonly<Record<string, string | undefined>>;

export class PathPrograms implements Programs {
  readonly #runner: Runner;
  readonly #env: Env;
  readonly #platform: NodeJS.Platform;

  constructor(runner: Runner, env: Env, platform: NodeJS.Platform) {
    this.#runner = runner;
    this.#env = env;
    this.#platform = platform;
  }

  get path(): readonly string[] {
    return pathEntries(this.#env, this.#platform);
  }

  async find(name: string): Promise<string | undefined> {
    return await findOnPath(name, this.#env, this.#platform);
  }

  async findAll(name: string): Promise<readonly string[]> {
    const paths = await findAllOnPath(name, this.#env, this.#platform);
    const files = await Promise.all(paths.map(followLinks));
    return paths.filter((_, index) => files.indexOf(files[index] as string) === index);
  }

  async run(
    program: string,
    args: readonly string[],
    {timeout, env}: {readonly timeout: number; readonly env?: Readonly<Record<string, string>>},
  ): Promise<ProgramOutput> {
    try {
      return await this.#runner.collect(program, args, {
        env: {...this.#env, ...env},
        onErrorLine: () => undefined,
        timeout,
      });
    } catch (error) {
      return {exitCode: undefined, stdout: '', stderr: reasonOf(error)};
    }
  }
}
