/** Covers the grammar of image references, and what is said of a text that is none. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import {
  canonicalName,
  canonicalReference,
  familiarReference,
  parseReference,
} from '../../../src/image/reference.ts';
import {pointAt} from '../../../src/image/reference-fault.ts';

const SHA256 = `sha256:${'0123456789abcdef'.repeat(4)}`;
const SHA384 = `sha384:${'0123456789abcdef'.repeat(6)}`;
const SHA512 = `sha512:${'0123456789abcdef'.repeat(8)}`;
const HUB = 'docker.io';

/** Text, domain, path, canonical reference, familiar reference. */
type Valid = readonly [string, string, string, string, string];

const IMPLICIT: readonly Valid[] = [
  ['app', HUB, 'library/app', 'docker.io/library/app:latest', 'app'],
  ['a', HUB, 'library/a', 'docker.io/library/a:latest', 'a'],
  ['0', HUB, 'library/0', 'docker.io/library/0:latest', '0'],
  ['app:dev', HUB, 'library/app', 'docker.io/library/app:dev', 'app:dev'],
  ['app:DEV', HUB, 'library/app', 'docker.io/library/app:DEV', 'app:DEV'],
  ['app:_x.Y-z', HUB, 'library/app', 'docker.io/library/app:_x.Y-z', 'app:_x.Y-z'],
  ['app:5000', HUB, 'library/app', 'docker.io/library/app:5000', 'app:5000'],
  ['library/app', HUB, 'library/app', 'docker.io/library/app:latest', 'app'],
  ['myorg/app:dev', HUB, 'myorg/app', 'docker.io/myorg/app:dev', 'myorg/app:dev'],
  ['myorg/library', HUB, 'myorg/library', 'docker.io/myorg/library:latest', 'myorg/library'],
  ['library/a/b', HUB, 'library/a/b', 'docker.io/library/a/b:latest', 'library/a/b'],
  ['a/b/c/d:1', HUB, 'a/b/c/d', 'docker.io/a/b/c/d:1', 'a/b/c/d:1'],
  ['my_org/app', HUB, 'my_org/app', 'docker.io/my_org/app:latest', 'my_org/app'],
  ['my__org/app', HUB, 'my__org/app', 'docker.io/my__org/app:latest', 'my__org/app'],
  ['my-----org/a--b', HUB, 'my-----org/a--b', 'docker.io/my-----org/a--b:latest', 'my-----org/a--b'],
  ['app.io', HUB, 'library/app.io', 'docker.io/library/app.io:latest', 'app.io'],
  ['app.io:tag', HUB, 'library/app.io', 'docker.io/library/app.io:tag', 'app.io:tag'],
  ['10.0.0.1:5000', HUB, 'library/10.0.0.1', 'docker.io/library/10.0.0.1:5000', '10.0.0.1:5000'],
  ['localhost', HUB, 'library/localhost', 'docker.io/library/localhost:latest', 'localhost'],
  ['localhost:5000', HUB, 'library/localhost', 'docker.io/library/localhost:5000', 'localhost:5000'],
  ['localhosts/app', HUB, 'localhosts/app', 'docker.io/localhosts/app:latest', 'localhosts/app'],
  ['org/example.com:80', HUB, 'org/example.com', 'docker.io/org/example.com:80', 'org/example.com:80'],
  [`app@${SHA256}`, HUB, 'library/app', `docker.io/library/app@${SHA256}`, `app@${SHA256}`],
  [`app:1@${SHA256}`, HUB, 'library/app', `docker.io/library/app:1@${SHA256}`, `app:1@${SHA256}`],
  [`o/app@${SHA384}`, HUB, 'o/app', `docker.io/o/app@${SHA384}`, `o/app@${SHA384}`],
  [`o/app@${SHA512}`, HUB, 'o/app', `docker.io/o/app@${SHA512}`, `o/app@${SHA512}`],
  ['sha256:abc', HUB, 'library/sha256', 'docker.io/library/sha256:abc', 'sha256:abc'],
  // One digit short of an image ID, and one more than it.
  [
    'a'.repeat(63),
    HUB,
    `library/${'a'.repeat(63)}`,
    `docker.io/library/${'a'.repeat(63)}:latest`,
    'a'.repeat(63),
  ],
  [
    'a'.repeat(65),
    HUB,
    `library/${'a'.repeat(65)}`,
    `docker.io/library/${'a'.repeat(65)}:latest`,
    'a'.repeat(65),
  ],
  [
    `app:${'t'.repeat(128)}`,
    HUB,
    'library/app',
    `docker.io/library/app:${'t'.repeat(128)}`,
    `app:${'t'.repeat(128)}`,
  ],
  // "library/" counts: 8 + 247 characters.
  [
    `${'x'.repeat(247)}`,
    HUB,
    `library/${'x'.repeat(247)}`,
    `docker.io/library/${'x'.repeat(247)}:latest`,
    'x'.repeat(247),
  ],
];

const EXPLICIT: readonly Valid[] = [
  ['docker.io/app:dev', HUB, 'library/app', 'docker.io/library/app:dev', 'app:dev'],
  ['docker.io/library/app:dev', HUB, 'library/app', 'docker.io/library/app:dev', 'app:dev'],
  ['docker.io/myorg/app:dev', HUB, 'myorg/app', 'docker.io/myorg/app:dev', 'myorg/app:dev'],
  ['docker.io/library/a/b', HUB, 'library/a/b', 'docker.io/library/a/b:latest', 'library/a/b'],
  ['index.docker.io/app', HUB, 'library/app', 'docker.io/library/app:latest', 'app'],
  ['index.docker.io/library/app', HUB, 'library/app', 'docker.io/library/app:latest', 'app'],
  ['index.docker.io/o/app:1', HUB, 'o/app', 'docker.io/o/app:1', 'o/app:1'],
  ['Docker.io/app', 'Docker.io', 'app', 'Docker.io/app:latest', 'Docker.io/app'],
  [
    'registry-1.docker.io/app',
    'registry-1.docker.io',
    'app',
    'registry-1.docker.io/app:latest',
    'registry-1.docker.io/app',
  ],
  [
    `docker.io/${'0a'.repeat(32)}`,
    HUB,
    `library/${'0a'.repeat(32)}`,
    `docker.io/library/${'0a'.repeat(32)}:latest`,
    '0a'.repeat(32),
  ],
  ['gcr.io/foo/bar:dev', 'gcr.io', 'foo/bar', 'gcr.io/foo/bar:dev', 'gcr.io/foo/bar:dev'],
  ['gcr.io/bar', 'gcr.io', 'bar', 'gcr.io/bar:latest', 'gcr.io/bar'],
  ['gcr.io/library/bar', 'gcr.io', 'library/bar', 'gcr.io/library/bar:latest', 'gcr.io/library/bar'],
  ['localhost/foo:dev', 'localhost', 'foo', 'localhost/foo:dev', 'localhost/foo:dev'],
  ['localhost:5000/foo:dev', 'localhost:5000', 'foo', 'localhost:5000/foo:dev', 'localhost:5000/foo:dev'],
  ['registry:5000/foo', 'registry:5000', 'foo', 'registry:5000/foo:latest', 'registry:5000/foo'],
  ['registry:5000/foo:5000', 'registry:5000', 'foo', 'registry:5000/foo:5000', 'registry:5000/foo:5000'],
  ['my-reg.lan:1/a/b', 'my-reg.lan:1', 'a/b', 'my-reg.lan:1/a/b:latest', 'my-reg.lan:1/a/b'],
  ['xn--n3h.com/a:b', 'xn--n3h.com', 'a', 'xn--n3h.com/a:b', 'xn--n3h.com/a:b'],
  ['10.0.0.1/app', '10.0.0.1', 'app', '10.0.0.1/app:latest', '10.0.0.1/app'],
  ['10.0.0.1:5000/app:1', '10.0.0.1:5000', 'app', '10.0.0.1:5000/app:1', '10.0.0.1:5000/app:1'],
  ['[::1]/app', '[::1]', 'app', '[::1]/app:latest', '[::1]/app'],
  ['[::1]:5000/app:1', '[::1]:5000', 'app', '[::1]:5000/app:1', '[::1]:5000/app:1'],
  ['[2001:db8::]:80/a/b', '[2001:db8::]:80', 'a/b', '[2001:db8::]:80/a/b:latest', '[2001:db8::]:80/a/b'],
  ['[FE80::A]/app', '[FE80::A]', 'app', '[FE80::A]/app:latest', '[FE80::A]/app'],
  [`[::1]/app:1@${SHA256}`, '[::1]', 'app', `[::1]/app:1@${SHA256}`, `[::1]/app:1@${SHA256}`],
  ['MyOrg/app', 'MyOrg', 'app', 'MyOrg/app:latest', 'MyOrg/app'],
  ['REG/a/b:C', 'REG', 'a/b', 'REG/a/b:C', 'REG/a/b:C'],
  ['r.io/a.b_c__d-e---f:1', 'r.io', 'a.b_c__d-e---f', 'r.io/a.b_c__d-e---f:1', 'r.io/a.b_c__d-e---f:1'],
  [`r.io/app@${SHA512}`, 'r.io', 'app', `r.io/app@${SHA512}`, `r.io/app@${SHA512}`],
  // The limit leaves the host out.
  [
    `r.io/${'x'.repeat(255)}`,
    'r.io',
    'x'.repeat(255),
    `r.io/${'x'.repeat(255)}:latest`,
    `r.io/${'x'.repeat(255)}`,
  ],
  // A host with an underscore is a path without a domain.
  ['my_reg.lan/app:1', '', 'my_reg.lan/app', 'my_reg.lan/app:1', 'my_reg.lan/app:1'],
];

/** Text, column of the caret in the shown text, what the message says. */
type Invalid = readonly [string, number, RegExp];

const CASE = /must be in lower case/;
const NAME = /in the repository name/;
const HOST = /in the registry host/;
const TAG = /in the tag/;
const DIGEST = /in the digest/;

const INVALID: readonly Invalid[] = [
  ['', 0, /it is empty/],
  ['0a'.repeat(32), 0, /image ID/],
  ['App', 0, CASE],
  ['App:tag', 0, CASE],
  ['myorg/App:dev', 6, CASE],
  ['MyOrg/App', 6, CASE],
  ['myApp', 2, CASE],
  ['r.io/myorg/App:X', 11, CASE],
  ['docker.io/App', 10, CASE],
  ['localhost:5000/Up/low:tag', 15, CASE],
  ['my_reg.lan/App', 11, CASE],
  ['Änderung', 0, NAME],
  ['-app', 0, NAME],
  ['_app', 0, NAME],
  ['.app', 0, NAME],
  ['/app', 0, NAME],
  [':tag', 0, NAME],
  [`@${SHA256}`, 0, NAME],
  ['-org/app', 0, NAME],
  ['-r.io/app', 0, HOST],
  ['app-', 4, /repository name is missing or ends too early/],
  ['app/', 4, /repository name is missing or ends too early/],
  ['r.io/', 5, /repository name is missing or ends too early/],
  ['docker.io/', 10, /repository name is missing or ends too early/],
  ['a..b', 2, NAME],
  ['a._b', 2, NAME],
  ['a_.b/c', 2, NAME],
  ['a-.b', 2, NAME],
  ['a___b', 3, NAME],
  ['a//b', 2, NAME],
  ['r.io/a//b', 7, NAME],
  ['org-/app', 4, NAME],
  ['org/ap$p/x', 6, NAME],
  ['org\\app', 3, NAME],
  ['r..io/app', 2, HOST],
  ['r.io-/app', 5, HOST],
  ['user@r.io/app', 5, DIGEST],
  ['[::1]', 5, /registry host is missing or ends too early/],
  ['[::1]:5000', 10, /port is missing or ends too early/],
  ['[::1]:tag', 6, /in the port/],
  ['[]/app', 1, HOST],
  ['[abc]/app', 5, HOST],
  ['[fe80::1%eth0]:5000/app', 8, HOST],
  ['[2001:db8::192.0.2.1]/app', 14, HOST],
  ['fc00::1:5000/app', 5, /in the port/],
  ['r.io:/app', 5, /in the port/],
  ['https://r.io/app', 6, /begins with the scheme https:\/\//],
  ['docker://app:1', 7, /begins with the scheme docker:\/\//],
  ['app:', 4, /tag is missing or ends too early/],
  ['app:-x', 4, TAG],
  ['app:.x', 4, TAG],
  ['app:a:b', 5, TAG],
  ['app:feature/login', 11, /"\/" cannot stand here in the tag/],
  ['org/app:feature/login', 15, /"\/" cannot stand here in the tag/],
  ['app:a+b', 5, TAG],
  [`app:@${SHA256}`, 4, TAG],
  [' app', 0, /white space/],
  ['app:dev ', 7, /white space/],
  ['my app', 2, /white space/],
  ['app\n', 3, /white space/],
  ['app\u0000x', 3, /"\\u\{0\}" cannot stand here/],
  ['app:dév', 5, /"é" cannot stand here in the tag/],
  ['app@', 4, /digest is missing or ends too early/],
  ['app@sha256', 10, /digest is missing or ends too early/],
  ['app@sha256:', 11, /digest is missing or ends too early/],
  ['app@sha256:abc', 14, /digest is missing or ends too early/],
  [`app@sha256:${'f'.repeat(34)}x`, 45, DIGEST],
  ['app@sha1:0000000000000000000000000000000000000000', 7, DIGEST],
  ['app@md5:00000000000000000000000000000000', 4, DIGEST],
  ['app@SHA256:x', 4, DIGEST],
  [`app@sha256:${'F'.repeat(64)}`, 11, DIGEST],
  ['app@sha256:abc@sha256:abc', 14, DIGEST],
];

function refusalOf(text: string): TiltbuildError {
  try {
    parseReference(text);
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was taken`);
}

describe('parseReference', () => {
  for (const [cases, explicitDomain] of [[IMPLICIT, false] as const, [EXPLICIT, true] as const]) {
    for (const [text, domain, path, canonical, familiar] of cases) {
      it(`takes ${text}`, () => {
        const reference = parseReference(text);
        expect(reference).to.include({domain, path, explicitDomain}).and.to.be.frozen;
        expect(canonicalReference(reference)).to.equal(canonical);
        expect(familiarReference(reference)).to.equal(familiar);
        expect(canonical.startsWith(canonicalName(reference))).to.equal(true);
      });
    }
  }

  it('separates tag and digest, and has no key for what is not written', () => {
    expect(parseReference(`r.io/a:1@${SHA256}`)).to.include({tag: '1', digest: SHA256});
    expect(parseReference('r.io/a')).to.have.all.keys('domain', 'path', 'explicitDomain');
  });

  for (const [text, column, says] of INVALID) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const error = refusalOf(text);
      expect(error.code).to.equal('invalid-reference');
      expect(error.message).to.match(says);
      expect(error.detail).to.have.lengthOf(2);
      expect(error.detail[1]).to.equal(`${' '.repeat(column)}^`);
      expect(error.remedy).to.not.be.empty;
    });
  }

  it('says that a name, a tag or a digest is too long', () => {
    expect(refusalOf('x'.repeat(248)).message).to.match(/repository name is too long/);
    expect(refusalOf(`r.io/${'x'.repeat(256)}`).message).to.match(/repository name is too long/);
    expect(refusalOf(`app:${'t'.repeat(129)}`).message).to.match(/tag is too long/);
    expect(refusalOf(`app@${SHA256}0`).message).to.match(/digest is too long/);
  });

  it('offers what would do', () => {
    expect(refusalOf('MyOrg/App:Dev').remedy).to.deep.equal(['Write it as myorg/app:Dev']);
    expect(refusalOf('https://r.io/app:1').remedy).to.deep.equal(['Write it as r.io/app:1']);
    expect(refusalOf(' app:1\n').remedy).to.deep.equal(['Write it as app:1']);
  });

  it('offers the rule where nothing near would do', () => {
    expect(refusalOf('Org/Ap$p').remedy[0]).to.match(/^A repository name has/);
    expect(refusalOf('app:a+b').remedy[0]).to.match(/^A tag has/);
  });
});

describe('pointAt', () => {
  it('escapes what would shift the caret', () => {
    expect(pointAt('a\n\u001b\u0301\u200b$', 5)).to.deep.equal([
      'a\\n\\u{1b}\\u{301}\\u{200b}$',
      `${' '.repeat(24)}^`,
    ]);
  });

  it('counts code points', () => {
    expect(pointAt('😀$', 2)).to.deep.equal(['😀$', ' ^']);
  });

  it('shows the surroundings only where the text is long', () => {
    const [shown, caret] = pointAt(`${'x'.repeat(500)}$${'y'.repeat(500)}`, 500);
    expect(shown).to.equal(`…${'x'.repeat(60)}$${'y'.repeat(39)}…`);
    expect(caret).to.equal(`${' '.repeat(61)}^`);
  });
});
