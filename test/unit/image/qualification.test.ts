/** Covers which tags are built under which name, and which are refused. */
import {expect} from 'chai';
import {parseTags, type QualificationPolicy, qualifyTags} from '../../../src/image/qualification.ts';
import {refusalOf} from '../../helpers/caught.ts';

const ELSEWHERE: QualificationPolicy = {refuseUnqualified: false, qualify: false};
const ON_KIND: QualificationPolicy = {refuseUnqualified: true, qualify: false};
const WITH_QUALIFY: QualificationPolicy = {refuseUnqualified: true, qualify: true};
const TILT = 'myorg/web:tilt-build-1';

const qualify = (tags: readonly string[], policy: QualificationPolicy) =>
  qualifyTags(parseTags(tags), policy);

describe('parseTags', () => {
  it('rejects a digest with a caret below it, as docker does', () => {
    const {detail} = refusalOf(() => parseTags([`r.io/app:1@sha256:${'0'.repeat(64)}`]));
    expect(detail[1]).to.equal(`${' '.repeat(10)}^`);
  });
});

describe('qualifyTags', () => {
  for (const policy of [ELSEWHERE, ON_KIND, WITH_QUALIFY]) {
    for (const [given, canonical, withNote] of [
      ['docker.io/library/app:dev', 'docker.io/library/app:dev', false],
      ['localhost:5000/app:1', 'localhost:5000/app:1', false],
      ['gcr.io/a/b', 'gcr.io/a/b:latest', false],
      ['docker.io/app:dev', 'docker.io/library/app:dev', true],
      ['index.docker.io/myorg/app', 'docker.io/myorg/app:latest', true],
      [TILT, `docker.io/${TILT}`, false],
    ] as const) {
      it(`builds ${given} as ${canonical} ${withNote ? 'with' : 'without'} a note (${JSON.stringify(policy)})`, () => {
        const [tag] = qualify([given], {...policy, expectedRef: TILT});
        const note = `tag "${given}" is built as ${canonical}, the name that the kubelet looks for`;
        expect(tag).to.deep.equal({...parseTags([given])[0], canonical, ...(withNote && {note})});
        expect(tag).to.be.frozen;
      });
    }
  }

  it('builds the same name once, as it was typed first', () => {
    const tags = qualify(['r.io/app', 'r.io/b:1', 'r.io/app:latest', 'r.io/b:1'], ON_KIND);
    expect(tags.map(({given}) => given)).to.deep.equal(['r.io/app', 'r.io/b:1']);
  });

  it('completes a tag without a host where it does not refuse it', () => {
    for (const policy of [ELSEWHERE, WITH_QUALIFY]) {
      const [tag] = qualify(['myorg/app:dev'], policy);
      expect(tag).to.include({canonical: 'docker.io/myorg/app:dev'}).and.have.property('note');
    }
  });

  it('refuses all tags without a host at once, a repeated one once', () => {
    const error = refusalOf(() => qualify(['app', 'r.io/b:1', 'myorg/app:dev', 'app'], ON_KIND));
    expect(error.code).to.equal('refused-unqualified-tag');
    expect(error.detail).to.have.length(2);
    expect(error.message).to.match(
      /^On kind a tag needs a registry host, and "app", "myorg\/app:dev" have none\. /,
    );
  });
});
