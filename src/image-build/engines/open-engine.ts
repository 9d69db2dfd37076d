/** Owns opening the engine that was chosen, with its inputs staged for it. */
import type {BuilderRuntime} from '../../builder/model/builder.ts';
import {TiltbuildError} from '../../errors.ts';
import type {Ports} from '../../ports.ts';
import {reasonOf} from '../../system-error.ts';
import {type Staging, stageForPlugin} from '../inputs/stage-inputs.ts';
import type {PreparedBuild} from '../prepare-build.ts';
import type {EngineChoice} from './choose-engine.ts';
import type {Engine} from './engine.ts';
import {missingPlugin} from './engine.ts';

export interface OpenedEngine extends Engine {
  /** What builds in the end. */
  readonly choice: EngineChoice;
}

export async function openEngine(
  build: PreparedBuild,
  runtime: BuilderRuntime,
  staging: Staging,
  ports: Ports,
): Promise<OpenedEngine> {
  const open = (choice: EngineChoice) => openChosen(choice, build, runtime, staging, ports);
  const plugin = await open(build.engine);
  return build.engine.name === 'builtin'
    ? plugin
    : withSubstitute(plugin, async (flaw) => {
        const choice = build.chooseWithout(flaw);
        ports.notes.detail(`engine: ${choice.name} (${choice.reason})`);
        return await open(choice);
      });
}

/** The plugin, or once the system could not start it, the engine that is chosen without it. */
function withSubstitute(plugin: OpenedEngine, open: (flaw: string) => Promise<OpenedEngine>): OpenedEngine {
  let current = plugin;
  return {
    get name() {
      return current.name;
    },
    get choice() {
      return current.choice;
    },
    get isRepeatable() {
      return current.isRepeatable;
    },
    run: async (run) => {
      try {
        return await current.run(run);
      } catch (error) {
        const isUnstarted = error instanceof TiltbuildError && error.code === 'tool-missing';
        if (current !== plugin || !isUnstarted) throw error;
        current = await open(`cannot be started: ${reasonOf(error)}`);
        return await current.run(run);
      }
    },
    close: () => current.close(),
  };
}

async function openChosen(
  choice: EngineChoice,
  build: PreparedBuild,
  runtime: BuilderRuntime,
  staging: Staging,
  ports: Ports,
): Promise<OpenedEngine> {
  const {program, request, secrets, inputs, privatePath, spoolPath} = build;
  switch (choice.name) {
    case 'kubectl-build': {
      if (program === undefined) throw missingPlugin();
      const staged = await stageForPlugin(request, secrets, inputs, {
        ...staging,
        files: ports.files,
        privatePath,
        spoolPath,
      });
      const {kubectlBuild} = await import('./kubectl-build/kubectl-build.ts');
      return {...kubectlBuild(program, staged, build, runtime, ports), choice};
    }
    case 'builtin': {
      const {builtin} = await import('./builtin/builtin.ts');
      return {...builtin(build, runtime, ports), choice};
    }
    default:
      return choice.name satisfies never;
  }
}
