/** Owns whole-command tests that hold for both engines: each with its stand-in, set to the same behaviour. */
import {expect} from 'chai';
import {answerQuietly} from './api/exec-answers.ts';
import {type BuildkitBehaviour, BuildkitStandIn} from './buildkit-stand-in.ts';
import type {DelegateBehaviour} from './delegate.ts';
import {realKubectlDirectory} from './real-kubectl.ts';
import {DIGEST, describeCommand, type World} from './world.ts';

export const ENGINES = ['kubectl-build', 'builtin'] as const;
export type Engine = (typeof ENGINES)[number];

/** Puts a stand-in of BuildKit into the builder's pods. */
export function serveBuildkit({api}: Pick<World, 'api'>): BuildkitStandIn {
  const buildkit = new BuildkitStandIn(DIGEST);
  api.state.exec = (command, {spec}) =>
    command.join(' ') === 'buildctl dial-stdio'
      ? {pipe: buildkit.connect(spec.nodeName)}
      : answerQuietly(command);
  return buildkit;
}

export interface EngineWorld {
  readonly engine: Engine;
  readonly world: World;
  /** What builds for the builtin engine, of which each test has its own. */
  readonly buildkit: BuildkitStandIn;
  /** Until then they build well. */
  behave(behaviour: BuildkitBehaviour & DelegateBehaviour): void;
  /** Runs it as a user of that engine does: with the plugin on PATH, or without. */
  tiltbuild: World['tiltbuild'];
  /** The names that each run of the engine gave to the image. */
  names(): readonly (readonly string[])[];
}

/** Declares the suite once for each engine. */
export function describeEngines(title: string, declare: (world: EngineWorld) => void): void {
  for (const engine of ENGINES) describeEngine(`${title} (${engine})`, engine, declare);
}

export function describeEngine(title: string, engine: Engine, declare: (world: EngineWorld) => void): void {
  describeCommand(title, (world) => {
    let buildkit: BuildkitStandIn;
    beforeEach(() => {
      buildkit = serveBuildkit(world);
    });
    afterEach(() => expect(buildkit.complaints).to.deep.equal([]));
    declare({
      engine,
      world,
      get buildkit() {
        return buildkit;
      },
      behave: (behaviour) => {
        buildkit.behaviour = behaviour;
        world.sandbox.setDelegate(behaviour);
      },
      tiltbuild: (args, {env, ...options} = {}) => {
        const path = engine === 'builtin' ? {PATH: realKubectlDirectory()} : {};
        return world.tiltbuild(args, {...options, env: {...path, ...env}});
      },
      names: () =>
        engine === 'builtin'
          ? buildkit.solves.map(({exporter}) => exporter.attributes.get('name')?.split(',') ?? [])
          : world.sandbox
              .invocations()
              .map(({argv}) => argv.filter((_, index) => argv[index - 1] === '--tag')),
    });
  });
}
