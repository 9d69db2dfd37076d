/** Covers what the release does to the programs for other platforms, on programs that Bun has compiled here. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {compileBinary} from '../../scripts/bun-compile.ts';
import {findSignatureFault, signAdHoc} from '../../scripts/release/mach-o.ts';
import {
  readResourceKinds,
  readWindowsVersion,
  setWindowsVersion,
} from '../../scripts/release/windows-version.ts';

/** A Mach-O file of 64 bits with next to nothing in it, and room for a signature. */
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
  it('signs every page, the last of which is not a whole one', () => {
    const unsigned = makeMachO(10_000);
    expect(findSignatureFault(unsigned)).to.contain('no SuperBlob');
    const signed = signAdHoc(unsigned, 'name');
    expect(findSignatureFault(signed)).to.equal(undefined);
    expect(signed.includes('name\0')).to.equal(true);
    // __LINKEDIT ends where the file does.
    expect(Number(signed.readBigUInt64LE(104 + 48)) + 8192).to.equal(signed.length);
    for (const place of [300, 5000, 9999]) {
      const changed = Buffer.from(signed);
      changed[place] = 0;
      expect(findSignatureFault(changed)).to.equal(`page ${Math.floor(place / 4096)} does not fit its hash`);
    }
  });
});

describe('the programs of a release', function () {
  this.timeout(300_000);
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tiltbuild-release-'));
  });
  after(() => rmSync(directory, {recursive: true, force: true}));

  /** Undefined where Bun's runtime for that platform cannot be had in time, which takes the npm registry once. */
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
    it(`have an ad-hoc signature that fits every page: ${target}`, function () {
      const compiled = compile(target) ?? this.skip();
      const signed = signAdHoc(compiled, 'kubectl-tiltbuild');
      expect(findSignatureFault(signed)).to.equal(undefined);
      expect(signAdHoc(signed, 'kubectl-tiltbuild').equals(signed)).to.equal(true);
      // All that is run is as it was; the load commands, which tell the sizes, are in front of it.
      const last = Math.min(compiled.length, signed.length) - 1_000_000;
      expect(compiled.subarray(16_384, last).equals(signed.subarray(16_384, last))).to.equal(true);

      const changed = Buffer.from(signed);
      changed[5_000_000] = (changed[5_000_000] ?? 0) ^ 1;
      expect(findSignatureFault(changed)).to.equal('page 1220 does not fit its hash');
      expect(findSignatureFault(signed.subarray(0, -1))).to.contain('end of the file');
    });
  }

  it('say on Windows what they are, and not that they are Bun', function () {
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
    // No icon, which are 3 and 14; 16 is the version, 24 the manifest that tells Windows what it can do.
    expect(readResourceKinds(changed)).to.deep.equal([16, 24]);
  });

  it('are refused where they are no such programs', () => {
    writeFileSync(join(directory, 'text'), 'text'.repeat(100));
    const text = readFileSync(join(directory, 'text'));
    expect(() => findSignatureFault(text)).to.throw('no Mach-O');
    expect(() =>
      setWindowsVersion(text, {name: 'a', version: '1.0.0', description: '', copyright: ''}),
    ).to.throw();
  });
});
