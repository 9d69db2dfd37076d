/** Owns what `--version` says: ours with its commit, and of what it works with, which is what a report needs. */
import {askVersion, type VersionPorts} from './program-version.ts';

export interface OwnVersion {
  readonly version: string;
  /** The commit that it was built from, or in words where it was not built from one. */
  readonly commit: string;
  /** What runs it, with its version and platform. */
  readonly runtime: string;
}

/** How long another program may take to say its version, in milliseconds. */
const LONGEST_ANSWER = 1000;

/** The first line begins with our name and version whatever the others say: programs read that one. */
export async function reportVersions(own: OwnVersion, ports: VersionPorts): Promise<string> {
  const [build, buildkit, kubectl] = await Promise.all([
    ports.programs.find('kubectl-build'),
    // kubectl-build has no way to tell its version; the other program of its package does.
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
  return path === undefined ? 'not found' : `${version ?? 'did not tell its version'} (${path})`;
}
