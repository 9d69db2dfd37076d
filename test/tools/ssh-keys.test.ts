/** Covers an SSH agent of our own, against OpenSSH's programs. */
import {spawn, spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createServer, type Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {finished} from 'node:stream/promises';
import {expect} from 'chai';
import {openKeyAgent, readSshKey} from '../../src/buildkit/session/ssh-keys.ts';
import {sshNumber, sshString} from '../../src/buildkit/session/ssh-messages.ts';
import {connectAgent} from '../../src/system/agent-socket.ts';

const hasOpenSsh = spawnSync('ssh-keygen', ['-?']).error === undefined;

(hasOpenSsh ? describe : describe.skip)('an SSH agent of our own', () => {
  let root: string;
  let server: Server | undefined;
  const at = (name: string) => join(root, name);
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'ssh-'));
    for (const [name, args] of Object.entries(kinds)) makeKey(name, ...args);
  });
  afterEach(() => server?.close());
  after(() => rmSync(root, {recursive: true, force: true}));

  function makeKey(name: string, ...args: readonly string[]): void {
    const {status, stderr} = spawnSync('ssh-keygen', ['-q', '-N', '', '-C', name, '-f', at(name), ...args]);
    expect(status, String(stderr)).to.equal(0);
  }

  const read = (name: string) => readSshKey(at(name), readFileSync(at(name)));

  async function serve(...names: readonly string[]): Promise<void> {
    const keys = names.map(read);
    server = createServer((socket) => void socket.pipe(openKeyAgent(keys)).pipe(socket));
    rmSync(at('socket'), {force: true});
    await new Promise<void>((resolve) => server?.listen(at('socket'), resolve));
  }

  /** Not spawnSync: the agent is in this process. */
  async function run(program: string, args: readonly string[], input = ''): Promise<string> {
    const child = spawn(program, args, {env: {PATH: process.env.PATH, SSH_AUTH_SOCK: at('socket')}});
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output += chunk;
      });
    child.stdin.end(input);
    await new Promise((resolve) => child.on('close', resolve));
    return output.trim();
  }

  const kinds = {
    ed25519: ['-t', 'ed25519'],
    rsa: ['-t', 'rsa', '-b', '2048'],
    'rsa-pem': ['-t', 'rsa', '-b', '2048', '-m', 'PEM'],
    'rsa-pkcs8': ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8'],
    ecdsa256: ['-t', 'ecdsa', '-b', '256'],
    ecdsa384: ['-t', 'ecdsa', '-b', '384', '-m', 'PEM'],
    ecdsa521: ['-t', 'ecdsa', '-b', '521'],
  };

  it('lists its keys as ssh-add reads them', async () => {
    await serve(...Object.keys(kinds));
    const expected = Object.keys(kinds).map((name) =>
      // A key in PEM has no comment.
      spawnSync('ssh-keygen', ['-lf', at(name)])
        .stdout.toString()
        .trim()
        .replace('no comment', at(name)),
    );
    const listed = (await run('ssh-add', ['-l'])).split('\n');
    expect(listed.map(fingerprint)).to.deep.equal(expected.map(fingerprint));
    expect(listed[0]).to.equal(expected[0]);
  });

  for (const name of Object.keys(kinds)) {
    it(`signs with a key of the kind ${name}, as ssh-keygen verifies`, async () => {
      await serve(name);
      // Short numbers, which are rare, are among many signatures.
      for (let round = 0; round < (name.startsWith('ecdsa') ? 16 : 1); round++) {
        const data = `data ${round}`;
        const signature = await run(
          'ssh-keygen',
          ['-Y', 'sign', '-f', at(`${name}.pub`), '-n', 'test'],
          data,
        );
        writeFileSync(at('signature'), `${signature.replace(/^Signing.*\n/, '')}\n`);
        const verified = await run(
          'ssh-keygen',
          ['-Y', 'check-novalidate', '-n', 'test', '-s', at('signature')],
          data,
        );
        expect(verified).to.match(/^Good "test" signature/);
      }
    });
  }

  it('takes the hash from the flags of a request for RSA', async () => {
    const key = read('rsa');
    const named = [0, 2, 4].map((flags) => key.sign(Buffer.from('data'), flags).subarray(4, 16).toString());
    expect(named.map((text) => /^[a-z0-9-]+/.exec(text)?.[0])).to.deep.equal([
      'ssh-rsa',
      'rsa-sha2-256',
      'rsa-sha2-512',
    ]);
  });

  it('refuses keys that it does not have, and whatever else it is asked', async () => {
    const agent = openKeyAgent([read('ed25519')]);
    const ask = (bytes: Uint8Array) => agent.write(sshString(bytes));
    ask(Buffer.concat([Buffer.from([13]), sshString('another'), sshString('data'), sshNumber(0)]));
    ask(Buffer.from([13, 0, 0, 1]));
    ask(Buffer.from([19]));
    ask(Buffer.from([]));
    agent.end();
    const answers = Buffer.concat(await agent.toArray());
    expect(answers.toString('hex')).to.equal('0000000105'.repeat(4));
  });

  it('names a key that is encrypted, and a file that is no key', () => {
    makeKey('locked', '-t', 'ed25519', '-N', 'secret');
    makeKey('locked-pem', '-t', 'ecdsa', '-m', 'PEM', '-N', 'secret');
    writeFileSync(at('text'), 'no key');
    writeFileSync(at('cut'), readFileSync(at('ed25519')).subarray(0, 150));
    for (const [name, why] of [
      ['locked', 'is encrypted'],
      ['locked-pem', 'is encrypted'],
      ['text', 'is not a private key that can be read'],
      ['cut', 'is not a private key that can be read'],
    ] as const) {
      expect(() => read(name)).to.throw(`The SSH key "${at(name)}" ${why}.`);
    }
  });
});

describe("an agent's socket", () => {
  it('is connected to, or rejects with what the system said', async () => {
    const root = mkdtempSync(join(tmpdir(), 'socket-'));
    const server = createServer((socket) => socket.end('hello'));
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve));
    const stream = await connectAgent(join(root, 'socket'));
    expect(Buffer.concat(await stream.toArray()).toString()).to.equal('hello');
    stream.destroy();
    await finished(stream).catch(() => undefined);
    server.close();
    const error = await connectAgent(join(root, 'none')).catch(
      (reason: NodeJS.ErrnoException) => reason.code,
    );
    expect(error).to.equal('ENOENT');
    rmSync(root, {recursive: true});
  });
});

/** Length, hash and kind. */
function fingerprint(line: string): string {
  return line.replace(/ .* \(/, (text) => `${text.split(' ')[1]} (`);
}
