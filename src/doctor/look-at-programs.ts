/** Owns finding the programs that a build uses, and what is odd about them. */
import type {FoundPlugin, Ports, Programs} from '../ports.ts';
import {askVersion, type FoundProgram} from './program-version.ts';

export interface ProgramFacts {
  readonly kubectl?: FoundProgram;
  readonly build?: FoundPlugin;
  readonly buildkit?: FoundProgram;
  readonly tilt?: FoundProgram;
  /** The entries of PATH, unchanged. */
  readonly path: readonly string[];
  /** The plugins that are on PATH more than once, each with its files in the order of PATH. */
  readonly twins: readonly {readonly name: string; readonly files: readonly string[]}[];
}

/** Plugins of which PATH should have one only. */
const PLUGINS = ['kubectl-build', 'kubectl-buildkit', 'kubectl-tiltbuild'];

export async function lookAtPrograms(limit: number, ports: Ports): Promise<ProgramFacts> {
  const {programs, delegate} = ports;
  const [kubectl, build, buildkit, tilt, twins] = await Promise.all([
    askVersion('kubectl', limit, ports),
    delegate.find(),
    askVersion('kubectl-buildkit', limit, ports),
    askVersion('tilt', limit, ports),
    findTwins(programs),
  ]);
  return {kubectl, build, buildkit, tilt, path: programs.path, twins};
}

async function findTwins(programs: Programs): Promise<ProgramFacts['twins']> {
  const all = await Promise.all(PLUGINS.map(async (name) => ({name, files: await programs.findAll(name)})));
  return all.filter(({files}) => files.length > 1);
}
