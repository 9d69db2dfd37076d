/** Owns the values of flags that BuildKit takes as they are: what it would find wrong late, minutes into a build. */
import {TiltbuildError} from '../../errors.ts';
import {parseReference} from '../../image/reference.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import {readCache} from './caches.ts';

/** By flag: throws `usage` for a value that cannot be meant. */
const READERS: Readonly<Record<string, (value: string) => unknown>> = {
  '--add-host': readHost,
  '--allow': (value) => value.split(',').forEach(checkEntitlement),
  '--build-context': readNamedContext,
  '--cache-from': (value) => readCache('--cache-from', [value], {}),
  '--cache-to': (value) => readCache('--cache-to', [value], {}),
  '--frontend': parseReference,
  '--network': checkNetwork,
  '--shm-size': (value) => readBytes('--shm-size', value),
  '--ulimit': checkUlimit,
};

/** `passedFlags`: each flag with its values, as in a request. Throws `usage` and `invalid-reference`. */
export function checkFlagValues(
  passedFlags: readonly (readonly string[])[],
  platforms: readonly string[],
): void {
  for (const [flag = '', ...words] of passedFlags)
    for (const value of words.filter((_, index) => index % 2 === 0)) READERS[flag]?.(value);
  for (const platform of platforms.flatMap((list) => list.split(','))) checkPlatform(platform.trim());
}

/** `HOST:IP`, or `HOST=IP`, where an IPv6 address may be in brackets. Gives what BuildKit takes. */
export function readHost(text: string): string {
  const [, host, given = ''] = /^([^:=]+)[:=](\[.+\]|[^[\]]+)$/.exec(text) ?? [];
  const address = given.replace(/^\[(.*)\]$/, '$1');
  if (host !== undefined && isAddress(address)) return `${host}=${address}`;
  throw invalid('--add-host', text, 'HOST:IP');
}

/** As Go's net.ParseIP takes them. */
function isAddress(text: string): boolean {
  if (text.includes(':')) return URL.canParse(`http://[${text}]`);
  const numbers = text.split('.');
  return (
    numbers.length === 4 && numbers.every((one) => /^(?:0|[1-9]\d{0,2})$/.test(one) && Number(one) < 256)
  );
}

const UNITS: Readonly<Record<string, number>> = {'': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40};

/** A size as docker reads it, in powers of 1024: `64m`, `1g`. */
export function readBytes(flag: string, text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([bkmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  const factor = UNITS[unit.toLowerCase()];
  if (number !== undefined && factor !== undefined) return Math.floor(Number(number) * factor);
  throw invalid(flag, text, 'a size such as 64m or 1g');
}

/** `NAME=VALUE` of `--build-context`. */
export function readNamedContext(text: string): {readonly name: string; readonly value: string} {
  const {key: name, value} = splitKeyValue(text);
  if (name && value) return {name, value};
  throw invalid('--build-context', text, 'NAME=PATH or NAME=URL');
}

/** Those of docker's go-units. */
const ULIMITS: ReadonlySet<string> = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

function checkUlimit(text: string): void {
  const [, name = '', low, high = low] = /^(\w+)=(-1|\d+)(?::(-1|\d+))?$/.exec(text) ?? [];
  const [soft, hard] = [low, high].map((limit) =>
    limit === '-1' ? Number.POSITIVE_INFINITY : Number(limit),
  );
  // Without limits they are NaN, which is no more than nothing.
  if (ULIMITS.has(name) && Number(soft) <= Number(hard)) return;
  throw invalid('--ulimit', text, `NAME=SOFT[:HARD], where NAME is one of ${[...ULIMITS].join(', ')}`);
}

function checkNetwork(text: string): void {
  if (!['', 'default', 'host', 'none', 'sandbox'].includes(text))
    throw invalid('--network', text, 'default, host or none');
}

function checkEntitlement(text: string): void {
  if (!/^(?:network\.host|security\.insecure|device(?:=.+)?)$/.test(text.trim()))
    throw invalid('--allow', text, 'network.host or security.insecure');
}

/** A word alone is either of these; containerd's platforms.Parse takes names that it does not know as OS/ARCH only. */
const KNOWN: ReadonlySet<string> = new Set(
  [
    'aix android darwin dragonfly freebsd hurd illumos ios js linux macos nacl netbsd openbsd plan9 solaris windows zos',
    '386 aarch64 amd64 amd64p32 arm armbe armel armhf arm64 arm64be i386 loong64 mips mips64 mips64le mips64p32',
    'mips64p32le mipsle ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm x86_64 x86-64 local',
  ].flatMap((line) => line.split(' ')),
);

function checkPlatform(text: string): void {
  const parts = text.split('/');
  const isWellFormed = parts.length <= 3 && parts.every((part) => /^[\w.-]+(?:\([\w.+-]*\))?$/.test(part));
  if (!isWellFormed || (parts.length === 1 && !KNOWN.has(text.toLowerCase())))
    throw invalid('--platform', text, 'OS/ARCH[/VARIANT], such as linux/arm64');
}

function invalid(flag: string, text: string, form: string): TiltbuildError {
  return new TiltbuildError('usage', `Invalid ${flag} value "${text}": use ${form}.`);
}
