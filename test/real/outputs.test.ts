/** Covers, against a real BuildKit, that what a build gives back is what docker's own client writes for it. */
import {execFileSync} from 'node:child_process';
import {lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect} from 'chai';
import {type Output, serveOutputs} from '../../src/buildkit/session/outputs.ts';
import {OutputDirectory} from '../../src/system/output-disk.ts';
import {openResult} from '../../src/system/result-file.ts';
import {buildDirectory} from './build-directory.ts';
import {type Dockerd, startDockerd} from './dockerd.ts';
import {SHELL, whyNoShell, writeShell} from './shell-image.ts';
import {readTree} from './tree.ts';

/** Files of all kinds but devices and FIFOs, which the runtime cannot make. */
const MAKE = [
  'mkdir -p /out/d/e/f /out/closed',
  'cd /out',
  'echo hello > setuid && chmod 4755 setuid',
  'head -c 3000000 /dev/urandom > large',
  ': > empty && chmod 000 empty',
  'ln large d/hard',
  'ln -s /nowhere absolute',
  'ln -s d/e relative',
  'echo x > closed/x && chmod 555 closed',
  'chmod 1777 d && chmod 2755 d/e',
  'echo y > "ä b" && echo z > back\\\\slash',
  'seq 300 | while read n; do echo $n > d/e/$n; done',
  'touch -h -d "2003-02-03 04:05:06" setuid relative && touch -d "2002-02-03 04:05:06" d/e/f',
].join(' && ');

(whyNoShell() === undefined ? describe : describe.skip)('outputs of a build', () => {
  let daemon: Dockerd;
  let root: string;
  before(async () => {
    daemon = await startDockerd();
    root = mkdtempSync(join(tmpdir(), 'outputs-'));
    writeShell(root);
    writeFileSync(join(root, 'Dockerfile'), `${SHELL}RUN ${MAKE}\nFROM scratch\nCOPY --from=shell /out /\n`);
  });
  after(async () => {
    await daemon?.stop();
    rmSync(root, {recursive: true, force: true});
  });

  const byDocker = (output: string) => daemon.docker(['build', '--network=none', '--output', output, root]);
  const byUs = (exporter: string, output: Output) =>
    buildDirectory(daemon, {directory: root, sharedKey: root, exporter, routes: [serveOutputs([output])]});

  it('are the same as a tree, over another tree as well: bytes, modes, links and times', async () => {
    for (const name of ['docker', 'ours']) {
      mkdirSync(join(root, name, 'setuid'), {recursive: true});
      mkdirSync(join(root, name, 'kept'));
      writeFileSync(join(root, name, 'kept/setuid'), 'kept');
      writeFileSync(join(root, name, 'd'), '');
      execFileSync('touch', ['-d', '@1000', join(root, name, 'kept/setuid'), join(root, name, 'd')]);
    }
    byDocker(`type=local,dest=${join(root, 'docker')}`);
    const output = new OutputDirectory(join(root, 'ours'));
    await byUs('local', output);
    output.close();
    expect(readTree(join(root, 'ours'))).to.deep.equal(readTree(join(root, 'docker')));
    const modified = (path: string) => lstatSync(join(root, 'ours', path)).mtime.toISOString();
    expect([modified('relative'), modified('d/e/f')]).to.deep.equal([
      '2003-02-03T04:05:06.000Z',
      '2002-02-03T04:05:06.000Z',
    ]);
  });

  it('are the same as an archive', async () => {
    const [theirs, ours] = [join(root, 'docker.tar'), join(root, 'ours.tar')];
    byDocker(`type=tar,dest=${theirs}`);
    const archive = openResult(ours, process.getuid?.());
    await byUs('tar', archive);
    archive.close();
    const list = (path: string) => execFileSync('tar', ['tvf', path, '--full-time'], {encoding: 'utf8'});
    expect(list(ours)).to.equal(list(theirs)).and.to.include('setuid');
    expect(execFileSync('tar', ['xOf', ours, 'large']).equals(execFileSync('tar', ['xOf', theirs, 'large'])))
      .to.be.true;
  });

  it('that cannot be written end the build with the reason', async () => {
    const failing: Output = {
      kind: 'archive',
      write: async () => {
        throw Object.assign(new Error('ENOSPC: no space left'), {code: 'ENOSPC', syscall: 'write'});
      },
      complete: async () => undefined,
    };
    const error = await byUs('tar', failing).then(
      () => undefined,
      (reason: Error) => reason,
    );
    expect(error?.message).to.equal("Could not write the build's output: the disk is full.");
  });
});
