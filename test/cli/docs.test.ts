/** The documentation: each message that it names is one of ours, each link leads somewhere, each command in it works. */
import {chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {expect} from 'chai';
import {formatCommand} from '../../src/text/shell-words.ts';
import {makeCertificateAuthority} from '../helpers/certificates.ts';
import {serveContainerd} from '../helpers/containerd-stand-in.ts';
import {
  PAGES,
  readAnchors,
  readCommands,
  readLinks,
  readPage,
  type ShownCommand,
} from '../helpers/doc-pages.ts';
import {serveBuildkit} from '../helpers/engines.ts';
import {runCommand} from '../helpers/programs.ts';
import {realKubectlDirectory} from '../helpers/real-kubectl.ts';
import {describeCommand, removeBuilders, type World} from '../helpers/world.ts';

const root = join(import.meta.dirname, '../..');

/** Commands that are not run here, and why. */
const NOT_RUN: readonly (readonly [command: RegExp, reason: string])[] = [
  [/^(kind create cluster|minikube start)$/, 'creates a cluster'],
  [/^npm (test|run)|^BENCH_\w+=.* npm run/, 'is run for the project itself'],
  [/^cosign |^cd dist\/release|^sha256sum /, 'needs a release'],
  [/^docker buildx /, 'needs a registry with the images'],
  [/^ln -s ~\/\.krew/, 'needs an installation by krew'],
  [/\[flags\]/, 'is the usage'],
  [/ images rm IMAGE$/, 'needs the name of an image; node-images.test.ts removes some'],
  [/ builder rm buildkit$/, 'asks; terminal.test.ts answers'],
  [
    /^kubectl apply --filename rbac\.yaml$/,
    'needs roles, which the stand-in has none of; rbac.test.ts reads them',
  ],
];

/** Pages whose blocks are one story that begins without a builder. Other blocks stand for themselves. */
const STORIES: readonly string[] = ['README.md', 'docs/first-build.md', 'docs/builders.md', 'docs/nodes.md'];

function sources(directory: string): string {
  return readdirSync(directory, {withFileTypes: true, recursive: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n')
    .replaceAll(/\\(['"`])/g, '$1');
}

describe('docs/troubleshooting.md', () => {
  const text = sources(join(root, 'src'));
  const messages = [...readPage('docs/troubleshooting.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
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

describe('the documentation', () => {
  for (const page of PAGES) {
    it(`${page} leads to files and headings that are there`, () => {
      for (const target of readLinks(page)) {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : join(dirname(page), path);
        expect(existsSync(join(root, file)), target).to.equal(true);
        if (anchor !== undefined) expect(readAnchors(file), target).to.include(anchor);
      }
    });
  }

  it('has each command that is not run here', () => {
    const commands = PAGES.flatMap(readCommands).flat();
    for (const [pattern] of NOT_RUN)
      expect(
        commands.some(({command}) => pattern.test(command)),
        String(pattern),
      ).to.equal(true);
  });
});

for (const page of PAGES) {
  const blocks = readCommands(page)
    .map((block) => block.filter(({command}) => !NOT_RUN.some(([pattern]) => pattern.test(command))))
    .filter((block) => block.length > 0);
  if (blocks.length === 0) continue;
  describeCommand(`the commands in ${page}`, (world) => {
    beforeEach(async function () {
      if (process.platform === 'win32') this.skip();
      await furnishForPages(world);
      if (STORIES.includes(page)) removeBuilders(world);
    });
    for (const block of STORIES.includes(page) ? [blocks.flat()] : blocks) {
      it(`work: ${block[0]?.command}${block.length > 1 ? ' …' : ''}`, async () => {
        for (const shown of block) await expectWorks(world, shown);
      });
    }
  });
}

/** What the commands name. */
async function furnishForPages(world: World): Promise<void> {
  const {api, sandbox, program} = world;
  const {certificate} = await makeCertificateAuthority();
  const names = {context: 'kind-dev', cluster: 'kind-dev', user: 'kind-dev'};
  world.connect({names});
  api.state.namespaces.add('builds');
  api.state.configmaps.push({
    ...{kind: 'ConfigMap', apiVersion: 'v1'},
    metadata: {name: 'local-registry-hosting', namespace: 'kube-public'},
    data: {'localRegistryHosting.v1': 'host: localhost:5001\n'},
  });
  serveBuildkit(world);
  serveContainerd(world);
  const files = {
    'config.json': '{"auths":{}}',
    'ca.pem': certificate,
    'buildkitd.toml': 'debug = true\n',
    'package.json': '{}',
    'src/main.js': '',
  };
  mkdirSync(join(sandbox.work, 'src'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(sandbox.work, name), text);
  // The shell finds it as kubectl does; the plugin kubectl build is in another directory.
  const plugin = join(sandbox.home, 'kubectl-tiltbuild');
  writeFileSync(plugin, `#!/bin/sh\nexec ${formatCommand([program.command, ...program.args])} "$@"\n`);
  chmodSync(plugin, 0o755);
}

/** Runs it in a shell, as a reader does. kubectl itself changes nothing: the stand-in has no pods and secrets to create. */
async function expectWorks({sandbox}: World, {command, output}: ShownCommand): Promise<void> {
  const isOurs = command.startsWith('kubectl tiltbuild');
  const isRead = isOurs || command.startsWith('kubectl get');
  const line = isRead ? command : `${command} --dry-run=client`;
  const PATH = [realKubectlDirectory(), sandbox.home].join(':');
  const ended = await runCommand('/bin/sh', ['-c', `${line} 2>&1`], {
    env: {...sandbox.env, PATH, NPM_TOKEN: 'npm-token'},
    cwd: sandbox.work,
  });
  expect(ended.exitCode, `${command}\n${ended.stdout}`).to.equal(0);
  if (isOurs && output.length > 0) expect(ended.stdout).to.match(patternOf(output), command);
}

/** An ellipsis stands for any lines where it is one, else for any words. Columns are as wide as they are. */
function patternOf(lines: readonly string[]): RegExp {
  const parts = lines.map((line) =>
    line === '…'
      ? '(?:.*\\n)*?'
      : `${line
          .trimEnd()
          .replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')
          .replaceAll(/ +/g, ' +')
          .replaceAll('…', '.+')}\\n`,
  );
  return new RegExp(`^${parts.join('')}$`);
}
