/** Covers OCI layouts on this machine that BuildKit reads and writes: caches, images and additional contexts. */
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {describeEngine} from '../helpers/engines.ts';
import {DIGEST} from '../helpers/world.ts';

const WEB = ['-t', 'localhost/web:dev'];

describeEngine('an OCI layout', 'builtin', (engines) => {
  const {world, tiltbuild} = engines;
  const at = (...path: readonly string[]) => join(world.sandbox.work, ...path);
  const builds = async (args: readonly string[]) => {
    const ended = await tiltbuild([...args, '.']);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    return ended;
  };
  const manifestsIn = (path: string) => {
    const {manifests} = JSON.parse(readFileSync(at(path, 'index.json'), 'utf8'));
    return manifests.map(({annotations}: {annotations: Readonly<Record<string, string>>}) =>
      Object.values(annotations).join(' '),
    );
  };

  it('is a cache that one build writes and the next one reads, also by another tag or its digest', async () => {
    const first = await builds([
      ...WEB,
      '--cache-from',
      'type=local,src=Küche',
      '--cache-to',
      'type=local,dest=Küche',
    ]);
    expect(first.stdout).to.equal(`${DIGEST}\n`);
    expect(first.stderr).to.contain('The cache "Küche" is left out: it has no index.json');
    await builds([...WEB, '--cache-to', 'type=local,dest=Küche,tag=other,mode=max']);
    expect(manifestsIn('Küche')).to.deep.equal(['latest', 'other']);
    expect(readdirSync(at('Küche')).sort()).to.deep.equal(['blobs', 'index.json', 'ingest', 'oci-layout']);
    const [blob = ''] = readdirSync(at('Küche', 'blobs', 'sha256'));
    for (const which of ['', ',tag=other', `,digest=sha256:${blob}`]) {
      await builds([...WEB, '--cache-from', `type=local,src=Küche${which}`]);
      expect(engines.buildkit.solves.at(-1)?.imported, which).to.deep.equal(['the cache']);
    }
  });

  it('is left out as a cache where its tag or its blob is missing', async () => {
    await builds([...WEB, '--cache-to', 'type=local,dest=cache']);
    for (const [which, words] of [
      ['tag=none', 'it has no tag "none"'],
      [`digest=sha256:${'0'.repeat(64)}`, 'it has no blob'],
    ]) {
      const {stderr} = await builds([...WEB, '--cache-from', `type=local,src=cache,${which}`]);
      expect(stderr).to.contain(words);
      expect(engines.buildkit.solves.at(-1)?.imported).to.deep.equal([]);
    }
  });

  it('is written once for an image that is built in two passes', async () => {
    await builds(['--image', 'localhost/web', '--cache-to', 'type=local,dest=cache']);
    expect(engines.buildkit.solves).to.have.length(2);
    expect(manifestsIn('cache')).to.deep.equal(['latest']);
  });

  it('is an image, under its names', async () => {
    await builds([...WEB, '-t', 'localhost/web:2', '-o', 'type=oci,tar=false,dest=out/image']);
    expect(manifestsIn('out/image')).to.deep.equal(['localhost/web:dev dev', 'localhost/web:2 2']);
  });

  it('is a context of another build', async () => {
    await builds([...WEB, '-o', 'type=oci,tar=false,dest=base']);
    await builds([...WEB, '--build-context', 'base=oci-layout://base:dev']);
    expect(engines.buildkit.solves.at(-1)?.imported).to.deep.equal(['the image']);
    const ended = await tiltbuild([...WEB, '--build-context', 'base=oci-layout://base', '.']);
    expect(ended).to.include({exitCode: 2, stdout: ''});
    expect(ended.stderr).to.contain('it has no tag "latest"');
  });

  it('is not begun where it cannot be written', async () => {
    const ended = await tiltbuild([...WEB, '--cache-to', 'type=local,dest=index.html', '.']);
    expect(ended).to.include({exitCode: 2, stdout: ''});
    expect(ended.stderr).to.contain('"index.html" cannot be written');
  });

  it('has no index where the build fails', async () => {
    engines.behave('run-fails');
    await tiltbuild([...WEB, '--cache-to', 'type=local,dest=cache', '.']);
    expect(existsSync(at('cache', 'index.json'))).to.equal(false);
  });
});
