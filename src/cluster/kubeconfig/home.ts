/** Owns which directory is the user's home, by the rules of client-go (util/homedir), for the same files as kubectl's. */
import {win32} from 'node:path';
import type {Files} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';

/** Empty where the environment names none; kubectl then looks in the working directory. */
export function findHome(
  {env, platform}: Pick<Surroundings, 'env' | 'platform'>,
  files: Pick<Files, 'kindOf' | 'isWritableDirectory'>,
): string {
  const {HOME = '', HOMEDRIVE, HOMEPATH, USERPROFILE = ''} = env;
  if (platform !== 'win32') return HOME;
  const onDrive = HOMEDRIVE && HOMEPATH ? HOMEDRIVE + HOMEPATH : '';
  const isSet = (path: string) => path !== '';
  const exists = (path: string) => files.kindOf(path) !== 'missing';
  const candidates = [HOME, USERPROFILE, onDrive].filter(isSet);
  return (
    // A kubeconfig on the home drive wins over one in the profile; without any, the profile wins.
    [HOME, onDrive, USERPROFILE].filter(isSet).find((path) => exists(win32.join(path, '.kube', 'config'))) ??
    candidates.find((path) => files.isWritableDirectory(path)) ??
    candidates.find(exists) ??
    candidates[0] ??
    ''
  );
}
