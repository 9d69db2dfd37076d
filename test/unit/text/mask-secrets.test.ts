/** Covers that no secret is in what we show. */
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
    it(`hides it in ${text.replaceAll('hunter2', '…')}`, () => {
      expect(maskText(text)).to.include('***').and.not.include('hunter2');
    });
  }

  it('leaves a stack as it is', () => {
    const stack = 'TypeError: x is no function\n    at readToken (/a/b/token-reader.ts:12:3)';
    expect(maskText(stack)).to.equal(stack);
  });
});

describe('maskSecrets', () => {
  for (const [words, masked] of [
    [
      ['--build-arg', 'NPM_TOKEN=hunter2'],
      ['--build-arg', 'NPM_TOKEN=***'],
    ],
    [['--build-arg=DB_PASSWORD=hunter2'], ['--build-arg=DB_PASSWORD=***']],
    [
      ['--build-arg', 'VERSION=1'],
      ['--build-arg', 'VERSION=1'],
    ],
    [
      ['--build-arg', 'AUTHOR=me'],
      ['--build-arg', 'AUTHOR=me'],
    ],
    [
      ['--build-arg', 'NPM_TOKEN'],
      ['--build-arg', 'NPM_TOKEN'],
    ],
    [
      ['--cache-to', 'type=s3,bucket=b,secret_access_key=hunter2,region=r'],
      ['--cache-to', 'type=s3,bucket=b,secret_access_key=***,region=r'],
    ],
    [['--cache-from=type=gha,token=hunter2'], ['--cache-from=type=gha,token=***']],
    [
      ['--secret', 'id=token,src=/x'],
      ['--secret', 'id=token,src=/x'],
    ],
    [
      ['--label', 'https://me:hunter2@host'],
      ['--label', 'https://me:***@host'],
    ],
  ] as const) {
    it(`makes ${masked.join(' ')}`, () => expect(maskSecrets(words)).to.deep.equal(masked));
  }
});

describe('maskUrlPassword', () => {
  for (const [text, masked] of [
    ['https://me:hunter2@host/x.git#main', 'https://me:***@host/x.git#main'],
    ['https://:hunter2@host', 'https://:***@host'],
    ['https://hunter2@host/x', 'https://***@host/x'],
    ['HTTPS_PROXY=http://me:hunter2@proxy:3128', 'HTTPS_PROXY=http://me:***@proxy:3128'],
    ['a=http://u:hunter2@h,b=socks5://v:hunter2@i', 'a=http://u:***@h,b=socks5://v:***@i'],
    ['https://me:hunter2:hunter2@host', 'https://me:***@host'],
    ['git+ssh://git:hunter2@host/x', 'git+ssh://git:***@host/x'],
    ['https://host/x', 'https://host/x'],
    ['https://host/a@b', 'https://host/a@b'],
    ['https://host:8080/a:b@c', 'https://host:8080/a:b@c'],
    ['git@github.com:me/x.git', 'git@github.com:me/x.git'],
    ['me:pass@host', 'me:pass@host'],
    ['app@sha256:0123', 'app@sha256:0123'],
    // As URL parsers take it, the last @ before the path ends the password.
    ['https://me:hunter2@hunter2@host/x', 'https://me:***@host/x'],
  ] as const) {
    it(`makes ${masked} of ${text.replaceAll('hunter2', '…')}`, () => {
      expect(maskUrlPassword(text)).to.equal(masked);
    });
  }
});
