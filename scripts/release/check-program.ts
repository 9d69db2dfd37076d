/** Owns the check that a program is for the platform of its archive, by its own header. */
import {PLUGIN_START, readBuild} from '../../src/system/plugin-flaw.ts';
import {type Platform, platformName} from './platforms.ts';

/** Where a Linux program names the loader of its C library, which is near its beginning. */
const LOADER = /\/ld-(musl|linux)[\w.-]*\.so/;

/** Throws if it is for another system, processor or C library. */
export function checkProgram(program: Buffer, platform: Platform): void {
  const {os, arch, musl} = platform;
  const start = program.subarray(0, PLUGIN_START);
  const found = readBuild(start) ?? {os: 'an unknown system', architectures: []};
  const library = LOADER.exec(start.toString('latin1'))?.[1];
  const wanted = {os, arch, ...(os === 'linux' && {library: musl ? 'musl' : 'linux'})};
  const own = {os: found.os, arch: found.architectures.join('+'), ...(os === 'linux' && {library})};
  if (JSON.stringify(own) === JSON.stringify(wanted)) return;
  throw new Error(`The program for ${platformName(platform)} is one for ${Object.values(own).join('/')}.`);
}
