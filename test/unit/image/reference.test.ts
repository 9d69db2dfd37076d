/** Covers the grammar of image references, and the error for a text that is none. */
import {expect} from 'chai';
import {
  canonicalName,
  canonicalReference,
  familiarReference,
  parseReference,
} from '../../../src/image/reference.ts';
import {pointAt} from '../../../src/image/reference-fault.ts';
import {hintsOf, refusalOf} from '../../helpers/caught.ts';

const SHA256 = `sha256:${'0123456789abcdef'.repeat(4)}`;
const SHA384 = `sha384:${'0123456789abcdef'.repeat(6)}`;
const SHA512 = `sha512:${'0123456789abcdef'.repeat(8)}`;
const [A63, A65, T128] = ['a'.repeat(63), 'a'.repeat(65), 't'.repeat(128)];
const [X247, X255, IMAGE_ID] = ['x'.repeat(247), 'x'.repeat(255), '0a'.repeat(32)];

/** What stands before a familiar name in its canonical form ("-": nothing), and such names. */
const FAMILIAR = `
  docker.io/library/   app a 0 app:dev app:DEV app:_x.Y-z app:5000 app.io app.io:tag 10.0.0.1:5000 localhost
  docker.io/library/   localhost:5000 app@${SHA256} app:1@${SHA256} sha256:abc ${A63} ${A65} app:${T128} ${X247}
  docker.io/           myorg/app:dev myorg/library library/a/b a/b/c/d:1 my_org/app my__org/app my-----org/a--b
  docker.io/           localhosts/app org/example.com:80 o/app@${SHA384} o/app@${SHA512}
  -                    Docker.io/app registry-1.docker.io/app gcr.io/foo/bar:dev gcr.io/bar gcr.io/library/bar
  -                    localhost/foo:dev localhost:5000/foo:dev registry:5000/foo registry:5000/foo:5000
  -                    my-reg.lan:1/a/b xn--n3h.com/a:b 10.0.0.1/app 10.0.0.1:5000/app:1 [::1]/app [::1]:5000/app:1
  -                    [2001:db8::]:80/a/b [FE80::A]/app [::1]/app:1@${SHA256} MyOrg/app REG/a/b:C
  -                    r.io/a.b_c__d-e---f:1 r.io/app@${SHA512} r.io/${X255}
`;

/** Text, canonical reference, familiar reference. */
const OTHERS = `
  library/app                   docker.io/library/app:latest    app
  docker.io/app:dev             docker.io/library/app:dev       app:dev
  docker.io/library/app:dev     docker.io/library/app:dev       app:dev
  docker.io/myorg/app:dev       docker.io/myorg/app:dev         myorg/app:dev
  docker.io/library/a/b         docker.io/library/a/b:latest    library/a/b
  index.docker.io/app           docker.io/library/app:latest    app
  index.docker.io/library/app   docker.io/library/app:latest    app
  index.docker.io/o/app:1       docker.io/o/app:1               o/app:1
  docker.io/${IMAGE_ID}         docker.io/library/${IMAGE_ID}:latest   ${IMAGE_ID}
`;

/** What the message says, and texts with a ▸ where the caret stands. */
const INVALID = `
  it is empty                               ▸
  image ID                                  ▸${IMAGE_ID}
  must be in lower case                     ▸App ▸App:tag myorg/▸App:dev MyOrg/▸App my▸App r.io/myorg/▸App:X
  must be in lower case                     docker.io/▸App localhost:5000/▸Up/low:tag my_reg.lan/▸App
  in the repository name                    ▸Änderung ▸-app ▸_app ▸.app ▸/app ▸:tag ▸@${SHA256} ▸-org/app
  in the repository name                    a.▸.b a.▸_b a_▸.b/c a-▸.b a__▸_b a/▸/b r.io/a/▸/b org-▸/app org/ap▸$p/x org▸\\app
  repository name is missing or ends too early   app-▸ app/▸ r.io/▸ docker.io/▸
  in the registry host                      ▸-r.io/app r.▸.io/app r.io-▸/app [▸]/app [abc]▸/app
  in the registry host                      [fe80::1▸%eth0]:5000/app [2001:db8::192▸.0.2.1]/app
  registry host is missing or ends too early   [::1]▸
  port is missing or ends too early         [::1]:5000▸
  in the port                               [::1]:▸tag fc00:▸:1:5000/app r.io:▸/app
  starts with the scheme https://           https:▸//r.io/app
  starts with the scheme docker://          docker:▸//app:1
  tag is missing or ends too early          app:▸
  in the tag                                app:▸-x app:▸.x app:a▸:b app:a▸+b app:▸@${SHA256}
  "/" is not allowed here in the tag        app:feature▸/login org/app:feature▸/login
  "é" is not allowed here in the tag        app:d▸év
  "\\u{0}" is not allowed here              app▸\u0000x
  digest is missing or ends too early       app@▸ app@sha256▸ app@sha256:▸ app@sha256:abc▸
  in the digest                             user@▸r.io/app app@sha256:${'f'.repeat(34)}▸x app@sha▸1:${'0'.repeat(40)}
  in the digest                             app@▸md5:${'0'.repeat(32)} app@▸SHA256:x app@sha256:▸${'F'.repeat(64)}
  in the digest                             app@sha256:abc▸@sha256:abc
`;

const readTable = (table: string, gap = / +/) =>
  table
    .slice(1, -1)
    .split('\n')
    .map((line) => line.trimStart().split(gap));

/** A row is a title and its texts; gives the title with each text. */
const readGroups = (table: string) =>
  readTable(table, / {3,}/).flatMap(([title = '', texts = '']) =>
    texts.split(' ').map((text) => [title, text] as const),
  );

/** Adds the tag that a canonical reference has where neither tag nor digest is written. */
const withTag = (name: string) => (/[:@][^/]*$/.test(name) ? name : `${name}:latest`);

describe('parseReference', () => {
  const valid = [
    ...readGroups(FAMILIAR).map(([prefix, text]) => {
      const hasHost = prefix === '-';
      return [text, withTag(hasHost ? text : prefix + text), text, hasHost];
    }),
    ...readTable(OTHERS).map((row) => [...row, row[0] !== 'library/app']),
  ] as [string, string, string, boolean][];
  for (const [text, canonical, familiar, explicitDomain] of valid) {
    it(`accepts ${text}`, () => {
      const [domain = ''] = canonical.split('/', 1);
      const path = canonical.slice(domain.length + 1).replace(/[:@].*/, '');
      const reference = parseReference(text);
      expect(reference).to.include({domain, path, explicitDomain}).and.to.be.frozen;
      expect(canonicalReference(reference)).to.equal(canonical);
      expect(familiarReference(reference)).to.equal(familiar);
      expect(canonicalName(reference)).to.equal(`${domain}/${path}`);
    });
  }

  it('takes a host with an underscore for a path without a domain', () => {
    const reference = parseReference('my_reg.lan/app:1');
    expect(reference).to.include({domain: '', path: 'my_reg.lan/app', explicitDomain: true});
    expect([canonicalReference(reference), familiarReference(reference)]).to.deep.equal(
      Array(2).fill('my_reg.lan/app:1'),
    );
  });

  const spaces = ['▸ app', 'app:dev▸ ', 'my▸ app', 'app▸\n'].map((text) => ['white space', text] as const);
  for (const [says, marked] of [...readGroups(INVALID), ...spaces]) {
    it(`rejects ${JSON.stringify(marked)}: ${says}`, () => {
      const error = refusalOf(() => parseReference(marked.replace('▸', '')));
      expect(error.code).to.equal('invalid-reference');
      expect(error.message).to.contain(says);
      expect(error.detail).to.have.lengthOf(2);
      expect(error.detail[1]).to.equal(`${' '.repeat(marked.indexOf('▸'))}^`);
      expect(error.remedy).to.not.be.empty;
    });
  }

  for (const [text, message, hint] of [
    ['x'.repeat(248), 'repository name is too long', 'A repository name has'],
    [`r.io/${'x'.repeat(256)}`, 'repository name is too long', 'A repository name has'],
    [`app:${'t'.repeat(129)}`, 'tag is too long', 'A tag has'],
    [`app@${SHA256}0`, 'digest is too long', 'A digest is'],
    ['MyOrg/App:Dev', 'lower case', 'Use myorg/app:Dev instead.'],
    ['https://r.io/app:1', 'scheme', 'Use r.io/app:1 instead.'],
    [' app:1\n', 'white space', 'Use app:1 instead.'],
    ['Org/Ap$p', 'lower case', 'A repository name has'],
    ['app:a+b', 'not allowed', 'A tag has'],
  ] as const) {
    it(`says that ${JSON.stringify(text.slice(0, 20))} is invalid (${message}), and suggests: ${hint}`, () => {
      const error = refusalOf(() => parseReference(text));
      expect(error.message).to.contain(message);
      expect(hintsOf(error)).to.contain(hint);
    });
  }
});

describe('pointAt', () => {
  const hidden = ['a\\n\\u{1b}\\u{301}\\u{200b}$', `${' '.repeat(24)}^`];
  const shortened = [`…${'x'.repeat(60)}$${'y'.repeat(39)}…`, `${' '.repeat(61)}^`];
  for (const [what, text, at, lines] of [
    ['escapes what would shift the caret', 'a\n\u001b\u0301\u200b$', 5, hidden],
    ['counts code points', '😀$', 2, ['😀$', ' ^']],
    ['shortens a long text', `${'x'.repeat(500)}$${'y'.repeat(500)}`, 500, shortened],
  ] as const) {
    it(what, () => expect(pointAt(text, at)).to.deep.equal(lines));
  }
});
