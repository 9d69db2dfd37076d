/**
 * Owns the demonstration: the main job on a screen. Without a cluster it brings up stand-ins of the API server and
 * of kubectl build, and says so; with `--cluster` it uses the cluster and the kubectl build that are there.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {node, startApiServer} from '../test/helpers/api-server.ts';
import {runViaKubectl} from '../test/helpers/programs.ts';
import {makeSandbox} from '../test/helpers/sandbox.ts';
import {ROOT} from './generated-file.ts';

const say = (text = '') => process.stdout.write(`${text}\n`);
const shown = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  [
    '$',
    ...Object.entries(env).map(([name, value]) => `${name}='${value}'`),
    'kubectl tiltbuild',
    ...args,
  ].join(' ');
const sayStream = (name: string, text: string) => {
  for (const line of text === '' ? [] : text.trimEnd().split('\n')) say(`${name} │ ${line}`);
};

interface Scene {
  readonly title: string;
  readonly args: readonly string[];
  readonly cluster?: 'kind-demo' | 'k3d-demo';
  readonly env?: Readonly<Record<string, string>>;
  readonly exitCode: number;
}

const SCENES: readonly Scene[] = [
  {
    title: 'A tag that no pod would ever find is refused, with the right one to paste.',
    args: ['-t', 'web:dev', '.'],
    exitCode: 3,
  },
  {
    title:
      'So it builds. There is no builder yet, so one is made; the digest goes to standard output, alone.',
    args: ['-t', 'docker.io/library/web:dev', '.'],
    exitCode: 0,
  },
  {
    title: 'The builder, and whether RUN steps work on it.',
    args: ['builder', 'ls'],
    exitCode: 0,
  },
  {
    title: 'By its content: the same sources get the same name, so that Tilt deploys nothing again.',
    args: [
      '--image',
      'localhost/web',
      '--ref-file',
      'web.ref',
      '--only',
      'index.html',
      '-q',
      '--print',
      'ref',
      '.',
    ],
    exitCode: 0,
  },
  {
    title: 'As Tilt runs it: its EXPECTED_REF is completed silently. A secret comes from the environment.',
    args: ['-t', 'web:tilt-build-1', '--secret', 'id=npm,env=NPM_TOKEN', '--quiet', '--print', 'json', '.'],
    env: {EXPECTED_REF: 'web:tilt-build-1', NPM_TOKEN: 'not shown anywhere'},
    exitCode: 0,
  },
  {
    title: 'On k3d nothing is started: it could not work there.',
    args: ['-t', 'docker.io/library/web:dev', '.'],
    cluster: 'k3d-demo',
    exitCode: 3,
  },
];

async function showOnStandIns(): Promise<boolean> {
  say(
    'This machine is taken to have no cluster. Two things are stand-ins here: the cluster "kind-demo", which is a',
  );
  say(
    'small API server on 127.0.0.1, and kubectl build, which prints what the real one printed when it was recorded.',
  );
  say('kubectl is real, and so is kubectl-tiltbuild, the binary in dist/. No image is made.');
  const [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
  try {
    api.state.nodes.push(node());
    let asExpected = true;
    for (const {title, args, cluster = 'kind-demo', env = {}, exitCode} of SCENES) {
      const names = {context: cluster, cluster, user: cluster};
      sandbox.writeKubeconfig(api.kubeconfig({auth: 'certificate', names, directory: sandbox.root}));
      const ended = await runViaKubectl({args, cwd: sandbox.work, env: {...sandbox.env, ...env}});
      say(`\n── ${title}\n`);
      say(shown(args, env));
      sayStream('stderr', ended.stderr);
      sayStream('stdout', ended.stdout);
      say(`exit code ${ended.exitCode}`);
      asExpected &&= ended.exitCode === exitCode;
    }
    return asExpected;
  } finally {
    sandbox.remove();
    await api.close();
  }
}

function showOnCluster(): boolean {
  const context = mkdtempSync(join(tmpdir(), 'kubectl-tiltbuild-demo-'));
  try {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY hello.txt /\n');
    writeFileSync(join(context, 'hello.txt'), `built by kubectl tiltbuild at ${new Date().toISOString()}\n`);
    const env = {...process.env, PATH: [join(ROOT, 'dist'), process.env.PATH].join(delimiter)};
    const args = ['-v', '-t', 'localhost/kubectl-tiltbuild-demo:dev', '.'];
    say('On the cluster of your current context, with your kubectl and your kubectl build:\n');
    say(shown(args));
    const ended = spawnSync('kubectl', ['tiltbuild', ...args], {cwd: context, env, stdio: 'inherit'});
    say(`exit code ${ended.status}`);
    return ended.status === 0;
  } finally {
    rmSync(context, {recursive: true, force: true});
  }
}

const good = process.argv.includes('--cluster') ? showOnCluster() : await showOnStandIns();
say(
  good
    ? '\nThat is all: see README.md for a first build with Tilt.'
    : '\nThis did not go as it should; see above.',
);
process.exitCode = good ? 0 : 1;
