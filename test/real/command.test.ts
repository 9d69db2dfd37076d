/** Covers whole commands on a real BuildKit: every kind of context, input and result. */
import {randomBytes} from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {expect} from 'chai';
import {BUSYBOX} from './dockerd.ts';
import {
  archive,
  describeRealBuild,
  type Files,
  NO_NETWORK,
  type RealBuild,
  WITH_SHELL,
  writeTree,
} from './real-build.ts';

const dockerfile = (...lines: readonly string[]) => `${lines.join('\n')}\n`;

describeRealBuild('a command on BuildKit', (real) => {
  it('prints the digest and nothing else, and BuildKit has the image under every tag', async () => {
    const ended = await real.build('web', ['-t', 'localhost/other:1', '.']);
    expect(ended.stderr).to.contain('COPY index.html');
    expect(ended).to.include({exitCode: 0, stdout: `${real.inspect('web', '.Id')}\n`});
    expect(real.inspect('web', '.RepoTags')).to.have.members(['localhost/web:dev', 'localhost/other:1']);
    expect(real.read('web', '/www/index.html')).to.equal('<p>hello</p>\n');
  });

  it('is quiet with --quiet, and writes the digest and the metadata to files', async () => {
    const files = ['--iidfile', 'iid', '--metadata-file', 'metadata.json'];
    const ended = await real.build('web', ['--quiet', ...files, '.']);
    const digest = real.inspect('web', '.Id');
    expect(ended).to.include({exitCode: 0, stdout: `${digest}\n`, stderr: ''});
    const read = (name: string) => readFileSync(join(real.world.sandbox.work, name), 'utf8');
    expect(read('iid')).to.equal(digest);
    expect(JSON.parse(read('metadata.json'))).to.include({digest, engine: 'builtin'});
  });

  it('goes through kubectl exec where a proxy is set', async () => {
    real.world.connect({through: 'kubectl'});
    const {exitCode, stdout} = await real.build('proxied', ['.']);
    expect({exitCode, stdout}).to.deep.equal({exitCode: 0, stdout: `${real.inspect('proxied', '.Id')}\n`});
    expect(execAgents(real)).to.deep.equal(['kubectl/']);
  });

  it('goes over a WebSocket of its own otherwise, with the newest protocol that the cluster has', async () => {
    for (const execProtocols of [['v5.channel.k8s.io', 'v4.channel.k8s.io'], ['v4.channel.k8s.io']]) {
      real.world.api.state.execProtocols = execProtocols;
      expect(await real.build('direct', ['.'], {env: {PATH: ''}})).to.include({exitCode: 0});
    }
    expect(execAgents(real)).to.deep.equal(['kubectl-tiltbuild', 'kubectl-tiltbuild']);
  });

  it('gives RUN steps their secrets, from the environment and from files, byte for byte', async () => {
    const secret = '  hunter2 "ü"\n\n';
    real.write({
      Dockerfile: dockerfile(
        ...WITH_SHELL,
        'RUN --mount=type=secret,id=env --mount=type=secret,id=file \\',
        '    /bin/busybox cat /run/secrets/env /run/secrets/file > /both',
      ),
      busybox: BUSYBOX,
    });
    const file = join(real.world.sandbox.root, 'secret');
    writeFileSync(file, secret);
    // As in a directory that Kubernetes mounts.
    const link = join(real.world.sandbox.root, 'l');
    symlinkSync('secret', link);
    const flags = ['--secret', 'id=env,env=TOKEN', '--secret', `id=file,src=${link}`];
    const ended = await real.build('secret', [...flags, ...NO_NETWORK, '.'], {env: {TOKEN: secret}});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(ended.stderr).not.to.contain('hunter2');
    expect(real.read('secret', '/both')).to.equal(secret + secret);
  });

  it('passes build arguments, labels and the target on, byte for byte', async () => {
    real.write({
      Dockerfile: dockerfile(
        'FROM scratch AS wanted',
        'ARG GIVEN',
        'ARG INHERITED',
        'ARG UNSET=default',
        'ENV GIVEN=$GIVEN INHERITED=$INHERITED UNSET=$UNSET',
        'COPY file /',
        'FROM wanted',
        'COPY missing /',
      ),
      file: 'x',
    });
    const values = {GIVEN: ' two  "spaces" = ü 🚢', INHERITED: '$HOME'};
    const label = {' k.ey': " v='a'lue,\"", plain: ''};
    const flags = [
      ...['--target', 'wanted', '--build-arg', `GIVEN=${values.GIVEN}`, '--build-arg', 'INHERITED'],
      ...['--build-arg', 'UNSET', '--label', ` k.ey=${label[' k.ey']}`, '--label', 'plain'],
    ];
    const ended = await real.build('args', [...flags, '.'], {env: {INHERITED: values.INHERITED}});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(real.inspect('args', '.Config.Labels')).to.deep.equal(label);
    expect(real.inspect('args', '.Config.Env')).to.include.members([
      `GIVEN=${values.GIVEN}`,
      `INHERITED=${values.INHERITED}`,
      'UNSET=default',
    ]);
  });

  describe('with its Dockerfile or context from elsewhere', () => {
    const text = dockerfile('FROM scratch', 'COPY index.html /from-elsewhere');

    for (const [how, args, options] of [
      ['standard input', ['-f', '-', '.'], {stdin: text}],
      ['the environment', ['--file-env', 'TEXT', '.'], {env: {TEXT: text}}],
    ] as const) {
      it(`takes the Dockerfile from ${how}, though the context has one`, async () => {
        real.write({Dockerfile: 'FROM missing\n', 'index.html': how});
        expect(await real.build('given', args, options)).to.include({exitCode: 0});
        expect(real.read('given', '/from-elsewhere')).to.equal(how);
      });
    }

    it('takes a Dockerfile outside the context, with the ignore file beside it', async () => {
      const {root} = real.world.sandbox;
      writeTree(join(root, 'elsewhere'), {
        'web.Dockerfile': dockerfile('FROM scratch', 'COPY . /all/'),
        'web.Dockerfile.dockerignore': '*.log\n',
      });
      real.write({'a.txt': 'a', 'b.log': 'b', '.dockerignore': 'a.txt\n'});
      const ended = await real.build('outside', ['-f', '../elsewhere/web.Dockerfile', '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(real.read('outside', '/all/a.txt')).to.equal('a');
      expect(() => real.read('outside', '/all/b.log')).to.throw('b.log');
    });

    it('takes an archive from standard input as the context', async () => {
      writeTree(join(real.world.sandbox.root, 'sent'), {Dockerfile: text, 'index.html': 'archived'});
      const stdin = archive(join(real.world.sandbox.root, 'sent'));
      expect(await real.build('archive', ['-'], {stdin})).to.include({exitCode: 0});
      expect(real.read('archive', '/from-elsewhere')).to.equal('archived');
    });

    it('takes a Dockerfile with nothing around it from standard input', async () => {
      const stdin = dockerfile('FROM scratch', 'LABEL alone=yes');
      expect(await real.build('alone', ['-'], {stdin})).to.include({exitCode: 0});
      expect(real.inspect('alone', '.Config.Labels')).to.deep.equal({alone: 'yes'});
    });
  });

  it('sends what .dockerignore, --ignore and --only all let through', async () => {
    real.write({
      Dockerfile: dockerfile('FROM scratch', 'COPY . /'),
      '.dockerignore': '**/*.log\n!keep.log\n',
      'src/a.ts': '',
      'src/a.log': '',
      'src/gen/b.ts': '',
      'docs/c.md': '',
      'keep.log': '',
    });
    const args = ['--only', 'src', '--only', 'keep.log', '--ignore', '**/gen', '--output', 'out', '.'];
    const ended = await real.tiltbuild(args);
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(filesBelow(join(real.world.sandbox.work, 'out'))).to.deep.equal(['keep.log', 'src/a.ts']);
  });

  describe('with its result here', () => {
    beforeEach(() => {
      real.write({
        Dockerfile: dockerfile('FROM scratch', 'COPY --chmod=750 tree /'),
        'tree/ü': 'ümlaut',
        'tree/deep/er/file': 'x'.repeat(100_000),
      });
    });
    const names = ['deep/er/file', 'ü'];

    it('writes a directory', async () => {
      const ended = await real.tiltbuild(['--output', 'type=local,dest=out ö', '.']);
      expect(ended).to.include({exitCode: 0, stdout: ''});
      const out = join(real.world.sandbox.work, 'out ö');
      expect(filesBelow(out)).to.deep.equal(names);
      expect(readFileSync(join(out, 'ü'), 'utf8')).to.equal('ümlaut');
      expect(readFileSync(join(out, 'deep/er/file'), 'utf8')).to.have.length(100_000);
    });

    for (const [title, output] of [
      ['an archive to a file', 'type=tar,dest=out.tar'],
      ['an archive to standard output', '-'],
      ['an archive of that type to standard output', '"type=tar"'],
    ] as const) {
      it(`writes ${title}`, async () => {
        const ended = await real.tiltbuild(['--output', output, '.']);
        expect(ended.exitCode, ended.stderr).to.equal(0);
        const written =
          output !== 'type=tar,dest=out.tar'
            ? ended.stdoutBytes
            : readFileSync(join(real.world.sandbox.work, 'out.tar'));
        for (const name of ['deep/er/file', 'ümlaut']) expect(written.includes(name), name).to.equal(true);
        expect(written.length % 512).to.equal(0);
      });
    }
  });

  it('sends large files, and gets them back, in little memory', async () => {
    const block = randomBytes(1_000_000);
    const content = Buffer.concat(Array.from({length: 100}, () => block));
    real.write({Dockerfile: dockerfile('FROM scratch', 'COPY large /'), large: content});
    const ended = await real.tiltbuild(['--output', 'out', '.'], {measureMemory: true});
    expect(ended.exitCode, ended.stderr).to.equal(0);
    expect(readFileSync(join(real.world.sandbox.work, 'out/large')).equals(content)).to.equal(true);
    expect(ended.maxRssKb).to.be.lessThan(150_000);
  });

  it('takes names that are not ASCII everywhere', async () => {
    const place = join(real.world.sandbox.root, 'Jürgen', '日本 語');
    writeTree(place, {
      Döckerfile: dockerfile('FROM scratch AS ziel', 'COPY ü/ö.txt /ß/', 'COPY ["sp ace/é", "/"]'),
      'Döckerfile.dockerignore': 'ä*\n',
      'ü/ö.txt': 'ö',
      'sp ace/é': 'é',
      äußeres: '',
    });
    for (const [cwd, context] of [
      [place, '.'],
      [real.world.sandbox.root, 'Jürgen/日本 語'],
    ] as const) {
      const args = ['-f', join(context, 'Döckerfile'), '--label', 'schlüssel=wért', context];
      const ended = await real.build('names', args, {cwd});
      expect(ended.exitCode, ended.stderr).to.equal(0);
      expect(real.read('names', '/ß/ö.txt')).to.equal('ö');
      expect(real.read('names', '/é')).to.equal('é');
      expect(real.inspect('names', '.Config.Labels')).to.deep.equal({schlüssel: 'wért'});
    }
  });
});

describeRealBuild('projects alike in path, size and modification time', (real) => {
  const contents = Array.from({length: 8}, (_, index) => `{"name":"project-${index}"}`);
  const project = (content: string): Files => ({
    Dockerfile: dockerfile('FROM scratch', 'COPY package.json /'),
    'package.json': content,
  });
  const read = () => contents.map((_, index) => real.read(`project-${index}`, '/package.json'));

  /** As archives unpack it: all times are the same. */
  async function build(index: number, directory: string, unpack = true): Promise<void> {
    if (unpack) writeTree(directory, project(contents[index] ?? ''), 1);
    const ended = await real.build(`project-${index}`, [directory]);
    expect(ended.exitCode, ended.stderr).to.equal(0);
  }
  const directoryOf = (index: number) => join(real.world.sandbox.root, `project-${index}`);

  for (const round of [1, 2]) {
    it(`have their own files, one after the other (round ${round})`, async () => {
      for (const index of contents.keys()) await build(index, directoryOf(index));
      expect(read()).to.deep.equal(contents);
    });

    it(`have their own files, all at once (round ${round})`, async () => {
      await Promise.all(contents.map((_, index) => build(index, directoryOf(index))));
      expect(read()).to.deep.equal(contents);
    });
  }

  for (const [how, replace] of [
    ['written over', () => undefined],
    ['removed and unpacked', (place) => rmSync(place, {recursive: true, force: true})],
  ] as const satisfies readonly (readonly [string, (place: string) => void])[]) {
    it(`have their own files in one directory, where each is ${how}`, async () => {
      const place = join(real.world.sandbox.root, 'workspace');
      for (const index of contents.keys()) {
        replace(place);
        await build(index, place);
      }
      expect(read()).to.deep.equal(contents);
    });
  }

  it('have their own files in one directory, where each is moved there', async () => {
    const place = join(real.world.sandbox.root, 'workspace');
    for (const [index, content] of contents.entries()) writeTree(directoryOf(index), project(content), 1);
    for (const index of contents.keys()) {
      renameSync(directoryOf(index), place);
      await build(index, place, false);
      renameSync(place, directoryOf(index));
    }
    expect(read()).to.deep.equal(contents);
  });
});

describeRealBuild('what is replaced by something alike', (real) => {
  /** Builds three times, each after the replacement; gives what the images have. */
  async function buildEach(replace: (index: number) => readonly string[]): Promise<readonly string[]> {
    const read: string[] = [];
    for (const index of [0, 1, 2]) {
      const ended = await real.build(`replaced-${index}`, [...replace(index), '.']);
      expect(ended.exitCode, ended.stderr).to.equal(0);
      read.push(real.read(`replaced-${index}`, '/wanted'));
    }
    return read;
  }
  const at = (path: string) => join(real.world.sandbox.work, path);

  for (const [where, place, ignore] of [
    ['outside the context', '../docker', ''],
    ['left out of the context', '.', 'Dockerfile\n'],
  ] as const) {
    it(`is seen, where it is a Dockerfile ${where}`, async () => {
      real.write({a: 'a', b: 'b', c: 'c', '.dockerignore': ignore});
      const read = await buildEach((index) => {
        const text = dockerfile('FROM scratch', `COPY ${'abc'[index]} /wanted`);
        writeTree(at(place), {Dockerfile: text}, 1);
        return ['-f', join(place, 'Dockerfile')];
      });
      expect(read).to.deep.equal(['a', 'b', 'c']);
    });
  }

  it('is seen, where it is an ignore file that leaves itself out', async () => {
    real.write({
      Dockerfile: dockerfile('FROM scratch', 'COPY . /all', 'COPY z /wanted'),
      a: '',
      b: '',
      c: '',
      z: '',
    });
    await buildEach((index) => {
      writeTree(at('.'), {'.dockerignore': `.dockerignore\n${'abc'[index]}\n`}, 1);
      return [];
    });
    for (const index of [0, 1, 2]) {
      expect(() => real.read(`replaced-${index}`, `/all/${'abc'[index]}`)).to.throw();
      expect(real.read(`replaced-${index}`, `/all/${'cab'[index]}`)).to.equal('');
    }
  });

  it('is seen, where directories of the context change places', async () => {
    real.write({Dockerfile: dockerfile('FROM scratch', 'COPY current/f /wanted')});
    for (const name of ['current', 'other']) writeTree(at(name), {f: name.padEnd(9)}, 1);
    await sleep(1_500);
    const read = await buildEach((index) => {
      if (index > 0) {
        renameSync(at('current'), at('moved'));
        renameSync(at('other'), at('current'));
        renameSync(at('moved'), at('other'));
      }
      return [];
    });
    expect(read.map((text) => text.trim())).to.deep.equal(['current', 'other', 'current']);
  });

  for (const [when, ahead] of [
    ['a moment ago', 0],
    ['in an hour', 3600.123],
  ] as const) {
    it(`is seen, where it is a file with a time ${when}`, async () => {
      real.write({Dockerfile: dockerfile('FROM scratch', 'COPY f /wanted')});
      const time = Date.now() / 1000 + ahead;
      const read = await buildEach((index) => {
        writeFileSync(at('f'), String(index));
        utimesSync(at('f'), time, time);
        return [];
      });
      expect(read).to.deep.equal(['0', '1', '2']);
    });
  }

  it('is seen, where it is the Dockerfile behind a link', async () => {
    real.write({a: 'a', b: 'b', c: 'c'});
    mkdirSync(at('../links'));
    symlinkSync('real', at('../links/Dockerfile'));
    const read = await buildEach((index) => {
      writeTree(at('../links'), {real: dockerfile('FROM scratch', `COPY ${'abc'[index]} /wanted`)}, 1);
      return ['-f', '../links/Dockerfile'];
    });
    expect(read).to.deep.equal(['a', 'b', 'c']);
  });

  it('is seen, where it is the directory of another context', async function () {
    if (!real.quotesDockerfile()) this.skip();
    real.write({Dockerfile: dockerfile('FROM scratch', 'COPY --from=more f /wanted')});
    const read = await buildEach((index) => {
      writeTree(at('../more'), {f: String(index)}, 1);
      return ['--build-context', 'more=../more'];
    });
    expect(read).to.deep.equal(['0', '1', '2']);
  });
});

describeRealBuild('commands at once', (real) => {
  it('do not disturb each other in one project', async () => {
    const text = dockerfile('FROM scratch', 'ARG N', 'COPY . /', 'LABEL n=$N');
    const files = Array.from({length: 200}, (_, index) => [`f${index}`, `${index}`.repeat(5_000)]);
    real.write({Dockerfile: text, ...Object.fromEntries(files)});
    const ended = await Promise.all(
      ['a', 'b'].map((n) => real.build(`same-${n}`, ['--no-cache', '--build-arg', `N=${n}`, '.'])),
    );
    expect(ended.map(({exitCode}) => exitCode)).to.deep.equal([0, 0]);
    expect(real.inspect('same-a', '.RootFS')).to.deep.equal(real.inspect('same-b', '.RootFS'));
    expect(real.inspect('same-b', '.Config.Labels')).to.deep.equal({n: 'b'});
  });

  it('are thirty, and every image has its own files', async function () {
    this.timeout(300_000);
    const names = Array.from({length: 30}, (_, index) => `many-${index}`);
    await Promise.all(
      names.map(async (name) => {
        const place = join(real.world.sandbox.root, name);
        writeTree(place, {Dockerfile: dockerfile('FROM scratch', 'COPY name /'), name}, 1);
        const ended = await real.build(name, [place], {timeoutMs: 240_000});
        expect(ended.exitCode, ended.stderr).to.equal(0);
      }),
    );
    expect(names.map((name) => real.read(name, '/name'))).to.deep.equal(names);
  });
});

/** How those who opened an exec call themselves. */
function execAgents({world: {api}}: RealBuild): readonly (string | undefined)[] {
  return api.requests
    .filter(({path}) => path.endsWith('/exec'))
    .map(({userAgent}) => /^kubectl(-tiltbuild|\/)/.exec(userAgent ?? '')?.[0]);
}

function filesBelow(root: string): readonly string[] {
  return readdirSync(root, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}
