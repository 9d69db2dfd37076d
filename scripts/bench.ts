/**
 * Owns `npm run bench`: what kubectl tiltbuild costs, each case beside its peer. It asserts nothing, as times depend on
 * the machine and ratios little. `--save` keeps the results in docs/benchmarks.md and docs/benchmarks.svg.
 * BENCH_ROUNDS says how often; BENCH_KUBECONFIG names a real cluster, on which it measures as well, with images made
 * from BENCH_BASE_IMAGE.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {cpus} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import pjson from '../package.json' with {type: 'json'};
import type {KubeconfigOptions} from '../test/helpers/api-kubeconfig.ts';
import {runningPod} from '../test/helpers/api-pods.ts';
import {startApiServer} from '../test/helpers/api-server.ts';
import {realKubectlDirectory} from '../test/helpers/real-kubectl.ts';
import {makeSandbox} from '../test/helpers/sandbox.ts';
import {DIGEST, furnish, KIND_NAMES, PLAIN_NAMES, PROXY} from '../test/helpers/world.ts';
import {benchCluster} from './bench-cluster.ts';
import {
  type Case,
  type Comparison,
  compare,
  measureMemory,
  type Program,
  type Result,
  runProgram,
} from './bench-measure.ts';
import {formatMarkdown, formatMemory, formatPlot, formatResult, type Report} from './bench-report.ts';
import {fillPart, ROOT} from './generated-file.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 25);
const FILES = 100_000;
const AT_ONCE = 8;
const windows = process.platform === 'win32';
const binary = join(ROOT, 'dist', windows ? 'kubectl-tiltbuild.exe' : 'kubectl-tiltbuild');
const kubectl = join(realKubectlDirectory(), windows ? 'kubectl.exe' : 'kubectl');
const say = (text: string) => process.stdout.write(`${text}\n`);

const [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
try {
  furnish(api);
  const connect = (file: string, options: Omit<KubeconfigOptions, 'directory'>) => {
    const path = join(sandbox.root, file);
    const directory = join(sandbox.root, `${file}-files`);
    mkdirSync(directory);
    writeFileSync(path, api.kubeconfig({...options, directory}), {mode: 0o600});
    return {KUBECONFIG: path};
  };
  const certificate = connect('certificate', {auth: 'certificate', names: KIND_NAMES});
  const program = (command: string, args: readonly string[], env: Program['env'] = certificate): Program => ({
    command,
    args,
    env: {...sandbox.env, ...env},
    cwd: sandbox.work,
  });
  const one = (name: string, of: Program): Case => ({name, run: () => runProgram(of)});
  const several = (name: string, of: Program): Case => ({
    name,
    run: () => Promise.all(Array.from({length: AT_ONCE}, () => runProgram(of))),
  });

  const build = ['-t', 'localhost/web:dev', '.'];
  // Nothing is sent to it: Go takes no proxy to a loopback address.
  const proxied = {...certificate, ...PROXY};
  const alone = program(join(sandbox.bin, 'kubectl-build'), build);
  const viaKubectl = program(kubectl, ['build', ...build]);
  const ours = (args: readonly string[], env: Program['env'] = certificate) => program(binary, args, env);
  const empty = join(sandbox.root, 'empty.js');
  writeFileSync(empty, '');

  const plugin = connect('plugin', {
    auth: 'none',
    names: KIND_NAMES,
    userFields: {exec: writeSlowPlugin(join(sandbox.root, 'slow-plugin'), api.token)},
  });

  // A node that runs the image by its reference already, and one that does not.
  const known = `localhost/known:tilt-${DIGEST.slice(7, 23)}`;
  const nodeName = api.state.nodes[0]?.metadata.name as string;
  api.state.pods.push(runningPod({name: 'known', namespace: 'apps', node: nodeName, image: known}));
  const referenceFile = (name: string) => ['--image', name, '--ref-file', join(sandbox.root, 'ref'), '.'];

  const large = join(sandbox.root, 'large');
  writeManyFiles(large);

  // It asks other programs for their versions; with none on PATH it is the start alone.
  const start = ours(['--version'], {...certificate, PATH: ''});
  const comparisons: readonly Comparison[] = [
    {
      title: `Start, against an empty script in Node ${process.versions.node}`,
      cases: [
        one('node empty.js', program(process.execPath, [empty])),
        one('kubectl-tiltbuild --version', start),
        one('kubectl-tiltbuild --help', ours(['--help'])),
      ],
    },
    {
      title: 'A whole run with every check, against its delegate (a stand-in) alone',
      cases: [
        one('kubectl-build alone', alone),
        one('kubectl build, through kubectl', viaKubectl),
        one('kubectl-tiltbuild, client certificate', ours(build)),
        one(
          'kubectl-tiltbuild, bearer token',
          ours(build, connect('token', {auth: 'token', names: KIND_NAMES})),
        ),
        one(
          'kubectl-tiltbuild, names that tell nothing',
          ours(build, connect('plain', {auth: 'token', names: PLAIN_NAMES})),
        ),
        one('kubectl-tiltbuild, behind a proxy (kubectl asks)', ours(build, proxied)),
      ],
    },
    {
      title: 'With a login plugin that takes half a second, against kubectl build',
      cases: [
        one('kubectl build', program(kubectl, ['build', ...build], plugin)),
        one('kubectl-tiltbuild', ours(build, plugin)),
        one('kubectl-tiltbuild, behind a proxy (kubectl asks)', ours(build, {...plugin, ...PROXY})),
      ],
      rounds: 10,
    },
    {
      title: 'Diagnosis, against a whole run',
      cases: [
        one('kubectl-tiltbuild', ours(build)),
        one('kubectl-tiltbuild --dry-run', ours(['--dry-run', ...build])),
        one('kubectl-tiltbuild doctor', ours(['doctor'])),
      ],
    },
    {
      title: 'A reference file, against the same build without one',
      cases: [
        one('-t NAME:TAG', ours(build)),
        one('--image, in use on the node', ours(referenceFile('localhost/known'))),
        one('--image, not known to be there', ours(referenceFile('localhost/new'))),
      ],
    },
    {
      title: `A context of ${FILES.toLocaleString('en')} files, against all of it`,
      cases: [
        one('all of it', {...ours(build), cwd: large}),
        one('--only and --ignore', {
          ...ours(['--only', 'd0', '--only', 'd1', '--ignore', '**/*.md', ...build]),
          cwd: large,
        }),
      ],
    },
    {
      title: `${AT_ONCE} builds at once on ${cpus().length} cores, against as many delegates`,
      cases: [several('kubectl-build', alone), several('kubectl-tiltbuild', ours(build))],
      rounds: 10,
    },
  ];

  say('');
  const results: Result[] = [];
  for (const comparison of comparisons) {
    const result = await compare(comparison, ROUNDS);
    results.push(result);
    say(formatResult(result));
  }
  const memory: {name: string; megabytes: number}[] = [];
  for (const [name, of] of [
    ['--version', start],
    ['a whole run', ours(build)],
    ['a whole run, through kubectl', ours(build, proxied)],
  ] as const) {
    const megabytes = await measureMemory(of);
    if (megabytes !== undefined) memory.push({name, megabytes});
  }
  if (memory.length > 0) say(formatMemory(memory));

  const {BENCH_KUBECONFIG, BENCH_BASE_IMAGE = 'busybox:1.37'} = process.env;
  if (BENCH_KUBECONFIG) {
    // What is started ends by the same Ctrl-C, and the namespace still has to be removed then.
    process.on('SIGINT', () => undefined);
    await benchCluster(
      {
        tiltbuild: binary,
        kubectl,
        // A login plugin may need any of it.
        env: {...(process.env as Program['env']), KUBECONFIG: resolve(BENCH_KUBECONFIG)},
        directory: sandbox.root,
        baseImage: BENCH_BASE_IMAGE,
        rounds: ROUNDS,
        atOnce: AT_ONCE,
      },
      (result) => {
        say(formatResult(result));
        results.push(result);
      },
    );
  }
  if (process.argv.includes('--save')) save({about: describeMachine(), results, memory});
} finally {
  sandbox.remove();
  await api.close();
}

/** As those of the clouds, which start a Python or go out to the net. */
function writeSlowPlugin(path: string, token: string): object {
  const apiVersion = 'client.authentication.k8s.io/v1';
  const answer = JSON.stringify({kind: 'ExecCredential', apiVersion, status: {token}});
  const script = `setTimeout(() => console.log(${JSON.stringify(answer)}), 500);`;
  writeFileSync(path, `#!${process.execPath}\n${script}\n`, {mode: 0o700});
  return {apiVersion, command: path, interactiveMode: 'Never'};
}

function writeManyFiles(root: string): void {
  const perDirectory = 1000;
  for (let directory = 0; directory * perDirectory < FILES; directory += 1) {
    const path = join(root, `d${directory}`);
    mkdirSync(path, {recursive: true});
    for (let file = 0; file < perDirectory; file += 1) writeFileSync(join(path, `f${file}`), '');
  }
  writeFileSync(join(root, 'Dockerfile'), 'FROM scratch\nCOPY . /\n');
}

function describeMachine(): readonly string[] {
  const [cpu] = cpus();
  return [
    `kubectl-tiltbuild ${pjson.version}`,
    `${cpus().length} × ${cpu?.model.trim() ?? 'an unknown processor'}`,
    `${process.platform} ${process.arch}`,
  ];
}

function save(report: Report): void {
  const [page, plot] = ['benchmarks.md', 'benchmarks.svg'].map((name) => join(ROOT, 'docs', name)) as [
    string,
    string,
  ];
  mkdirSync(dirname(page), {recursive: true});
  writeFileSync(page, fillPart(readFileSync(page, 'utf8'), 'results', formatMarkdown(report)));
  writeFileSync(plot, formatPlot(report));
}
