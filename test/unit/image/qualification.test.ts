/** Covers which tags are built under which name, and which are refused. */
import {expect} from 'chai';
import {TiltbuildError} from '../../../src/errors.ts';
import type {QualificationPolicy, QualifiedTag} from '../../../src/image/qualification.ts';
import {parseTags, qualifyTags} from '../../../src/image/qualification.ts';

const elsewhere: QualificationPolicy = {refuseUnqualified: false, qualify: false};
const onKind: QualificationPolicy = {refuseUnqualified: true, qualify: false};

function qualify(tags: readonly string[], policy: QualificationPolicy): readonly QualifiedTag[] {
  return qualifyTags(parseTags(tags), policy);
}

function refusalOf(run: () => unknown): TiltbuildError {
  try {
    run();
  } catch (error) {
    if (error instanceof TiltbuildError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('parseTags', () => {
  it('keeps what was typed', () => {
    const [tag] = parseTags(['myorg/app:dev']);
    expect(tag?.given).to.equal('myorg/app:dev');
    expect(tag?.reference).to.include({domain: 'docker.io', path: 'myorg/app', tag: 'dev'});
  });

  it('refuses what is no reference', () => {
    expect(refusalOf(() => parseTags(['app:dev', 'App:dev'])).code).to.equal('invalid-reference');
  });

  it('refuses a digest, as docker does', () => {
    const error = refusalOf(() => parseTags([`r.io/app:1@sha256:${'0'.repeat(64)}`]));
    expect(error.code).to.equal('invalid-reference');
    expect(error.detail).to.deep.equal([`r.io/app:1@sha256:${'0'.repeat(64)}`, `${' '.repeat(10)}^`]);
    expect(error.remedy).to.deep.equal(['Leave the digest out: r.io/app:1']);
  });
});

describe('qualifyTags', () => {
  for (const policy of [elsewhere, onKind, {...onKind, qualify: true}]) {
    describe(JSON.stringify(policy), () => {
      it('leaves canonical names alone', () => {
        const tags = ['docker.io/library/app:dev', 'gcr.io/a/b:dev', 'localhost:5000/app:1'];
        expect(qualify(tags, policy).map(({canonical, note}) => [canonical, note])).to.deep.equal(
          tags.map((tag) => [tag, undefined]),
        );
      });

      it('completes a tag without a note', () => {
        const [tag] = qualify(['gcr.io/a/b'], policy);
        expect(tag).to.include({canonical: 'gcr.io/a/b:latest'}).and.not.have.property('note');
      });

      it('rewrites a short name that has a host, with a note', () => {
        const tags = qualify(['docker.io/app:dev', 'index.docker.io/myorg/app'], policy);
        expect(tags.map(({note}) => note)).to.deep.equal([
          'tag "docker.io/app:dev" is built as docker.io/library/app:dev, the name that the kubelet looks for',
          'tag "index.docker.io/myorg/app" is built as docker.io/myorg/app:latest, the name that the kubelet looks for',
        ]);
      });

      it("takes Tilt's own reference silently", () => {
        const [tag] = qualify(['myorg/web:tilt-build-1'], {...policy, expectedRef: 'myorg/web:tilt-build-1'});
        expect(tag).to.include({canonical: 'docker.io/myorg/web:tilt-build-1'}).and.not.have.property('note');
      });

      it('builds the same name once, as it was typed first', () => {
        const tags = qualify(['r.io/app', 'r.io/b:1', 'r.io/app:latest', 'r.io/b:1'], policy);
        expect(tags.map(({given}) => given)).to.deep.equal(['r.io/app', 'r.io/b:1']);
      });
    });
  }

  it('makes a name canonical with a note where it is not refused', () => {
    const note =
      'tag "myorg/app:dev" is built as docker.io/myorg/app:dev, the name that the kubelet looks for';
    for (const policy of [elsewhere, {...onKind, qualify: true}]) {
      expect(qualify(['myorg/app:dev'], policy)).to.deep.include.members([
        {...parseTags(['myorg/app:dev'])[0], canonical: 'docker.io/myorg/app:dev', note},
      ]);
    }
  });

  it('refuses all tags without a host at once, each with its canonical form', () => {
    const error = refusalOf(() => qualify(['app', 'r.io/b:1', 'myorg/app:dev', 'app'], onKind));
    expect(error.code).to.equal('refused-unqualified-tag');
    expect(error.message).to.match(/^On kind a tag has to name its registry host, and .* name none\. /);
    expect(error.detail).to.deep.equal([
      'app            ->  docker.io/library/app:latest',
      'myorg/app:dev  ->  docker.io/myorg/app:dev',
    ]);
    expect(error.remedy.join('\n')).to.include('--qualify');
  });

  it('names the tag where there is but one', () => {
    const error = refusalOf(() => qualify(['app:dev'], onKind));
    expect(error.message).to.match(
      /^On kind a tag has to name its registry host, and "app:dev" names none\. /,
    );
  });

  it("refuses what only resembles Tilt's reference", () => {
    const run = () => qualify(['web:tilt-build-2'], {...onKind, expectedRef: 'web:tilt-build-1'});
    expect(refusalOf(run).code).to.equal('refused-unqualified-tag');
  });

  it('gives frozen tags, and none for none', () => {
    expect(qualify(['r.io/a:1'], onKind)[0]).to.be.frozen;
    expect(qualify([], onKind)).to.deep.equal([]);
  });
});
