/** Owns opening the engine that was chosen, with its inputs staged for it. */
import type {BuilderRuntime} from '../../builder/model/builder.ts';
import type {Ports} from '../../ports.ts';
import {type Staging, stageForPlugin} from '../inputs/stage-inputs.ts';
import type {PreparedBuild} from '../prepare-build.ts';
import type {Engine} from './engine.ts';
import {missingPlugin} from './engine.ts';

export async function openEngine(
  build: PreparedBuild,
  runtime: BuilderRuntime,
  staging: Staging,
  ports: Ports,
): Promise<Engine> {
  const {engine, program, request, secrets, inputs, privatePath, spoolPath} = build;
  switch (engine.name) {
    case 'kubectl-build': {
      if (program === undefined) throw missingPlugin();
      const staged = await stageForPlugin(request, secrets, inputs, {
        ...staging,
        files: ports.files,
        privatePath,
        spoolPath,
      });
      const {kubectlBuild} = await import('./kubectl-build/kubectl-build.ts');
      return kubectlBuild(program, staged, build, runtime, ports);
    }
    case 'builtin': {
      const {builtin} = await import('./builtin/builtin.ts');
      return builtin(build, runtime, ports);
    }
    default:
      return engine.name satisfies never;
  }
}
