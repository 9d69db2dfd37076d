/** Covers the name of an image in the registry that Tilt expects. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {canonicalName, parseReference} from '../../../src/image/reference.ts';
import {nameInRegistry} from '../../../src/tilt/expected-image.ts';

const REGISTRY = 'localhost:5000';

describe('nameInRegistry', () => {
  for (const [name, registry, expected] of [
    ['web', REGISTRY, 'localhost:5000/web'],
    ['myorg/web', REGISTRY, 'localhost:5000/myorg_web'],
    ['docker.io/library/web', REGISTRY, 'localhost:5000/web'],
    ['docker.io/myorg/web', REGISTRY, 'localhost:5000/myorg_web'],
    ['gcr.io/foo/bar', REGISTRY, 'localhost:5000/gcr.io_foo_bar'],
    ['reg.lan:8080/a/b', REGISTRY, 'localhost:5000/reg.lan_8080_a_b'],
    ['web', 'gcr.io/me/dev', 'gcr.io/me/dev/web'],
    ['gcr.io/foo/bar', 'gcr.io/me', 'gcr.io/me/gcr.io_foo_bar'],
    // Already in that registry.
    ['localhost:5000/web', REGISTRY, 'localhost:5000/web'],
    ['localhost:5000/a/b', REGISTRY, 'localhost:5000/a/b'],
    ['gcr.io/me/web', 'gcr.io/me', 'gcr.io/me/web'],
    // Another registry with the same beginning.
    ['gcr.io/melon/web', 'gcr.io/me', 'gcr.io/me/gcr.io_melon_web'],
    ['web', 'docker.io/me', 'docker.io/me/web'],
  ] as const) {
    it(`puts ${name} into ${registry} as ${expected}`, () => {
      expect(canonicalName(nameInRegistry(parseReference(name), registry))).to.equal(expected);
    });
  }

  it('rejects a registry that makes no valid name', () => {
    expect(() => nameInRegistry(parseReference('web'), 'bad registry')).to.throw(TiltbuildError);
  });
});
