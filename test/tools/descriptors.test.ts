/** Covers what a descriptor is taken for, and that a result reaches standard output whole, or with an error. */
import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {closeSync, openSync} from 'node:fs';
import {devNull} from 'node:os';
import {join} from 'node:path';
import {buffer, text} from 'node:stream/consumers';
import {expect} from 'chai';
import {isTerminal} from '../../src/system/descriptors.ts';

const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'system');
const MEGABYTE = 1_000_000;

/** A script that finds our `Terminal` and `writeToStdout`. */
function withTerminal(script: string): readonly string[] {
  const imports = `
    import net from 'node:net';
    import {Terminal} from ${JSON.stringify(join(SOURCE, 'terminal.ts'))};
    import {writeToStdout} from ${JSON.stringify(join(SOURCE, 'descriptors.ts'))};`;
  return ['--input-type=module', '-e', `${imports}${script}`];
}

/** `slowly`: standard output is not read before something was said on standard error. */
async function run(program: string, args: readonly string[], {slowly = false} = {}) {
  const child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe']});
  const ended = once(child, 'close');
  if (slowly) await once(child.stderr, 'readable');
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  const [exitCode] = await ended;
  return {exitCode, stdout, stderr};
}

describe('a descriptor', () => {
  for (const [what, path] of [
    ['a file', import.meta.filename],
    ['the null device', devNull],
  ] as const) {
    it(`that is ${what} is no terminal`, async () => {
      const descriptor = openSync(path, 'r');
      try {
        expect(await isTerminal(descriptor)).to.equal(false);
      } finally {
        closeSync(descriptor);
      }
    });
  }

  it('that is closed is no terminal', async () => {
    const descriptor = openSync(devNull, 'r');
    closeSync(descriptor);
    expect(await isTerminal(descriptor)).to.equal(false);
  });
});

describe('the result', () => {
  for (const platform of ['linux', 'win32']) {
    it(`comes whole and unchanged (${platform})`, async () => {
      const script = `
        const terminal = new Terminal(process, writeToStdout('${platform}'));
        await terminal.writeResult('é'.repeat(${MEGABYTE}));
        process.exit(0);`;
      const ended = await run(process.execPath, withTerminal(script));
      expect(ended).to.deep.include({exitCode: 0, stderr: ''});
      expect(ended.stdout.equals(Buffer.from('é'.repeat(MEGABYTE)))).to.equal(true);
    });

    it(`that nobody reads any more is no error (${platform})`, async function () {
      if (process.platform === 'win32') this.skip();
      const script = `
        const terminal = new Terminal(process, writeToStdout('${platform}'));
        await terminal.writeResult('x'.repeat(${MEGABYTE}));
        process.stderr.write('done');
        process.exit(0);`;
      const piped = ['-c', '"$@" | :', 'sh', process.execPath, ...withTerminal(script)];
      expect(await run('/bin/sh', piped)).to.deep.include({exitCode: 0, stderr: 'done'});
    });
  }

  it('comes whole through a descriptor that does not wait for its reader', async function () {
    if (process.platform === 'win32') this.skip();
    const script = `
      // With a socket on it no writer to the descriptor waits any more.
      const stdout = new net.Socket({fd: 1, readable: false, writable: true});
      const terminal = new Terminal({stdout, stderr: process.stderr}, (bytes) => {
        const rest = writeToStdout('linux')(bytes);
        process.stderr.write(rest.length > 0 ? 'not at once' : 'at once');
        return rest;
      });
      await terminal.writeResult('é'.repeat(${MEGABYTE}));
      process.exit(0);`;
    const ended = await run(process.execPath, withTerminal(script), {slowly: true});
    expect(ended).to.deep.include({exitCode: 0, stderr: 'not at once'});
    expect(ended.stdout.equals(Buffer.from('é'.repeat(MEGABYTE)))).to.equal(true);
  });
});
