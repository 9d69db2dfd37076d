/** Covers what is loaded before a build begins: each module there is paid for by every build. */
import {existsSync, readFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import {expect} from 'chai';

const SOURCE = join(import.meta.dirname, '..', '..', 'src');

/** What a file imports when it is loaded itself; neither types nor what it imports later. */
function importsOf(file: string): readonly string[] {
  const code = readFileSync(file, 'utf8');
  return [...code.matchAll(/^(?:import|export)(?! type)\s(?:[^'";]*?\sfrom\s)?'([^']+)'/gm)].map(
    ([, specifier]) => specifier as string,
  );
}

function loadedWith(start: string): {readonly files: readonly string[]; readonly others: readonly string[]} {
  const files = new Set<string>();
  const others = new Set<string>();
  const visit = (file: string) => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of importsOf(file)) {
      if (/^\..*\.ts$/.test(specifier)) visit(join(file, '..', specifier));
      else if (!specifier.endsWith('.json')) others.add(specifier);
    }
  };
  visit(start);
  return {files: [...files].map((file) => relative(SOURCE, file)), others: [...others].sort()};
}

describe('what is loaded before a build begins', () => {
  const {files, others} = loadedWith(join(SOURCE, 'main.ts'));

  it('is what a build needs of the runtime and of packages, and nothing else', () => {
    // node:crypto takes 1.5 ms, node:tty 3, execa 9, oclif 14.
    expect(others).to.deep.equal([
      'fastest-levenshtein',
      'node:child_process',
      'node:fs',
      'node:fs/promises',
      'node:os',
      'node:path',
      'smol-toml',
      'which-command',
      'yaml',
    ]);
  });

  it('is nothing of the other commands, nor of what few builds need', () => {
    expect(files).to.include('image-build/build-image.ts');
    for (const cold of [
      'builder/ensure/create-builder.ts',
      'builder/ensure/repair-builder.ts',
      'image-build/dry-run.ts',
      'image-build/failure/build-hints.ts',
      'builder/commands/run-command.ts',
      'doctor/run-doctor.ts',
      'builder/manifest/manifest.ts',
      'cli/argv/complete.ts',
      'cli/help/help.ts',
      'cli/help/oclif-boot.ts',
      'context/archive.ts',
      'image-build/engines/builtin/builtin.ts',
      'image-build/engines/kubectl-build/kubectl-build.ts',
      'system/tunnel.ts',
      'wire/http2/connection.ts',
    ]) {
      expect(existsSync(join(SOURCE, cold)), `${cold} is there`).to.equal(true);
      expect(files).not.to.include(cold);
    }
  });

  it('is nothing of OCI layouts with the builtin engine, as few builds have one', () => {
    const {files: loaded} = loadedWith(join(SOURCE, 'image-build/engines/builtin/builtin.ts'));
    expect(loaded).to.include('buildkit/session/file-sync.ts');
    for (const cold of ['image-build/engines/builtin/layouts.ts', 'buildkit/session/content.ts']) {
      expect(existsSync(join(SOURCE, cold)), `${cold} is there`).to.equal(true);
      expect(loaded).not.to.include(cold);
    }
  });
});
