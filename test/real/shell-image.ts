/** Owns an image with a shell for RUN steps without network: Debian's busybox-static. */
import {execFileSync} from 'node:child_process';
import {copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {whyNoDockerd} from './dockerd.ts';

const BUSYBOX = '/usr/bin/busybox';

/** Why no RUN step can be built here; undefined where it can. */
export function whyNoShell(): string | undefined {
  return whyNoDockerd() ?? (existsSync(BUSYBOX) ? undefined : 'busybox-static is not installed');
}

/** The beginning of a Dockerfile in whose directory `writeShell` put what it needs. */
export const SHELL = [
  'FROM scratch AS shell',
  'COPY rootfs /',
  'ENV PATH=/bin',
  'SHELL ["/bin/busybox", "sh", "-c"]',
  '',
].join('\n');

/** Adds more `programs` with the libraries that they are linked with. */
export function writeShell(directory: string, programs: readonly string[] = []): void {
  const rootfs = join(directory, 'rootfs');
  mkdirSync(join(rootfs, 'bin'), {recursive: true});
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
  for (const program of programs) {
    copyFileSync(program, join(rootfs, 'bin', program.split('/').at(-1) as string));
    for (const [library] of execFileSync('ldd', [program], {encoding: 'utf8'}).matchAll(/\/\S+/g)) {
      mkdirSync(join(rootfs, dirname(library)), {recursive: true});
      copyFileSync(library, join(rootfs, library));
    }
  }
  mkdirSync(join(rootfs, 'etc'), {recursive: true});
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/:/bin/busybox\n');
}

/** Whether a program with these words in a row as arguments runs on this machine, in whatever container. */
export function isRunning(...words: readonly string[]): boolean {
  return readdirSync('/proc').some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      // Not the shell, whose argument holds the words as well.
      return readFileSync(`/proc/${entry}/cmdline`, 'utf8').endsWith(`${words.join('\0')}\0`);
    } catch {
      return false;
    }
  });
}
