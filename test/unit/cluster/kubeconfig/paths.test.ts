/** Covers which kubeconfig files are read, on every platform. */
import {posix, win32} from 'node:path';
import {expect} from 'chai';
import {kubeconfigPaths, missingKubeconfig} from '../../../../src/cluster/kubeconfig/paths.ts';
import {hintsOf} from '../../../helpers/caught.ts';

describe('kubeconfigPaths', () => {
  const unix = {home: '/home/jane', cwd: '/project', rules: posix};
  const windows = {home: 'C:\\Users\\jane', cwd: 'D:\\work', rules: win32};

  it('looks in the home directory by default', () => {
    expect(kubeconfigPaths(unix)).to.deep.equal({explicit: false, paths: ['/home/jane/.kube/config']});
    expect(kubeconfigPaths(windows).paths).to.deep.equal(['C:\\Users\\jane\\.kube\\config']);
  });

  it('looks in the working directory without a home directory, as kubectl does', () => {
    expect(kubeconfigPaths({...unix, home: ''}).paths).to.deep.equal(['/project/.kube/config']);
  });

  it('ignores an empty flag and an empty KUBECONFIG', () => {
    expect(kubeconfigPaths({...unix, flag: '', env: ''}).paths).to.deep.equal(['/home/jane/.kube/config']);
  });

  it('takes the flag alone, as one file that must exist', () => {
    const found = kubeconfigPaths({...unix, flag: 'a:b', env: '/c'});
    expect(found).to.deep.equal({explicit: true, paths: ['/project/a:b']});
  });

  it('splits KUBECONFIG at the separator of the platform', () => {
    expect(kubeconfigPaths({...unix, env: '/a:b;c:d'}).paths).to.deep.equal([
      '/a',
      '/project/b;c',
      '/project/d',
    ]);
    const env = 'C:\\a;b:c;d\\e';
    expect(kubeconfigPaths({...windows, env: 'C:\\a;d\\e'}).paths).to.deep.equal(['C:\\a', 'D:\\work\\d\\e']);
    expect(kubeconfigPaths({...windows, env}).paths).to.have.length(3);
  });

  it('keeps a semicolon in quotes on Windows', () => {
    const env = '"C:\\a;b\\config";C:\\c';
    expect(kubeconfigPaths({...windows, env}).paths).to.deep.equal(['C:\\a;b\\config', 'C:\\c']);
  });

  it('keeps quotes and spaces elsewhere', () => {
    expect(kubeconfigPaths({...unix, env: '/a "b": /c'}).paths).to.deep.equal(['/a "b"', '/project/ /c']);
  });

  it('drops empty and repeated entries, and keeps the order', () => {
    expect(kubeconfigPaths({...unix, env: ':/b:/a::/b:'}).paths).to.deep.equal(['/b', '/a']);
  });

  it('does not look in the home directory when KUBECONFIG has only separators', () => {
    expect(kubeconfigPaths({...unix, env: '::'})).to.deep.equal({explicit: false, paths: []});
  });
});

describe('missingKubeconfig', () => {
  it('names the file of the flag', () => {
    const error = missingKubeconfig({explicit: true, paths: ['/a']});
    expect(error.code).to.equal('kubeconfig-missing');
    expect(error.message).to.contain('/a').and.to.contain('--kubeconfig');
  });

  it('names all files, and what to do', () => {
    const error = missingKubeconfig({explicit: false, paths: ['/a', '/b']});
    expect(error.detail).to.deep.equal(['/a does not exist.', '/b does not exist.']);
    expect(hintsOf(error)).to.contain('KUBECONFIG').and.contain('--kubeconfig FILE');
  });

  it('says when KUBECONFIG names no file', () => {
    expect(missingKubeconfig({explicit: false, paths: []}).detail).to.deep.equal([
      'KUBECONFIG names no file.',
    ]);
  });
});
