/** Covers which directory is the user's home, on every platform. */
import {expect} from 'chai';
import {findHome} from '../../../../src/cluster/kubeconfig/home.ts';

const ALL = {HOME: 'H:\\home', HOMEDRIVE: 'D:', HOMEPATH: '\\drive', USERPROFILE: 'C:\\profile'};
const PATHLESS = {HOMEDRIVE: 'D:', USERPROFILE: 'C:\\profile'};
const DIRECTORIES = ['D:\\drive', 'C:\\profile'];
const CONFIG = '\\.kube\\config';

/** `there` exists; of that, `writable` are directories that can be written to. */
function home(
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string>>,
  there: readonly string[] = [],
  writable: readonly string[] = there,
): string {
  return findHome(
    {env, platform},
    {
      kindOf: (path) => (there.includes(path) ? 'directory' : 'missing'),
      isWritableDirectory: (path) => writable.includes(path),
    },
  );
}

describe('findHome', () => {
  for (const platform of ['linux', 'darwin', 'freebsd'] as const) {
    it(`is HOME alone on ${platform}, whether it exists or not`, () => {
      expect(home(platform, {HOME: '/home/me', USERPROFILE: '/profile'}, ['/profile'])).to.equal('/home/me');
      expect(home(platform, {USERPROFILE: '/profile'}, ['/profile'])).to.equal('');
    });
  }

  for (const [what, env, there, writable, expected] of [
    ['the first with a kubeconfig: HOME', ALL, [`H:\\home${CONFIG}`, `D:\\drive${CONFIG}`], [], 'H:\\home'],
    ['then the home drive', ALL, ['H:\\home', `D:\\drive${CONFIG}`, `C:\\profile${CONFIG}`], [], 'D:\\drive'],
    ['then the profile', ALL, ['H:\\home', 'D:\\drive', `C:\\profile${CONFIG}`], ['H:\\home'], 'C:\\profile'],
    ['the first that can be written to', ALL, ['H:\\home', 'D:\\drive'], ['D:\\drive'], 'D:\\drive'],
    ['the profile before the home drive', ALL, DIRECTORIES, DIRECTORIES, 'C:\\profile'],
    ['the first that exists', ALL, ['D:\\drive'], [], 'D:\\drive'],
    ['the first that is set', ALL, [], [], 'H:\\home'],
    ['no drive without a path on it', PATHLESS, ['D:'], ['D:'], 'C:\\profile'],
    ['no empty one', {...ALL, HOME: ''}, [CONFIG.slice(1), ''], [], 'C:\\profile'],
    ['nothing where nothing is set', {}, [], [], ''],
  ] as const) {
    it(`is on Windows ${what}`, () => expect(home('win32', env, there, writable)).to.equal(expected));
  }
});
