/** Owns what `--version` prints: our version with its commit, and those of the programs that we use. */
import {askVersion, type VersionPorts} from './program-version.ts';

export interface OwnVersion {
  readonly version: string;
  /** The commit that it was built from, or a note that there is none. */
  readonly commit: string;
  /** The runtime, with its version and platform. */
  readonly runtime: string;
}

/** How long another program may take to report its version, in milliseconds. */
const LONGEST_ANSWER = 1000;

/** The first line always begins with our name and version, because programs read it. */
export async function reportVersions(own: OwnVersion, ports: VersionPorts): Promise<string> {
  const [build, buildkit, kubectl] = await Promise.all([
    ports.programs.find('kubectl-build'),
    // kubectl-build cannot report its version; the other program of its package can.
    askVersion('kubectl-buildkit', LONGEST_ANSWER, ports),
    askVersion('kubectl', LONGEST_ANSWER, ports),
  ]);
  return [
    `kubectl-tiltbuild ${own.version} (${own.commit})`,
    ...[
      ['kubectl-build', describe(build, buildkit?.version)] as const,
      ['kubectl', describe(kubectl?.path, kubectl?.version)] as const,
      ['runtime', own.runtime] as const,
    ].map(([name, text]) => `${name.padEnd(17)} ${text}`),
    '',
  ].join('\n');
}

function describe(path: string | undefined, version: string | undefined): string {
  return path === undefined ? 'not found' : `${version ?? 'version unknown'} (${path})`;
}
