/** Owns recognizing by its first bytes that a program cannot run on this machine, or is another one of that name. */

export interface Machine {
  readonly platform: NodeJS.Platform;
  /** As Node names it: `x64`, `arm64`. */
  readonly arch: string;
}

/** Bytes of a program that are enough. */
export const PLUGIN_START = 16_384;

/** A clause of which the program is the subject; undefined if nothing is known against it. */
export function findPluginFlaw(
  start: Buffer,
  machine: Machine,
  isExecutable: (path: string) => boolean,
): string | undefined {
  if (start.length === 0) return 'is empty';
  if (start.toString('latin1', 0, 2) === '#!') return findScriptFlaw(start.toString(), isExecutable);
  const build = readBuild(start);
  if (build === undefined) {
    // Windows also runs what is no program, by its extension.
    return machine.platform === 'win32' ? undefined : 'is neither a program nor a script';
  }
  const {os, architectures} = build;
  const here = describeMachine(machine);
  if (
    os === here.os &&
    [here.arch, ...emulated(here, isExecutable)].some((arch) => architectures.includes(arch))
  )
    return undefined;
  return `is built for ${os}/${architectures.join(' and ')}, and this machine is ${here.os}/${here.arch}`;
}

function findScriptFlaw(text: string, isExecutable: (path: string) => boolean): string | undefined {
  // kvaps/kubectl-build has the same name.
  if (/\bkaniko\b/i.test(text)) return 'is another plugin of that name, which builds with kaniko';
  const interpreter = /^#![ \t]*(\S+)/.exec(text)?.[1];
  if (interpreter === undefined) return 'is a script that names no interpreter';
  return isExecutable(interpreter) ? undefined : `needs ${interpreter}, which is no program on this machine`;
}

interface Build {
  readonly os: string;
  /** By the names that Go gives them. */
  readonly architectures: readonly string[];
}

/** Numbers of processors in the headers of programs: e_machine of ELF, cputype of Mach-O, Machine of PE. */
const PROCESSORS = {
  elf: {3: '386', 40: 'arm', 62: 'amd64', 183: 'arm64'},
  mach: {16777223: 'amd64', 16777228: 'arm64'},
  pe: {332: '386', 34404: 'amd64', 43620: 'arm64'},
} as const satisfies Readonly<Record<string, Readonly<Record<number, string>>>>;

const SHORTEST = 256;

/** What a program is built for, by its header; undefined if it is none, or shorter than a header. */
export function readBuild(start: Buffer): Build | undefined {
  if (start.length < SHORTEST) return undefined;
  const name = (names: Readonly<Record<number, string>>, number: number) => names[number] ?? 'unknown';
  const magic = start.toString('hex', 0, 4);
  if (magic === '7f454c46')
    return {os: 'linux', architectures: [name(PROCESSORS.elf, start.readUInt16LE(18))]};
  if (magic === 'cffaedfe')
    return {os: 'darwin', architectures: [name(PROCESSORS.mach, start.readUInt32LE(4))]};
  if (magic === 'cafebabe') {
    // Several programs in one file, each with 20 bytes in the list.
    const offsets = Array.from({length: Math.min(start.readUInt32BE(4), 8)}, (_, index) => 8 + 20 * index);
    return {
      os: 'darwin',
      architectures: offsets.map((at) => name(PROCESSORS.mach, start.readUInt32BE(at))),
    };
  }
  const header = start.readUInt32LE(60);
  const isPe = magic.startsWith('4d5a') && start.toString('latin1', header, header + 4) === 'PE\0\0';
  return isPe && header + 6 <= start.length
    ? {os: 'windows', architectures: [name(PROCESSORS.pe, start.readUInt16LE(header + 4))]}
    : undefined;
}

function describeMachine({platform, arch}: Machine) {
  const os = platform === 'win32' ? 'windows' : platform;
  return {os, arch: arch === 'x64' ? 'amd64' : arch === 'ia32' ? '386' : arch};
}

/** The runtime of Rosetta 2, which a Mac has only if somebody installed it. */
const ROSETTA = '/Library/Apple/usr/libexec/oah/libRosettaRuntime';

function emulated({os, arch}: {os: string; arch: string}, isExecutable: (path: string) => boolean) {
  const runsOthers = arch === 'arm64' && (os === 'windows' || (os === 'darwin' && isExecutable(ROSETTA)));
  return runsOthers ? ['amd64'] : [];
}
