/** Owns the checks of the programs on this machine: kubectl, the two plugins, Tilt, PATH itself, and which engine builds. */

import {TiltbuildError} from '../errors.ts';
import {chooseEngine, type EngineQuestion, REPLACE_PLUGIN} from '../image-build/engines/choose-engine.ts';
import type {ProgramFacts} from './look-at-programs.ts';
import type {FoundProgram} from './program-version.ts';
import {chooseFix, type Finding, fail, ok, warn} from './report.ts';

export const INSTALL_KUBECTL = 'Install kubectl: https://kubernetes.io/docs/tasks/tools/';

export interface KubectlSituation {
  /** Kubernetes' version; undefined or empty if it is not known. */
  readonly server?: string;
  /** Whether only kubectl can reach the cluster. */
  readonly needed: boolean;
}

export function judgePrograms(programs: ProgramFacts, situation: KubectlSituation) {
  return {
    kubectl: judgeKubectl(programs.kubectl, situation),
    build: judgeBuild(programs.build),
    buildkit: ok(
      programs.buildkit === undefined
        ? 'not installed; a build does not need it'
        : describe(programs.buildkit),
    ),
    path: judgePath(programs),
    tilt: ok(
      programs.tilt === undefined ? 'not installed; a build does not need it' : describe(programs.tilt),
    ),
  };
}

/** kubectl supports one minor version older and newer than the server (kubernetes.io, version skew policy). */
function judgeKubectl(kubectl: FoundProgram | undefined, {server, needed}: KubectlSituation): Finding {
  if (kubectl === undefined) {
    return needed
      ? fail('not on PATH, and nothing else can reach this cluster', INSTALL_KUBECTL)
      : warn('not on PATH; creating and repairing builders needs it', INSTALL_KUBECTL);
  }
  const place = describe(kubectl);
  const skew = minorsAhead(kubectl.version, server);
  if (skew === undefined) return kubectl.version === undefined ? warn(place) : ok(place);
  if (Math.abs(skew) <= 1) return ok(`${place}, for Kubernetes ${server}`);
  const distance = `${Math.abs(skew)} minor versions ${skew < 0 ? 'behind' : 'ahead of'}`;
  return warn(
    `${place}, which is ${distance} Kubernetes ${server}`,
    "Install a kubectl within one minor version of the cluster's.",
  );
}

function judgeBuild(build: ProgramFacts['build']): Finding {
  if (build === undefined) return ok('not installed; the builtin engine builds without it');
  return build.flaw === undefined ? ok(build.path) : warn(`${build.path} ${build.flaw}`, REPLACE_PLUGIN);
}

/** `replicas`: pods of the builder, or those that a new one gets. */
export function judgeEngine(
  engine: EngineQuestion['request']['engine'],
  {build, env}: {readonly build: ProgramFacts['build']; readonly env: EngineQuestion['env']},
  replicas = 1,
): Finding {
  // A plain build: of a small directory, with its Dockerfile in it.
  const destination = {kind: 'runtime', stdout: false} as const;
  const request = {engine, check: false, context: '.', destination, passedFlags: [], passthrough: []};
  try {
    const {name, reason} = chooseEngine({
      request,
      plugin: build,
      replicas,
      hasOthers: false,
      env,
      archiveSize: 0,
      dockerfileIsSent: true,
    });
    return ok(`${name}: ${reason}`);
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
    return fail(error.message, chooseFix(error.remedy));
  }
}

/** kubectl searches the current directory for an entry that is empty or relative, and runs what it finds there. */
function judgePath({path, twins}: ProgramFacts): Finding {
  const [twin] = twins;
  if (twin !== undefined) {
    const [used, ...others] = twin.files;
    return warn(
      `${twin.name} is on PATH more than once: ${used} runs, ${others.join(', ')} does not`,
      'Remove those that you do not want, so nobody runs them by mistake.',
    );
  }
  const odd = path.find((entry) => !/^(?:\/|[A-Za-z]:[\\/]|\\\\|")/.test(entry));
  if (odd === undefined)
    return ok(`no plugin is on it twice (${path.length} ${path.length === 1 ? 'directory' : 'directories'})`);
  return warn(
    odd === ''
      ? 'an entry is empty, which kubectl takes for the current directory: it would run a plugin from there'
      : `the entry "${odd}" is relative: kubectl would run a plugin from below the current directory`,
    'Remove the entry from PATH.',
  );
}

function describe({path, version}: FoundProgram): string {
  return version === undefined ? `${path}, version unknown` : `${version}, ${path}`;
}

/** How many minor versions the client is ahead; undefined if either version cannot be read. */
function minorsAhead(client: string | undefined, server: string | undefined): number | undefined {
  const [one, other] = [client, server].map((text) => /^v?(\d+)\.(\d+)/.exec(text ?? ''));
  if (!one || !other || one[1] !== other[1]) return undefined;
  return Number(one[2]) - Number(other[2]);
}
