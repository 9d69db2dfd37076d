/** Owns the platforms of a release, and the names of their archives. */

export interface Platform {
  /** Go's names, which krew uses. */
  readonly os: 'darwin' | 'linux' | 'windows';
  readonly arch: 'amd64' | 'arm64';
  /** Bun's name for it. */
  readonly target: string;
  /** Alpine's C library. krew cannot tell it from glibc, so its manifest leaves these out. */
  readonly musl?: true;
}

/**
 * linux/amd64 needs no second archive for processors without AVX2: `bun-linux-x64-baseline` is the same file as
 * `bun-linux-x64` (Bun 1.4.5, by checksum).
 */
export const PLATFORMS: readonly Platform[] = [
  {os: 'darwin', arch: 'amd64', target: 'bun-darwin-x64'},
  {os: 'darwin', arch: 'arm64', target: 'bun-darwin-arm64'},
  {os: 'linux', arch: 'amd64', target: 'bun-linux-x64'},
  {os: 'linux', arch: 'arm64', target: 'bun-linux-arm64'},
  {os: 'windows', arch: 'amd64', target: 'bun-windows-x64'},
  {os: 'windows', arch: 'arm64', target: 'bun-windows-arm64'},
  {os: 'linux', arch: 'amd64', target: 'bun-linux-x64-musl', musl: true},
  {os: 'linux', arch: 'arm64', target: 'bun-linux-arm64-musl', musl: true},
];

/** `linux_amd64`, `linux_amd64_musl`. */
export function platformName({os, arch, musl}: Platform): string {
  return `${os}_${arch}${musl ? '_musl' : ''}`;
}

export function archiveName(platform: Platform, version: string): string {
  const extension = platform.os === 'windows' ? 'zip' : 'tar.gz';
  return `kubectl-tiltbuild_${version}_${platformName(platform)}.${extension}`;
}

export function programName({os}: Pick<Platform, 'os'>): string {
  return os === 'windows' ? 'kubectl-tiltbuild.exe' : 'kubectl-tiltbuild';
}

/** The program that kubectl runs for completion. */
export function completionName({os}: Pick<Platform, 'os'>): string {
  return os === 'windows' ? 'kubectl_complete-tiltbuild.cmd' : 'kubectl_complete-tiltbuild';
}

/** By Node's names; undefined if there is no release for that platform. */
export function ownPlatform(os: NodeJS.Platform, arch: string): Platform | undefined {
  const names = {os: os === 'win32' ? 'windows' : os, arch: arch === 'x64' ? 'amd64' : arch};
  return PLATFORMS.find(
    (platform) => platform.os === names.os && platform.arch === names.arch && !platform.musl,
  );
}
