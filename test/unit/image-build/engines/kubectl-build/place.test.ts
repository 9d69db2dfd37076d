/** Covers where the plugin runs, and that its paths are those of our own directory wherever that is. */
import {expect} from 'chai';
import {choosePlace, placeFlag} from '../../../../../src/image-build/engines/kubectl-build/place.ts';

const PRIVATE = (name: string) => `/tmp/private/${name}`;

describe('choosePlace', () => {
  for (const [cwd, env] of [
    ['/home/jürgen/app', {}],
    ['/', {}],
    ['/a b', {PWD: '/link', KUBECONFIG: 'a'}],
  ] as const) {
    it(`stays in ${cwd}`, () =>
      expect(choosePlace({cwd, env}, PRIVATE)).to.deep.equal({cwd: undefined, env: {}}));
  }

  it('leaves a directory whose name is not ASCII, and the kubeconfigs are those of that directory', () => {
    for (const [cwd, PWD] of [
      ['/home/Jürgen', undefined],
      ['/home/Jürgen', '/link'],
      ['/home/x', '/home/Jürgen'],
    ] as const) {
      const place = choosePlace({cwd, env: {PWD, KUBECONFIG: 'a:/b::../c'}}, PRIVATE);
      expect(place).to.deep.equal({
        cwd: '/tmp/private/',
        env: {KUBECONFIG: [`${cwd}/a`, '/b', '', '/home/c'].join(':')},
      });
    }
    expect(choosePlace({cwd: '/ü', env: {}}, PRIVATE).env).to.deep.equal({});
  });
});

describe('placeFlag', () => {
  for (const [given, placed] of [
    ['--ssh default', '--ssh default'],
    ['--ssh a=k1,/k2 --ssh b=', '--ssh a=/ü/k1,/k2 --ssh b='],
    ['--cache-to type=local,dest=c', '--cache-to type=local,dest=/ü/c'],
    ['--cache-from "TYPE=local","src=c,d"', '--cache-from TYPE=local,"src=/ü/c,d"'],
    ['--cache-from user/app', '--cache-from user/app'],
    ['--cache-to type=registry,ref=x,dest=y', '--cache-to type=registry,ref=x,dest=y'],
    ['--cache-to "', '--cache-to "'],
    ['--build-arg type=local,dest=c', '--build-arg type=local,dest=c'],
  ] as const) {
    it(`makes ${placed} of ${given}`, () =>
      expect(placeFlag(given.split(' '), '/ü').join(' ')).to.equal(placed));
  }
});
