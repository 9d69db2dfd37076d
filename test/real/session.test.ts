/** Covers, against a real BuildKit, what a session serves besides the context, and how a build ends. */
import {type ChildProcess, execFileSync, spawn} from 'node:child_process';
import {createHash, randomBytes, randomInt} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {connect} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {readFailure} from '../../src/buildkit/failure.ts';
import {Steps} from '../../src/buildkit/progress/steps.ts';
import {serveOutputs} from '../../src/buildkit/session/outputs.ts';
import {serveSecrets, serveUploads, uploadUrl} from '../../src/buildkit/session/services.ts';
import {serveAgents} from '../../src/buildkit/session/ssh.ts';
import {archiveContext} from '../../src/context/archive.ts';
import {syncDirectory, syncText} from '../../src/context/directory.ts';
import {contextDisk} from '../../src/system/context-disk.ts';
import {OutputDirectory} from '../../src/system/output-disk.ts';
import {GrpcCode, GrpcError} from '../../src/wire/grpc/status.ts';
import {buildDirectory, type DirectoryBuild} from './build-directory.ts';
import {type Dockerd, startDockerd} from './dockerd.ts';
import {isRunning, SHELL, whyNoShell, writeShell} from './shell-image.ts';
import {readTree} from './tree.ts';

(whyNoShell() === undefined ? describe : describe.skip)('a session with BuildKit', function () {
  this.timeout(120_000);
  let daemon: Dockerd;
  let isOld: boolean;
  let root: string;
  before(async () => {
    daemon = await startDockerd();
    // Before 23.0 its BuildKit knows no named contexts, and sends no details of an error.
    isOld = Number.parseInt(daemon.docker(['version', '--format', '{{.Server.Version}}']), 10) < 23;
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'session-'));
  });
  afterEach(() => rmSync(root, {recursive: true, force: true}));
  after(() => daemon?.stop());

  async function build(dockerfile: string, more: Partial<DirectoryBuild> = {}) {
    writeShell(root);
    writeFileSync(join(root, 'Dockerfile'), dockerfile);
    return await buildDirectory(daemon, {directory: root, sharedKey: root, ...more});
  }

  async function fail(dockerfile: string, more: Partial<DirectoryBuild> = {}) {
    const steps = new Steps();
    const error = await build(dockerfile, {steps, ...more}).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).to.be.instanceOf(GrpcError);
    return {error: error as GrpcError, failed: steps.all.find(({state}) => state === 'failed')};
  }

  const printed = (steps: Steps) => steps.all.flatMap(({tail}) => tail);

  describe('secrets', () => {
    it('reach the step that mounts them, from memory and from a file, whatever bytes they have', async () => {
      const secrets = new Map([
        ['memory', randomBytes(1_000)],
        ['file', randomBytes(300_000)],
      ]);
      const file = join(mkdtempSync(join(root, 'outside-')), 'secret');
      writeFileSync(file, secrets.get('file') as Buffer);
      const {steps} = await build(
        `${SHELL}RUN --mount=type=secret,id=memory --mount=type=secret,id=file cd /run/secrets && sha256sum memory file\n`,
        {
          routes: [serveSecrets(async (id) => (id === 'file' ? readFileSync(file) : secrets.get(id)))],
        },
      );
      expect(printed(steps)).to.deep.equal([...secrets].map(([id, data]) => `${sha256(data)}  ${id}`));
    });

    it('that are missing fail the step that requires them, by their id', async () => {
      const {error, failed} = await fail(`${SHELL}RUN --mount=type=secret,id=absent,required=true true\n`, {
        routes: [serveSecrets(async () => undefined)],
      });
      expect(error.message).to.match(/secret absent.*not found/);
      expect(failed?.name).to.include('RUN --mount=type=secret,id=absent');
    });
  });

  describe('an SSH agent', () => {
    let agent: ChildProcess;
    let socket: string;
    beforeEach(async () => {
      socket = join(root, 'agent.sock');
      agent = spawn('ssh-agent', ['-D', '-a', socket], {stdio: 'ignore'});
      while (!existsSync(socket)) await pause();
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'a key', '-f', join(root, 'key')]);
      execFileSync('ssh-add', [join(root, 'key')], {
        env: {...process.env, SSH_AUTH_SOCK: socket},
        stdio: 'ignore',
      });
    });
    afterEach(() => agent.kill());

    const agents = () => serveAgents(new Set(['default']), async () => connect(socket));

    it('lists its keys and signs in a RUN step, and gives up none of them', async () => {
      writeShell(root, ['/usr/bin/ssh-add', '/usr/bin/ssh-keygen']);
      execFileSync('cp', [join(root, 'key.pub'), join(root, 'rootfs/key.pub')]);
      const steps = `${SHELL}RUN --mount=type=ssh ssh-add -l && ssh-add -D; ssh-add -l && ssh-keygen -q -Y sign -f /key.pub -n test < /bin/busybox > /signature\n`;
      const built = await build(`${steps}FROM scratch\nCOPY --from=shell /signature /\n`, {
        name: 'signed:dev',
        routes: agents(),
      });
      const key = execFileSync('ssh-keygen', ['-lf', join(root, 'key')], {encoding: 'utf8'}).trim();
      expect(printed(built.steps)).to.deep.equal([key, 'Failed to remove all identities.', key]);
      const signature = join(root, 'signature');
      writeFileSync(signature, readFromImage('signed:dev', 'signature'));
      const verified = execFileSync('ssh-keygen', ['-Y', 'check-novalidate', '-n', 'test', '-s', signature], {
        input: readFileSync('/usr/bin/busybox'),
        encoding: 'utf8',
      });
      expect(verified).to.include('Good "test" signature');
    });

    it('that was not given fails the step', async () => {
      const {error} = await fail(`${SHELL}RUN --mount=type=ssh,id=other,required=true true\n`, {
        routes: agents(),
      });
      expect(error.message).to.match(/unset ssh forward key other/);
    });
  });

  describe('a context', () => {
    function makeTree(dockerfile: string): void {
      writeFileSync(join(root, 'Dockerfile'), dockerfile);
      mkdirSync(join(root, 'sub/empty'), {recursive: true});
      for (const name of ['Ä', 'b', 'sub/c'])
        writeFileSync(join(root, name), randomBytes(5_000), {mode: 0o750});
      writeFileSync(join(root, 'x'.repeat(200)), '');
      execFileSync('chmod', ['4711', join(root, 'b')]);
      execFileSync('ln', [join(root, 'b'), join(root, 'hard')]);
      symlinkSync('sub/c', join(root, 'link'));
      // An archive has milliseconds.
      execFileSync('find', [root, '-exec', 'touch', '-h', '-d', '@1000.123', '{}', '+']);
    }

    it('as an uploaded archive gives what the directory gives', async () => {
      makeTree('FROM scratch\nCOPY . /\nCOPY . /new\n');
      const outside = mkdtempSync(join(tmpdir(), 'session-'));
      const receive = async (name: string, more: Partial<DirectoryBuild>) => {
        const output = new OutputDirectory(join(outside, name));
        const routes = [serveOutputs([output]), ...(more.routes ?? [])];
        await buildDirectory(daemon, {directory: root, sharedKey: root, exporter: 'local', ...more, routes});
        return readTree(join(outside, name));
      };
      const archive = () => archiveContext(syncDirectory(root, contextDisk));
      const uploaded = await receive('uploaded', {
        attributes: {context: uploadUrl('archive')},
        directories: new Map(),
        routes: [serveUploads((id) => (id === 'archive' ? archive() : undefined))],
      });
      const synced = await receive('synced', {});
      rmSync(outside, {recursive: true});
      expect(uploaded).to.deep.equal(synced).and.to.include.keys('hard', 'new/sub/empty');
    });

    it('as an uploaded Dockerfile alone builds that', async () => {
      const dockerfile = 'FROM scratch\nLABEL from=upload\n';
      await build('FROM nothing', {
        name: 'alone:dev',
        attributes: {context: uploadUrl('text')},
        directories: new Map(),
        routes: [
          serveUploads(async function* () {
            yield Buffer.from(dockerfile);
          }),
        ],
      });
      expect(daemon.docker(['inspect', '--format', '{{.Config.Labels}}', 'alone:dev'])).to.include(
        'from:upload',
      );
    });

    it('with a Dockerfile from memory and a second, named directory', async function () {
      if (isOld) this.skip();
      writeFileSync(join(root, 'here'), 'here');
      mkdirSync(join(root, 'other'));
      writeFileSync(join(root, 'other/there'), 'there');
      const text = 'FROM scratch\nCOPY here /\nCOPY --from=second there /\n';
      const {steps} = await build('FROM nothing', {
        name: 'named:dev',
        attributes: {'context:second': 'local:second'},
        directories: new Map([
          ['context', syncDirectory(root, contextDisk)],
          ['dockerfile', syncText('Dockerfile', text, {modified: 1n})],
          ['second', syncDirectory(join(root, 'other'), contextDisk)],
        ]),
      });
      expect(steps.all.map(({state}) => state)).to.include('done');
      expect(readFromImage('named:dev', 'there').toString()).to.equal('there');
    });

    it('arrives whole: hundreds of files of all sizes, hashed where they arrive', async () => {
      const edges = [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 262_143, 262_144, 262_145, 1_048_577];
      const sizes = [...edges, ...Array.from({length: 400}, () => randomInt(100_000)), 20_000_000];
      mkdirSync(join(root, 'files'));
      const sums = sizes.map((size, index) => {
        const content = randomBytes(size);
        writeFileSync(join(root, 'files', String(index)), content);
        return `${sha256(content)}  ${index}\n`;
      });
      writeFileSync(join(root, 'sums'), sums.join(''));
      const check = 'cd /files && sha256sum -c /sums | grep -vc "OK$"; ls | wc -l';
      const {steps} = await build(`${SHELL}COPY files /files/\nCOPY sums /\nRUN ${check}\n`);
      expect(printed(steps)).to.deep.equal(['0', String(sizes.length)]);
    });
  });

  describe('a failure', () => {
    it('of a RUN step has its exit code, its lines of the Dockerfile and the last that it printed', async () => {
      const {error, failed} = await fail(`${SHELL}RUN seq 30; \\\n  echo oops; exit 3\n`);
      expect(error.code).to.equal(GrpcCode.UNKNOWN);
      expect(error.message).to.match(/exit code: 3$/);
      expect(failed?.tail).to.deep.equal([
        ...Array.from({length: 19}, (_, index) => String(index + 12)),
        'oops',
      ]);
      if (isOld) return;
      const {sources} = readFailure(error);
      const text = readFileSync(join(root, 'Dockerfile'), 'utf8');
      expect(sources).to.deep.equal([
        {filename: 'Dockerfile', text, ranges: [5, 6].map((line) => ({first: line, last: line}))},
      ]);
    });

    it('to read the Dockerfile names the line', async () => {
      const {error} = await fail('FROM scratch\nCOPYY a b\n');
      expect(error.message).to.match(/dockerfile parse error (?:on )?line 2: unknown instruction: COPYY/);
      if (!isOld) expect(readFailure(error).sources[0]?.ranges).to.deep.equal([{first: 2, last: 2}]);
    });

    it('to find a file names the file', async () => {
      const {error, failed} = await fail('FROM scratch\nCOPY nothing /\n');
      expect(error.message).to.include('"/nothing": not found'.replace(': ', isOld ? ' ' : ': '));
      expect(failed?.name).to.include('COPY nothing /');
    });
  });

  describe('an end from our side', () => {
    const FOREVER = String(randomInt(1_000_000, 9_000_000));
    const isBuilding = () => isRunning('sleep', FOREVER);
    const dockerfile = `${SHELL}RUN sleep ${FOREVER}\n`;
    const until = async (condition: () => boolean) => {
      while (!condition()) await pause();
    };

    it('by an abort ends the step, and leaves the daemon to the next build', async () => {
      const abort = new AbortController();
      const failing = fail(dockerfile, {signal: abort.signal});
      await until(isBuilding);
      abort.abort();
      expect((await failing).error.code).to.equal(GrpcCode.CANCELLED);
      await until(() => !isBuilding());
      const {digest} = await build('FROM scratch\nCOPY rootfs /\n');
      expect(digest ?? '').to.match(/^sha256:/);
    });

    it('by a connection that breaks is an error at once, and ends the step', async function () {
      // Less than it takes to notice a link that is silently dead.
      this.timeout(20_000);
      const stream = await daemon.connect();
      const failing = fail(dockerfile, {stream});
      await until(isBuilding);
      stream.destroy();
      expect((await failing).error.code).to.equal(GrpcCode.UNAVAILABLE);
      await until(() => !isBuilding());
    });
  });

  function readFromImage(image: string, path: string): Buffer {
    const id = daemon.docker(['create', image, 'x']).trim();
    const copy = join(root, 'copied');
    daemon.docker(['cp', `${id}:/${path}`, copy]);
    daemon.docker(['rm', id]);
    return readFileSync(copy);
  }
});

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
