/** Covers what the release changes in the programs for other platforms, on programs that Bun compiles here. */
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {expect} from 'chai';
import {compileBinary} from '../../scripts/bun-compile.ts';
import {readRuntime} from '../../scripts/bun-runtime.ts';
import {ROOT} from '../../scripts/generated-file.ts';
import {readBunVersion} from '../../scripts/release/bundled-packages.ts';
import {checkProgram} from '../../scripts/release/check-program.ts';
import {findSignatureFault, signAdHoc} from '../../scripts/release/mach-o.ts';
import {PLATFORMS, type Platform, platformName} from '../../scripts/release/platforms.ts';
import {
  readResourceKinds,
  readWindowsVersion,
  setWindowsVersion,
} from '../../scripts/release/windows-version.ts';

/** A minimal 64-bit Mach-O file, with room for a signature. */
function makeMachO(contentSize: number): Buffer {
  const file = Buffer.alloc(contentSize + 64, 'content');
  file.fill(0, 0, 32 + 72 + 72 + 16);
  file.writeUInt32LE(0xfeedfacf, 0);
  file.writeUInt32LE(3, 16);
  const segment = (at: number, name: string, from: number, size: number) => {
    file.writeUInt32LE(0x19, at);
    file.writeUInt32LE(72, at + 4);
    file.write(name, at + 8);
    file.writeBigUInt64LE(BigInt(from), at + 40);
    file.writeBigUInt64LE(BigInt(size), at + 48);
  };
  segment(32, '__TEXT', 0, 8192);
  segment(104, '__LINKEDIT', 8192, contentSize + 64 - 8192);
  for (const [index, value] of [0x1d, 16, contentSize, 64].entries())
    file.writeUInt32LE(value, 176 + index * 4);
  return file;
}

describe('signAdHoc', () => {
  it('signs every page, including a last one that is not full', () => {
    const unsigned = makeMachO(10_000);
    expect(findSignatureFault(unsigned)).to.contain('not a SuperBlob');
    const signed = signAdHoc(unsigned, 'name');
    expect(findSignatureFault(signed)).to.equal(undefined);
    expect(signed.includes('name\0')).to.equal(true);
    // __LINKEDIT ends where the file does.
    expect(Number(signed.readBigUInt64LE(104 + 48)) + 8192).to.equal(signed.length);
    for (const place of [300, 5000, 9999]) {
      const changed = Buffer.from(signed);
      changed[place] = 0;
      expect(findSignatureFault(changed)).to.equal(
        `page ${Math.floor(place / 4096)} does not match its hash`,
      );
    }
  });
});

describe('readRuntime', () => {
  it('refuses a package that package-lock.json does not name, and does not keep it', () => {
    // No release is for this platform.
    const cached = join(ROOT, 'dist', 'runtimes', `bun-freebsd-x64-${readBunVersion()}.tgz`);
    mkdirSync(dirname(cached), {recursive: true});
    writeFileSync(cached, 'another program');
    expect(() => readRuntime('bun-freebsd-x64', 1000)).to.throw('is not the package');
    expect(existsSync(cached)).to.equal(false);
  });
});

describe('checkProgram', () => {
  const headers = {
    linux: {magic: '7f454c46', at: 18, size: 2, amd64: 62, arm64: 183},
    darwin: {magic: 'cffaedfe', at: 4, size: 4, amd64: 0x1000007, arm64: 0x100000c},
    windows: {magic: '4d5a', at: 132, size: 2, amd64: 0x8664, arm64: 0xaa64},
  } as const;
  const programFor = ({os, arch, musl}: Platform): Buffer => {
    const file = Buffer.alloc(1000);
    const {magic, at, size, ...numbers} = headers[os];
    file.write(magic, 'hex');
    file.writeUIntLE(numbers[arch], at, size);
    if (os === 'windows') file.writeUInt32LE(128, 60);
    if (os === 'windows') file.write('PE\0\0', 128);
    if (os === 'linux') file.write(musl ? '/lib/ld-musl-x86_64.so.1' : '/lib64/ld-linux-x86-64.so.2', 700);
    return file;
  };

  it('takes a program for its own platform alone', () => {
    for (const platform of PLATFORMS)
      for (const other of PLATFORMS) {
        const check = () => checkProgram(programFor(platform), other);
        if (platform === other) check();
        else expect(check, platformName(other)).to.throw(`The program for ${platformName(other)} is one for`);
      }
  });

  it('refuses what is no program', () => {
    for (const file of [Buffer.alloc(0), Buffer.from('#!/bin/sh\n'), Buffer.alloc(1000)])
      for (const platform of PLATFORMS)
        expect(() => checkProgram(file, platform)).to.throw('is one for an unknown system');
  });
});

describe('the programs of a release', function () {
  this.timeout(300_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tiltbuild-release-'));
  });
  after(() => rmSync(directory, {recursive: true, force: true}));

  /** Undefined if Bun's runtime for that platform cannot be downloaded in time. */
  function compile(target: string): Buffer | undefined {
    const path = join(directory, `${target}.exe`);
    try {
      compileBinary(path, 'test', target, 60_000);
      return readFileSync(path);
    } catch {
      return undefined;
    }
  }

  for (const target of ['bun-darwin-x64', 'bun-darwin-arm64']) {
    it(`have an ad-hoc signature that matches every page: ${target}`, function () {
      const compiled = compile(target) ?? this.skip();
      const signed = signAdHoc(compiled, 'kubectl-tiltbuild');
      expect(findSignatureFault(signed)).to.equal(undefined);
      expect(signAdHoc(signed, 'kubectl-tiltbuild').equals(signed)).to.equal(true);
      // The code is unchanged; only the load commands in front of it have the new sizes.
      const last = Math.min(compiled.length, signed.length) - 1_000_000;
      expect(compiled.subarray(16_384, last).equals(signed.subarray(16_384, last))).to.equal(true);

      const changed = Buffer.from(signed);
      changed[5_000_000] = (changed[5_000_000] ?? 0) ^ 1;
      expect(findSignatureFault(changed)).to.equal('page 1220 does not match its hash');
      expect(findSignatureFault(signed.subarray(0, -1))).to.contain('end of the file');
    });
  }

  it("have a version resource of their own on Windows, instead of Bun's", function () {
    const compiled = compile('bun-windows-x64') ?? this.skip();
    expect(readWindowsVersion(compiled)).to.include({ProductName: 'Bun'});
    const own = {
      name: 'kubectl-tiltbuild',
      version: '12.34.56',
      description: 'kubectl tiltbuild',
      copyright: 'X',
    };
    const changed = setWindowsVersion(compiled, own);
    expect(readWindowsVersion(changed)).to.deep.equal({
      FileDescription: 'kubectl tiltbuild',
      FileVersion: '12.34.56',
      LegalCopyright: 'X',
      OriginalFilename: 'kubectl-tiltbuild.exe',
      ProductName: 'kubectl-tiltbuild',
      ProductVersion: '12.34.56',
    });
    expect(changed.length).to.equal(compiled.length);
    // 16 is the version, 24 the manifest; the icons, 3 and 14, are gone.
    expect(readResourceKinds(changed)).to.deep.equal([16, 24]);
  });

  it('are refused if they are not such programs', () => {
    writeFileSync(join(directory, 'text'), 'text'.repeat(100));
    const text = readFileSync(join(directory, 'text'));
    expect(() => findSignatureFault(text)).to.throw('not a 64-bit Mach-O');
    expect(() =>
      setWindowsVersion(text, {name: 'a', version: '1.0.0', description: '', copyright: ''}),
    ).to.throw();
  });
});
