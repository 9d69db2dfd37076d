/** Owns what is said of the programs on this machine: kubectl, the two plugins, Tilt, and PATH itself. */
import type {ProgramFacts} from './look-at-programs.ts';
import type {FoundProgram} from './program-version.ts';
import {advice, type Finding, fail, ok, warn} from './report.ts';

const INSTALL =
  'Put kubectl-build and kubectl-buildkit on PATH, from https://github.com/vmware-archive/buildkit-cli-for-kubectl/releases';
const INSTALL_KUBECTL = 'Install kubectl: https://kubernetes.io/docs/tasks/tools/';

export interface KubectlSurroundings {
  /** Kubernetes' version; undefined where it is not known. */
  readonly server: string | undefined;
  /** Whether the cluster can be asked through kubectl alone. */
  readonly needed: boolean;
}

/** kubectl is made for one minor version to either side of the server's (kubernetes.io, version skew policy). */
export function judgeKubectl(
  kubectl: FoundProgram | undefined,
  {server, needed}: KubectlSurroundings,
): Finding {
  if (kubectl === undefined) {
    const cure = advice(INSTALL_KUBECTL);
    return needed
      ? fail('not on PATH, and this cluster can be asked through it alone', cure)
      : warn('not on PATH; builders are made and mended with it', cure);
  }
  const place = describe(kubectl);
  const skew = minorOf(kubectl.version, server);
  if (skew === undefined) return kubectl.version === undefined ? warn(place) : ok(place);
  if (Math.abs(skew) <= 1) return ok(`${place}, for Kubernetes ${server}`);
  const distance = `${Math.abs(skew)} minor versions ${skew < 0 ? 'behind' : 'ahead of'}`;
  return warn(
    `${place}, which is ${distance} Kubernetes ${server}`,
    advice(`Install a kubectl within one minor version of the cluster's.`),
  );
}

export function judgeBuild(build: ProgramFacts['build']): Finding {
  if (build === undefined) return fail('not on PATH: there is no kubectl-build', advice(INSTALL));
  if (!build.isKaniko) return ok(build.path);
  return fail(
    `${build.path} is another plugin of that name, which builds with kaniko`,
    advice('Remove it, or put the directory of the BuildKit plugin before its directory on PATH.'),
  );
}

/** No build of ours runs it. */
export function judgeBuildkit(buildkit: FoundProgram | undefined): Finding {
  return buildkit === undefined
    ? warn('not on PATH; builds do without it', advice(INSTALL))
    : ok(describe(buildkit));
}

export function judgeTilt(tilt: FoundProgram | undefined): Finding {
  return ok(tilt === undefined ? 'not installed; builds do without it' : describe(tilt));
}

/** kubectl takes an entry that is empty or relative from the current directory, and runs what it finds there. */
export function judgePath({path, twins}: Pick<ProgramFacts, 'path' | 'twins'>): Finding {
  const [twin] = twins;
  if (twin !== undefined) {
    const [used, ...others] = twin.files;
    return warn(
      `${twin.name} is there more than once: ${used} is run, and ${others.join(', ')} is not`,
      advice('Remove those that are not wanted, so that nobody runs them by mistake.'),
    );
  }
  const odd = path.find((entry) => !/^(?:\/|[A-Za-z]:[\\/]|\\\\|")/.test(entry));
  if (odd === undefined) return ok(`no plugin is there twice (${path.length} directories)`);
  return warn(
    odd === ''
      ? 'an entry is empty, which means the current directory to kubectl: it would run a plugin from there'
      : `the entry "${odd}" is relative: kubectl would run a plugin from below the current directory`,
    advice('Take the entry out of PATH.'),
  );
}

function describe({path, version}: FoundProgram): string {
  return version === undefined ? `${path}, which does not tell its version` : `${version}, ${path}`;
}

/** How far the client is ahead; undefined where either version is no version. */
function minorOf(client: string | undefined, server: string | undefined): number | undefined {
  const [one, other] = [client, server].map((text) => /^v?(\d+)\.(\d+)/.exec(text ?? ''));
  if (!one || !other || one[1] !== other[1]) return undefined;
  return Number(one[2]) - Number(other[2]);
}
