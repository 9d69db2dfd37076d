/** Covers that no secret appears in what we show. */
import {expect} from 'chai';
import {maskSecrets, maskText, maskUrlPassword} from '../../../src/text/mask-secrets.ts';

describe('maskText', () => {
  for (const text of [
    'Authorization: Bearer hunter2',
    '{"token":"hunter2"}',
    "password = 'hunter2'",
    'DB_PASSWORD=hunter2',
    'client-key-data: hunter2',
    'https://me:hunter2@host',
    `eyJ${'hunter2'.repeat(3)}.hunter2.hunter2`,
    `-----${'hunter2'.repeat(20)}==`,
  ]) {
    it(`masks ${text.replaceAll('hunter2', '…')}`, () => {
      expect(maskText(text)).to.include('***').and.not.include('hunter2');
    });
  }

  it('leaves a stack trace as it is', () => {
    const stack = 'TypeError: x is no function\n    at readToken (/a/b/token-reader.ts:12:3)';
    expect(maskText(stack)).to.equal(stack);
  });
});

describe('maskSecrets', () => {
  for (const masked of [
    '--build-arg NPM_TOKEN=***',
    '--build-arg=DB_PASSWORD=***',
    '--build-arg VERSION=1',
    '--build-arg AUTHOR=me',
    '--build-arg NPM_TOKEN',
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

describe('maskUrlPassword', () => {
  for (const masked of [
    'https://me:***@host/x.git#main',
    'https://:***@host',
    'https://***@host/x',
    'HTTPS_PROXY=http://me:***@proxy:3128',
    'a=http://u:***@h,b=socks5://v:***@i',
    'git+ssh://git:***@host/x',
    'https://host/x',
    'https://host/a@b',
    'https://host:8080/a:b@c',
    'git@github.com:me/x.git',
    'me:pass@host',
    'app@sha256:0123',
  ]) {
    it(`makes ${masked}`, () =>
      expect(maskUrlPassword(masked.replaceAll('***', 'hunter2'))).to.equal(masked));
  }

  // For URL parsers, the last @ before the path ends the password.
  for (const password of ['hunter2:hunter2', 'hunter2@hunter2']) {
    it(`masks all of ${password.replaceAll('hunter2', '…')}`, () => {
      expect(maskUrlPassword(`https://me:${password}@host/x`)).to.equal('https://me:***@host/x');
    });
  }
});
