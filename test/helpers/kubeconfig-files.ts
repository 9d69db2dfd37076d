/** Owns kubeconfig files on disk, for the tests that compare our reading of them with the real kubectl's. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import type {ConnectionRequest} from '../../src/cluster/connection.ts';
import {loadTarget} from '../../src/cluster/target/load-target.ts';
import type {Target} from '../../src/cluster/target/target.ts';
import {TiltbuildError} from '../../src/errors.ts';
import type {Surroundings} from '../../src/surroundings.ts';
import {diskFiles} from './private-place.ts';
import {makeSurroundings} from './surroundings.ts';

export function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), {recursive: true});
    writeFileSync(join(directory, name), text);
  }
}

/** The target, or why there is none. */
export async function loadOnDisk(
  request: Omit<ConnectionRequest, 'passed'>,
  surroundings: Pick<Surroundings, 'cwd' | 'env'>,
): Promise<Target | TiltbuildError> {
  const files = diskFiles(tmpdir());
  const {platform} = process;
  return await loadTarget(
    {...request, passed: []},
    makeSurroundings({...surroundings, platform}),
    files,
  ).then(
    ({target}) => target,
    (error) => {
      if (error instanceof TiltbuildError) return error;
      throw error;
    },
  );
}
