/** Owns what `--version` prints: our version with its commit, and those of the engines and programs that we use. */
import {DEFAULT_BUILDER_IMAGE} from '../builder/model/settings.ts';
import type {FoundPlugin, Ports} from '../ports.ts';
import {showLine} from '../text/show-text.ts';
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
export async function reportVersions(
  own: OwnVersion,
  ports: VersionPorts & Pick<Ports, 'delegate'>,
): Promise<string> {
  const [build, buildkit, kubectl] = await Promise.all([
    ports.delegate.find(),
    // kubectl-build cannot report its version; the other program of its package can.
    askVersion('kubectl-buildkit', LONGEST_ANSWER, ports),
    askVersion('kubectl', LONGEST_ANSWER, ports),
  ]);
  return [
    `kubectl-tiltbuild ${own.version} (${own.commit})`,
    ...[
      ['builtin engine', `BuildKit client, tested with ${DEFAULT_BUILDER_IMAGE}`] as const,
      ['kubectl-build', describePlugin(build, buildkit?.version)] as const,
      ['kubectl', describe(kubectl?.path, kubectl?.version)] as const,
      ['runtime', own.runtime] as const,
    ].map(([name, text]) => `${name.padEnd(17)} ${showLine(text)}`),
    '',
  ].join('\n');
}

function describePlugin(plugin: FoundPlugin | undefined, version: string | undefined): string {
  if (plugin === undefined) return 'not found (optional)';
  return plugin.flaw === undefined
    ? describe(plugin.path, version)
    : `cannot be used: ${plugin.path} ${plugin.flaw}`;
}

function describe(path: string | undefined, version: string | undefined): string {
  return path === undefined ? 'not found' : `${version ?? 'version unknown'} (${path})`;
}
