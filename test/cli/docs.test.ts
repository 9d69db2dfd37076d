/** The pages for when something is wrong: each message that they name is one of ours, each command in them works. */
import {readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {makeCertificateAuthority} from '../helpers/certificates.ts';
import {runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {describeCommand} from '../helpers/world.ts';

const root = join(import.meta.dirname, '../..');
const PAGES = ['troubleshooting.md', 'registries.md'] as const;

const read = (page: string) => readFileSync(join(root, 'docs', page), 'utf8');

/** As they are typed, without the comment behind them. */
function commandsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
    block
      .split('\n')
      .map((line) => line.replace(/\s+#.*$/, '').trim())
      .filter((line) => line !== ''),
  );
}

function sources(directory: string): string {
  return readdirSync(directory, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
    .replaceAll(/\\(['"`])/g, '$1');
}

describe('docs/troubleshooting.md', () => {
  const text = sources(join(root, 'src'));
  const messages = [...read('troubleshooting.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
    ([, message]) => message as string,
  );

  it('has messages', () => expect(messages).to.have.length.above(20));

  for (const message of messages) {
    it(`names a message of ours: ${message}`, () => {
      // A quote stands before and behind what differs.
      for (const part of message.split(/"?…"?/)) expect(text).to.include(part.trim().replace(/^[,.]$/, ''));
    });
  }
});

describe('docs', () => {
  for (const page of PAGES) {
    it(`${page} leads to pages that are there`, () => {
      for (const [, target = ''] of read(page).matchAll(/\]\(([\w./-]+)\)/g))
        expect(readFileSync(join(root, 'docs', target), 'utf8')).not.to.equal('');
    });
  }
});

for (const page of PAGES) {
  describeCommand(`docs/${page}`, (world) => {
    // What the commands name.
    beforeEach(async () => {
      const {certificate} = await makeCertificateAuthority();
      world.api.state.configmaps.push({
        ...{kind: 'ConfigMap', apiVersion: 'v1'},
        metadata: {name: 'local-registry-hosting', namespace: 'kube-public'},
        data: {'localRegistryHosting.v1': 'host: localhost:5001\n'},
      });
      const files = {
        'config.json': '{"auths":{}}',
        'ca.pem': certificate,
        'buildkitd.toml': 'debug = true\n',
      };
      for (const [name, text] of Object.entries(files)) writeFileSync(join(world.sandbox.work, name), text);
    });
    for (const line of commandsOf(page)) {
      it(`has a command that works: ${line}`, async () => {
        const [kubectl, ...words] = line.split(' ').filter(Boolean) as [string, ...string[]];
        expect(kubectl).to.equal('kubectl');
        if (words[0] === 'tiltbuild') {
          const ended = await world.tiltbuild(words.slice(1));
          // No other program of the doctor's is in the sandbox.
          const expected = words[1] === 'doctor' ? [0, 4] : [0];
          expect(ended.exitCode, ended.stderr).to.be.oneOf(expected);
          return;
        }
        const {env, work: cwd} = world.sandbox;
        const isRead = words[0] === 'get';
        const args = isRead ? words : [...words, '--dry-run=client', '--output=name'];
        const ended = await runCommand(join(realKubectlDirectory(), 'kubectl'), args, {env, cwd});
        expect(ended.exitCode, ended.stderr).to.equal(0);
        expect(ended.stdout).to.match(
          isRead ? /^ {4}host: localhost:5001$/m : /^(secret\/docker-registry|pod\/web)\n$/,
        );
      });
    }
  });
}
