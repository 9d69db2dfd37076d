/**
 * Owns the demo. By default it starts stand-ins of the API server and of kubectl build, and says so; with `--cluster` it
 * uses the current context. `--svg FILE` draws the README's picture.
 */
import {spawnSync} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {parseArgs} from 'node:util';
import {runViaKubectl} from '../test/helpers/programs.ts';
import {realKubectlDirectory} from '../test/helpers/real-kubectl.ts';
import {drawDemo} from './demo-picture.ts';
import {setStage} from './demo-stage.ts';
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
  /** Whether PATH is without `kubectl build`. */
  readonly withoutPlugin?: true;
  readonly exitCode: number;
}

const SCENES: readonly Scene[] = [
  {
    title: 'It refuses a tag that no pod would find, and shows the full name to use.',
    args: ['-t', 'web:dev', '.'],
    exitCode: 3,
  },
  {
    title: 'With that tag, it creates a builder and builds. Standard output is only the digest.',
    args: ['-t', 'docker.io/library/web:dev', '.'],
    exitCode: 0,
  },
  {
    title: 'It lists the builder, and whether it can run RUN steps.',
    args: ['builder', 'ls'],
    exitCode: 0,
  },
  {
    title: 'Without kubectl build on PATH, its own BuildKit client builds.',
    args: ['-v', '-t', 'docker.io/library/web:dev', '.'],
    withoutPlugin: true,
    exitCode: 0,
  },
  {
    title: 'It makes the tag from the content: unchanged sources keep their tag, and Tilt deploys nothing.',
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
    title: 'As Tilt runs it: with EXPECTED_REF, and a secret from the environment.',
    args: ['-t', 'web:tilt-build-1', '--secret', 'id=npm,env=NPM_TOKEN', '--quiet', '--print', 'json', '.'],
    env: {EXPECTED_REF: 'web:tilt-build-1', NPM_TOKEN: 'not shown anywhere'},
    exitCode: 0,
  },
  {
    title: 'It refuses to build on k3d, where builds cannot work.',
    args: ['-t', 'docker.io/library/web:dev', '.'],
    cluster: 'k3d-demo',
    exitCode: 3,
  },
];

async function showOnStandIns(): Promise<boolean> {
  say(
    'This demo needs no cluster. Three things are stand-ins, and build no image: the cluster "kind-demo", a small',
  );
  say('API server on 127.0.0.1; BuildKit in its builder; and kubectl build, which prints recorded output.');
  say('kubectl is real, and so is kubectl-tiltbuild, the binary in dist/.');
  const stage = await setStage();
  const {sandbox} = stage;
  try {
    let asExpected = true;
    for (const {title, args, cluster = 'kind-demo', env = {}, withoutPlugin, exitCode} of SCENES) {
      stage.use(cluster);
      const base = withoutPlugin ? {...sandbox.env, PATH: realKubectlDirectory()} : sandbox.env;
      const ended = await runViaKubectl({args, cwd: sandbox.work, env: {...base, ...env}});
      say(`\n── ${title}\n`);
      say(shown(args, env));
      sayStream('stderr', ended.stderr);
      sayStream('stdout', ended.stdout);
      say(`exit code ${ended.exitCode}`);
      asExpected &&= ended.exitCode === exitCode;
    }
    return asExpected;
  } finally {
    await stage.close();
  }
}

function showOnCluster(): boolean {
  const context = mkdtempSync(join(tmpdir(), 'kubectl-tiltbuild-demo-'));
  try {
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY hello.txt /\n');
    writeFileSync(join(context, 'hello.txt'), `built by kubectl tiltbuild at ${new Date().toISOString()}\n`);
    const env = {...process.env, PATH: [join(ROOT, 'dist'), process.env.PATH].join(delimiter)};
    const args = ['-v', '-t', 'localhost/kubectl-tiltbuild-demo:dev', '.'];
    say('On the cluster of your current context:\n');
    say(shown(args));
    const ended = spawnSync('kubectl', ['tiltbuild', ...args], {cwd: context, env, stdio: 'inherit'});
    say(`exit code ${ended.status}`);
    return ended.status === 0;
  } finally {
    rmSync(context, {recursive: true, force: true});
  }
}

const {values} = parseArgs({options: {cluster: {type: 'boolean'}, svg: {type: 'string'}}});
if (values.svg !== undefined) {
  writeFileSync(values.svg, await drawDemo(join(ROOT, 'dist', 'kubectl-tiltbuild')));
} else {
  const good = values.cluster ? showOnCluster() : await showOnStandIns();
  say(good ? '\nNext: build with Tilt, as README.md shows.' : '\nThe demo failed; see above.');
  process.exitCode = good ? 0 : 1;
}
