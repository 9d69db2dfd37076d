/** Covers which kubeconfig files are read, on every platform. */
import {posix, win32} from 'node:path';
import {expect} from 'chai';
import {kubeconfigPaths, missingKubeconfig} from '../../../../src/cluster/kubeconfig/paths.ts';

describe('kubeconfigPaths', () => {
  const unix = {home: '/home/jane', cwd: '/project', rules: posix};
  const windows = {home: 'C:\\Users\\jane', cwd: 'D:\\work', rules: win32};
  const HOME = '/home/jane/.kube/config';
  for (const [what, sources, ...paths] of [
    ['the home directory by default', unix, HOME],
    ['the home directory on Windows', windows, 'C:\\Users\\jane\\.kube\\config'],
    ['the working directory without a home directory', {...unix, home: ''}, '/project/.kube/config'],
    ['the home directory for an empty flag and an empty KUBECONFIG', {...unix, flag: '', env: ''}, HOME],
    ['a list in KUBECONFIG', {...unix, env: '/a:b;c:d'}, '/a', '/project/b;c', '/project/d'],
    ['a list on Windows', {...windows, env: 'C:\\a;d\\e'}, 'C:\\a', 'D:\\work\\d\\e'],
    ['quotes on Windows', {...windows, env: '"C:\\a;b\\config";C:\\c'}, 'C:\\a;b\\config', 'C:\\c'],
    ['quotes and spaces elsewhere', {...unix, env: '/a "b": /c'}, '/a "b"', '/project/ /c'],
    ['no empty and repeated entries, in order', {...unix, env: ':/b:/a::/b:'}, '/b', '/a'],
    ['nothing if KUBECONFIG has only separators', {...unix, env: '::'}],
  ] as const) {
    it(`reads ${what}`, () => expect(kubeconfigPaths(sources)).to.deep.equal({explicit: false, paths}));
  }

  it('takes the flag alone, as one file that must exist', () => {
    const found = kubeconfigPaths({...unix, flag: 'a:b', env: '/c'});
    expect(found).to.deep.equal({explicit: true, paths: ['/project/a:b']});
  });
});

describe('missingKubeconfig', () => {
  it('names all files and what to do, or that KUBECONFIG names no file', () => {
    const {detail, ...error} = missingKubeconfig({explicit: false, paths: ['/a', '/b']});
    expect(detail).to.deep.equal(['/a does not exist.', '/b does not exist.']);
    expect(error.remedy).to.have.length(2);
    const none = missingKubeconfig({explicit: false, paths: []});
    expect(none.detail).to.deep.equal(['KUBECONFIG names no file.']);
  });
});
