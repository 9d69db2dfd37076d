/** Covers the variables of the environment that Bun knows: they change nothing in the binary, and its children get them. */
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {join} from 'node:path';
import {expect} from 'chai';
import {makeCertificateAuthority} from '../helpers/certificates.ts';
import {program} from '../helpers/programs.ts';
import {describeCommand, expectRefused, type World} from '../helpers/world.ts';

/** Whatever looks like a variable in the file of the runtime: some thousand names, most of them of constants. */
function readNames(): readonly string[] {
  const runtime = readFileSync(join('node_modules', 'bun', 'bin', 'bun.exe'), 'latin1');
  const strings = runtime.matchAll(/\0([A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*)(?=\0)/g);
  const inScripts = runtime.matchAll(/process\.env\.([A-Za-z_][A-Za-z0-9_]*)/g);
  const names = [...strings, ...inScripts].map(([, name = '']) => name);
  const engine = names.filter((name) => name.startsWith('JSC_')).map((name) => `BUN_${name}`);
  const allocator = ['VERBOSE', 'SHOW_STATS', 'SHOW_ERRORS'].map((option) => `MIMALLOC_${option}`);
  const isName = (name: string) => /^(?:[A-Z][A-Z0-9]*_[A-Z0-9_]+|BUN_JSC_.*|DEBUG)$/.test(name);
  return [...new Set([...names, ...engine, ...allocator])].filter(
    (name) => isName(name) && !OTHERS.test(name),
  );
}

/** What the system's loader and C library, kubectl, or the program itself reads. */
const OTHERS = /_PROXY$|^(?:DYLD|GLIBCXX|KUBE|LC|LD|SSL_CERT|XDG)_|^(?:NO|FORCE)_COLOR$/;

/** For a port that is free now. */
async function findPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as {readonly port: number};
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A login plugin that notes its environment, and whether its parent listens on the port. */
function installPlugin({sandbox, api}: World, port: number) {
  const [command, seen, probe] = ['plugin', 'seen', 'probe.mjs'].map((name) => join(sandbox.root, name)) as [
    string,
    string,
    string,
  ];
  const apiVersion = 'client.authentication.k8s.io/v1';
  const answer = JSON.stringify({kind: 'ExecCredential', apiVersion, status: {token: api.token}});
  writeFileSync(
    probe,
    `import {connect} from 'node:net';
     const end = (word) => { console.error('port ' + word); console.log(${JSON.stringify(answer)}); process.exit(); };
     connect(${port}, '127.0.0.1').on('connect', () => end('open')).on('error', () => end('closed'));`,
  );
  const script = `#!/bin/sh\n/usr/bin/env >"${seen}"\nexec /usr/bin/env -i "${process.execPath}" "${probe}" 2>>"${seen}"\n`;
  writeFileSync(command, script, {mode: 0o700});
  return {exec: {apiVersion, command, interactiveMode: 'Never'}, seen: () => readFileSync(seen, 'utf8')};
}

describeCommand('the variables that the runtime knows', (world) => {
  before(function () {
    if (program.name !== 'binary' || process.platform === 'win32') this.skip();
  });

  it('change nothing, and reach a login plugin as they are', async () => {
    const port = await findPort();
    const {sandbox} = world;
    const [marker, script] = [join(sandbox.root, 'marker'), join(sandbox.root, 'foreign.cjs')];
    // As a script it runs; as a file of certificates it trusts the stand-in.
    const code = `*/ require('fs').writeFileSync(${JSON.stringify(marker)}, '');\n`;
    writeFileSync(script, `/*\n${world.api.authority}\n${code}`);
    const plugin = installPlugin(world, port);
    const userFields = {exec: plugin.exec};
    const other = Buffer.from((await makeCertificateAuthority()).certificate).toString('base64');
    const names = readNames();
    expect(names).to.include.members(['BUN_OPTIONS', 'BUN_JSC_dumpOptions', 'NODE_TLS_REJECT_UNAUTHORIZED']);

    const observe = async (value?: string) => {
      const variables = value === undefined ? {} : Object.fromEntries(names.map((name) => [name, value]));
      const list = async () => await world.tiltbuild(['builder', 'ls'], {env: variables});
      world.connect({auth: 'none', userFields});
      const {exitCode, stdout, stderr} = await list();
      const seen = plugin.seen();
      for (const name of Object.keys(variables)) expect(seen).to.contain(`${name}=${value}\n`);
      expect(seen).to.contain('port closed');
      const before = world.api.requests.length;
      world.connect({auth: 'none', userFields, clusterFields: {'certificate-authority-data': other}});
      const refused = await list();
      expectRefused(world, refused, 4, 'certificate');
      expect(world.api.requests.length, 'requests to a server of another authority').to.equal(before);
      expect(existsSync(marker), 'foreign code ran').to.equal(false);
      // Without the builder's age.
      return {exitCode, stdout: stdout.replace(/ \d+s +/, ' '), stderr, refused: refused.stderr};
    };
    const expected = await observe();
    expect(expected).to.include({exitCode: 0, stderr: ''});
    for (const value of ['0', '1', '*', 'curl', script, `--preload=${script}`, `127.0.0.1:${port}`]) {
      expect(await observe(value), `variables with the value ${value}`).to.deep.equal(expected);
    }
  });
});
