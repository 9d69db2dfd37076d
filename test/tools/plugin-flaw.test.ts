/** Covers recognizing a `kubectl-build` that cannot run here, or is another plugin: by its first bytes, unrun. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {expect} from 'chai';
import {BuildDelegate} from '../../src/system/build-delegate.ts';
import type {Interruption} from '../../src/system/interruption.ts';
import {findPluginFlaw, type Machine} from '../../src/system/plugin-flaw.ts';
import type {Runner} from '../../src/system/runner.ts';
import type {Terminal} from '../../src/system/terminal.ts';

function bytes(...parts: readonly (readonly [at: number, hex: string])[]): Buffer {
  const start = Buffer.alloc(512);
  for (const [at, hex] of parts) start.write(hex, at, 'hex');
  return start;
}

const elf = (machine: string) => bytes([0, '7f454c460201'], [18, machine]);
const macho = (processor: string) => bytes([0, 'cffaedfe'], [4, processor]);
const pe = (machine: string) => bytes([0, '4d5a'], [60, '80000000'], [128, '50450000'], [132, machine]);
const FAT = bytes([0, 'cafebabe00000002'], [8, '01000007'], [28, '0100000c']);

const LINUX: Machine = {platform: 'linux', arch: 'x64'};
const ARM: Machine = {platform: 'linux', arch: 'arm64'};
const MAC: Machine = {platform: 'darwin', arch: 'arm64'};
const WINDOWS: Machine = {platform: 'win32', arch: 'arm64'};
const ROSETTA = '/Library/Apple/usr/libexec/oah/libRosettaRuntime';
const PRESENT: ReadonlySet<string> = new Set(['/bin/sh', '/usr/bin/env']);

const CASES: readonly (readonly [what: string, Buffer, Machine, flaw: string | undefined])[] = [
  ['a Linux program', elf('3e00'), LINUX, undefined],
  ['a Linux program for arm64', elf('b700'), ARM, undefined],
  [
    'one for another processor',
    elf('b700'),
    LINUX,
    'is built for linux/arm64, and this machine is linux/amd64',
  ],
  ['one for amd64', elf('3e00'), ARM, 'is built for linux/amd64, and this machine is linux/arm64'],
  [
    'one for a rare processor',
    elf('f300'),
    LINUX,
    'is built for linux/unknown, and this machine is linux/amd64',
  ],
  ['a Mac program', macho('0c000001'), MAC, undefined],
  [
    'a Mac program for Intel',
    macho('07000001'),
    MAC,
    'is built for darwin/amd64, and this machine is darwin/arm64',
  ],
  [
    'a Mac program on Linux',
    macho('07000001'),
    LINUX,
    'is built for darwin/amd64, and this machine is linux/amd64',
  ],
  ['a universal Mac program', FAT, MAC, undefined],
  ['one on Linux', FAT, LINUX, 'is built for darwin/amd64 and arm64, and this machine is linux/amd64'],
  ['a Windows program', pe('64aa'), WINDOWS, undefined],
  ['a Windows program for amd64, which arm64 emulates', pe('6486'), WINDOWS, undefined],
  [
    'a Windows program on Linux',
    pe('6486'),
    LINUX,
    'is built for windows/amd64, and this machine is linux/amd64',
  ],
  ['a batch file', Buffer.from('@echo off\r\n'), WINDOWS, undefined],
  ['an empty file', Buffer.alloc(0), LINUX, 'is empty'],
  ['the first bytes of a download', elf('3e00').subarray(0, 100), LINUX, 'is neither a program nor a script'],
  [
    'an error page',
    Buffer.from('<html>Not Found</html>'.repeat(50)),
    LINUX,
    'is neither a program nor a script',
  ],
  ['a script', Buffer.from('#!/bin/sh\nexec buildctl\n'), LINUX, undefined],
  ['a script with an argument', Buffer.from('#! /usr/bin/env node\n'), LINUX, undefined],
  [
    'one without its interpreter',
    Buffer.from('#!/opt/node\n'),
    LINUX,
    'needs /opt/node, which is no program on this machine',
  ],
  ['one that names none', Buffer.from('#!\n/bin/sh\n'), LINUX, 'is a script that names no interpreter'],
  [
    "kaniko's plugin",
    Buffer.from('#!/bin/sh\nimage=gcr.io/kaniko-project/executor\n'),
    LINUX,
    'is another plugin of that name, which builds with kaniko',
  ],
  ['a program with that word in it', Buffer.concat([elf('3e00'), Buffer.from(' kaniko ')]), LINUX, undefined],
];

describe('findPluginFlaw', () => {
  for (const [what, start, machine, flaw] of CASES) {
    it(`${flaw === undefined ? 'accepts' : 'rejects'} ${what} on ${machine.platform}/${machine.arch}`, () => {
      expect(findPluginFlaw(start, machine, (path) => PRESENT.has(path))).to.equal(flaw);
    });
  }

  it('accepts a Mac program for Intel if Rosetta is installed', () => {
    expect(findPluginFlaw(macho('07000001'), MAC, (path) => path === ROSETTA)).to.equal(undefined);
  });
});

describe('BuildDelegate.find', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'kubectl-build-'));
  });
  afterEach(() => rmSync(root, {recursive: true}));

  const find = (path = root) =>
    new BuildDelegate(
      {} as Runner,
      {} as Interruption,
      {} as Terminal,
      {PATH: [path, '/'].join(delimiter)},
      process,
      () => {},
    ).find();

  it('gives nothing where PATH has no such program', async () => {
    expect(await find()).to.equal(undefined);
  });

  it('gives the program, and what is wrong with it', async () => {
    const path = join(root, 'kubectl-build');
    writeFileSync(path, `#!${process.execPath}\n`, {mode: 0o755});
    expect(await find()).to.deep.equal({path});
    writeFileSync(path, `#!${root}\n`);
    expect((await find())?.flaw).to.equal(`needs ${root}, which is no program on this machine`);
    writeFileSync(path, '');
    expect(await find()).to.deep.equal({path, flaw: 'is empty'});
  });
});
