/** Covers that no secret appears in what we show, and that what is no secret does. */
import {expect} from 'chai';
import fc from 'fast-check';
import {
  hideSecret,
  looksLikeVariable,
  maskSecrets,
  maskText,
  maskTrace,
} from '../../../src/text/mask-secrets.ts';

const GITHUB = `ghp_${'hunter2'.repeat(4)}`;

describe('maskText', () => {
  for (const masked of [
    'https://me:***@host/x.git#main',
    'HTTPS://me:***@host',
    'invalid proxy-url "://me:***@proxy:3128"',
    'https://***@github.com/a/b.git#main',
    'git clone https://***:***@github.com/a/b: exit status 128',
    'parse "http://me:***@proxy:3128": no host',
    'https:\\/\\/me:***@host',
    'a=http://u:***@h,b=socks5://v:***@i',
    'git+ssh://git:***@host/x',
    'https%3A%2F%2F***%40host',
    'HTTPS_PROXY=me:***@proxy:3128',
    'proxy-url "me:***@10.0.0.1:3128"',
    'https://host/x?token=***&x=1',
    'https://host/x?a=1&access_token=***',
    'https://bucket/x?X-Amz-Expires=60&X-Amz-Signature=***&X-Amz-Security-Token=***',
    'https://account/x?sv=1&sig=***&key=***',
    'https://host/?secret=***',
    'type=gha,url=x,token=***,scope=y',
    'type=s3,bucket=b,secret_access_key=***,region=r',
    'NPM_TOKEN=*** npm install',
    'kubelogin --password=*** failed',
    'Authorization: Bearer ***',
    'Proxy-Authorization: Basic ***',
    'Bearer *** was refused',
    'the login *** is gone',
  ]) {
    it(`makes ${masked}, which stays as it is`, () => {
      const secret = /^(?:Bearer|the login) /.test(masked) ? GITHUB : 'hunter2';
      const [text = ''] = [masked.replaceAll('***', secret)];
      expect(maskText(text.replace(`${secret}:${secret}@`, `${secret}:x-oauth-basic@`))).to.equal(masked);
      expect(maskText(masked)).to.equal(masked);
    });
  }

  // For URL parsers, the last @ before the path ends the password; people do not always encode it.
  for (const login of [
    'me:hunter2:hunter2',
    'me:p@hunter2',
    'me:hunter2%40x',
    'me:hun/hunter2',
    'me:#hunter2?',
  ]) {
    it(`masks all of a password such as ${login.replaceAll('hunter2', '…')}`, () => {
      expect(maskText(`https://${login}@host/x`)).to.equal('https://me:***@host/x');
    });
  }

  it('masks whatever password there is, once', () => {
    // With an @ and a slash behind it, a password could not be told from a host and a path.
    const unlike = (ends: RegExp) =>
      fc.string({maxLength: 12}).map((text) => `S3${text.replaceAll(ends, '')}cret`);
    const password = fc.oneof(unlike(/[\s"'<>/?#]/g), unlike(/[\s"'<>@]/g));
    const encode = encodeURIComponent;
    fc.assert(
      fc.property(password, (secret) => {
        for (const text of [
          `x https://me:${secret}@host/x y`,
          `parse "https://me:${secret}@host": no`,
          `https://host:80/a,https://me:${secret}@host`,
          `to=${encode(`https://me:${encode(secret)}@host`)}`,
          `https://host/?a=1&token=${encode(secret)}&b=2`,
        ]) {
          const masked = maskText(text);
          expect(masked).not.to.include('cret');
          expect(maskText(masked)).to.equal(masked);
        }
      }),
      {numRuns: 1000},
    );
  });

  it('masks a password behind a user name with an @', () => {
    expect(maskText('https://me@corp.com:hunter2@host')).to.equal('https://me@corp.com:***@host');
  });

  for (const text of [
    'https://host/x',
    'https://host/a@b',
    'https://host:8080/a:b@c',
    'https://[::1]:6443/a@b',
    'https://auth.docker.io/token?scope=repository%3Aa%3Apull&service=registry.docker.io',
    'git@github.com:me/x.git#main',
    'ssh://git@github.com/me/x.git',
    `ghcr.io/me/app:1.0@sha256:${'0123456789abcdef'.repeat(4)}`,
    'pull secret: docker-registry',
    '--registry-secret=ghcr',
    "kubectl_build(…, registry_secret='NAME')",
    "kubectl_build(…, secret=['id=ID,src=FILE'])",
    '--docker-username=USER --docker-password=PASSWORD',
    '--secret id=token,src=/run/tokens/x',
    'type=image,name=x,push=true',
    'key=value:Effect',
    'Basic authentication is off',
    'secrets "token" is forbidden: User "system:serviceaccount:a:b" cannot get resource "secrets"',
    'TypeError: x is no function\n    at readToken (/a/b/token-reader.ts:12:3)',
  ]) {
    it(`leaves ${text}`, () => {
      expect(maskText(text)).to.equal(text);
    });
  }
});

describe('maskTrace', () => {
  for (const text of [
    '{"token":"hunter2"}',
    "password = 'hunter2'",
    'client-key-data: hunter2',
    'https://me:hunter2@host',
    `eyJ${'hunter2'.repeat(3)}.hunter2.hunter2`,
    `-----${'hunter2'.repeat(20)}==`,
  ]) {
    it(`masks ${text.replaceAll('hunter2', '…')}`, () => {
      expect(maskTrace(text)).to.include('***').and.not.include('hunter2');
    });
  }

  it('leaves a stack trace as it is', () => {
    const stack = 'TypeError: x is no function\n    at readToken (/a/b/token-reader.ts:12:3)';
    expect(maskTrace(stack)).to.equal(stack);
  });
});

describe('maskSecrets', () => {
  for (const masked of [
    '--build-arg NPM_TOKEN=***',
    '--build-arg=DB_PASSWORD=***',
    '--build-arg VERSION=1',
    '--build-arg AUTHOR=me',
    '--build-arg NPM_TOKEN',
    '--build-arg PROXY=http://me:***@proxy',
    '--cache-to type=s3,bucket=b,secret_access_key=***,region=r',
    '--cache-from=type=gha,token=***',
    '--secret id=token,src=/x',
    '--label https://me:***@host',
  ]) {
    it(`makes ${masked}`, () => {
      expect(maskSecrets(masked.replace('***', 'hunter2').split(' '))).to.deep.equal(masked.split(' '));
    });
  }
});

describe('a word where a name should be', () => {
  for (const word of [GITHUB, 'a1b2c3d4e5f6a1b2c3d4e5f6', 'https://me:hunter2@host']) {
    it(`is hidden: ${word}`, () => expect(hideSecret(word)).to.equal('***'));
  }

  for (const word of [
    'npm',
    'aws-credentials',
    'NPM_TOKEN',
    './secrets/v2/npm-registry-token.txt',
    'id_ed25519',
  ])
    it(`is shown: ${word}`, () => expect(hideSecret(word)).to.equal(word));

  for (const [word, isOne] of [
    ...['NPM_TOKEN', 'AWS_S3_KEY2', 'K8S_TOKEN', '_X', 'OAUTH2', 'npm_config_authtoken'].map(
      (w) => [w, true] as const,
    ),
    ...[GITHUB, 'hunter2', 'JBSWY3DPEHPK3PXP', 'correct-horse', 'Sup3rGeheim', 'npm_a1b2c3'].map(
      (w) => [w, false] as const,
    ),
  ])
    it(`is ${isOne ? 'a' : 'no'} variable: ${word}`, () => expect(looksLikeVariable(word)).to.equal(isOne));
});
