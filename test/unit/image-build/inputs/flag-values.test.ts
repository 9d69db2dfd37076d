/** Covers the values of flags that BuildKit would find wrong only in the middle of a build. */
import {expect} from 'chai';
import {checkFlagValues} from '../../../../src/image-build/inputs/flag-values.ts';
import {refusalOf} from '../../../helpers/caught.ts';

const check = (flag: string, value: string) =>
  flag === '--platform'
    ? checkFlagValues([], [value])
    : checkFlagValues([[flag, 'skipped', flag, value].slice(2), ['--pull']], []);

/** Flag, values to take, values to refuse; separated by blanks. */
const VALUES = [
  [
    '--add-host',
    'a:1.2.3.4 a=1.2.3.4 a:::1 a:[fe80::1] b=::ffff:1.2.3.4',
    'x a: :1.2.3.4 a:1.2.3 a:1.2.3.256 a:01.2.3.4 a:b a:[::1 a:1:2 a:host-gateway',
  ],
  ['--allow', 'network.host security.insecure network.host,security.insecure device', 'x host network.hosts'],
  ['--build-context', 'a=. a=https://x/y a=b=c', 'a a= =b ='],
  [
    '--cache-from',
    'a a/b:c r.io:5000/a@sha256:{64} type=registry,ref=a type=local,src=c type=gha type=s3,bucket=b type=azblob',
    'A a, type=x type= ref=a type=registry type=local,dest=c type=inline type=registry,ref=A " type=constructor',
  ],
  [
    '--cache-to',
    'a type=inline type=local,dest=c,mode=max type=registry,ref=a,mode=min TYPE=gha',
    'type=x type=local type=local,src=c type=inline,mode=x type=local,dest=c,mode= dest=c',
  ],
  ['--frontend', 'docker/dockerfile:1', 'docker/X a:: a@sha256:1'],
  ['--network', 'default host none sandbox', 'foo container:x bridge Host'],
  ['--shm-size', '64m 1.5g 0 64MiB 10', 'x -1 m 1x 1mm 1,5g'],
  [
    '--ulimit',
    'nofile=1024 nofile=1024:2048 nofile=-1 core=0:-1 memlock=-1:-1 stack=5:5',
    'foo nofile nofile= nofile=x nofile=2:1 nofile=-1:5 files=1 nofile=1:2:3 constructor=1',
  ],
  [
    '--platform',
    'linux/amd64 linux/arm64,linux/arm/v7 arm64 linux Windows windows(10.0.17763)/amd64 local linux/new-one',
    'nonsense linux/ /amd64 linux//v8 a/b/c/d linux/amd64, linux/am*64 constructor',
  ],
] as const;

describe('checkFlagValues', () => {
  for (const [flag, good, bad] of VALUES) {
    it(`takes what BuildKit takes for ${flag}`, () => {
      for (const value of good.split(' '))
        expect(() => check(flag, value.replace('{64}', 'a'.repeat(64))), value).to.not.throw();
    });

    it(`refuses what cannot be meant by ${flag}`, () => {
      for (const value of bad.split(' '))
        expect(refusalOf(() => check(flag, value)).code, value).to.match(/^(?:usage|invalid-reference)$/);
    });
  }

  it('looks at every value of a flag, and leaves others alone', () => {
    const {message} = refusalOf(() =>
      checkFlagValues(
        [
          ['--target', 'x y'],
          ['--ulimit', 'nofile=1', '--ulimit', 'foo'],
        ],
        [],
      ),
    );
    expect(message).to.match(/^Invalid --ulimit value "foo": use NAME=SOFT/);
  });
});
