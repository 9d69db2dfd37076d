/**
 * Owns `npm run bench`: the times of kubectl tiltbuild and of other programs for comparison. It asserts nothing,
 * because times depend on the machine. `--save` writes the results to docs/benchmarks.md and docs/benchmarks.svg.
 * BENCH_ROUNDS sets the number of rounds, BENCH_ONLY part of the title of the comparisons to run. BENCH_KUBECONFIG adds measurements on a real cluster, with images built from
 * BENCH_BASE_IMAGE.
 */
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {cpus, tmpdir} from 'node:os';
import {join, resolve} from 'node:path';
import pjson from '../package.json' with {type: 'json'};
import type {KubeconfigOptions} from '../test/helpers/api-kubeconfig.ts';
import {startApiServer} from '../test/helpers/api-server.ts';
import {serveContainerd} from '../test/helpers/containerd-stand-in.ts';
import {installCredentialPlugin} from '../test/helpers/credential-plugin.ts';
import {serveBuildkit} from '../test/helpers/engines.ts';
import {realKubectlDirectory} from '../test/helpers/real-kubectl.ts';
import {makeSandbox} from '../test/helpers/sandbox.ts';
import {DIGEST, furnish, KIND_NAMES, PLAIN_NAMES, PROXY} from '../test/helpers/world.ts';
import {benchCluster} from './bench-cluster.ts';
import {measureLink} from './bench-link.ts';
import {
  type Comparison,
  compare,
  measureMemory,
  oneRun,
  type Program,
  type Result,
  runsAtOnce,
} from './bench-measure.ts';
import {
  formatLink,
  formatMarkdown,
  formatMemory,
  formatPlot,
  formatResult,
  LINK,
  type Report,
} from './bench-report.ts';
import {fillPart, ROOT} from './generated-file.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 25);
const ONLY = process.env.BENCH_ONLY ?? '';
const FILES = 100_000;
const AT_ONCE = 8;
const windows = process.platform === 'win32';
const binary = join(ROOT, 'dist', windows ? 'kubectl-tiltbuild.exe' : 'kubectl-tiltbuild');
const kubectl = join(realKubectlDirectory(), windows ? 'kubectl.exe' : 'kubectl');
const say = (text: string) => process.stdout.write(`${text}\n`);

const [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
try {
  furnish(api);
  serveBuildkit({api});
  const containerd = serveContainerd({api});
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
  const build = ['-t', 'localhost/web:dev', '.'];
  const proxied = {...certificate, ...PROXY};
  const alone = program(join(sandbox.bin, 'kubectl-build'), build);
  const viaKubectl = program(kubectl, ['build', ...build]);
  const ours = (args: readonly string[], env: Program['env'] = certificate) => program(binary, args, env);
  const empty = join(sandbox.root, 'empty.js');
  writeFileSync(empty, '');

  // Like the plugins of cloud providers, which start Python or use the network.
  const {exec} = installCredentialPlugin(sandbox.root, {tokens: api.token, delayMs: 500});
  const plugin = connect('plugin-login', {auth: 'none', names: KIND_NAMES, userFields: {exec}});

  // The node has this image, and not `localhost/new`, which gets its tag by a second pass.
  containerd.add(`localhost/known:tilt-${DIGEST.slice(7, 23)}`, DIGEST);
  const referenceFile = (name: string) => ['--image', name, '--ref-file', join(sandbox.root, 'ref'), '.'];

  const token = connect('token', {auth: 'token', names: KIND_NAMES});
  const builtin = (args: readonly string[]) => ['--engine', 'builtin', ...args];

  const large = join(sandbox.root, 'large');
  writeManyFiles(large);

  // With an empty PATH, --version asks no other program for its version, and only starts.
  const start = ours(['--version'], {...certificate, PATH: ''});
  const comparisons: readonly Comparison[] = [
    {
      title: `Start, against an empty script in Node ${process.versions.node}`,
      cases: [
        oneRun('node empty.js', program(process.execPath, [empty])),
        oneRun('kubectl-tiltbuild --version', start),
        oneRun('kubectl-tiltbuild --help', ours(['--help'])),
      ],
    },
    {
      title: 'A whole run with every check, against its delegate (a stand-in) alone',
      cases: [
        oneRun('kubectl-build alone', alone),
        oneRun('kubectl build, through kubectl', viaKubectl),
        oneRun('kubectl-tiltbuild, client certificate', ours(build)),
        oneRun('kubectl-tiltbuild, bearer token', ours(build, token)),
        oneRun(
          'kubectl-tiltbuild, with a request for the nodes',
          ours(build, connect('plain', {auth: 'token', names: PLAIN_NAMES})),
        ),
        oneRun('kubectl-tiltbuild, through a proxy and kubectl', ours(build, proxied)),
      ],
    },
    {
      title: 'A cached build by the builtin engine, against kubectl build (a stand-in) through kubectl',
      cases: [
        oneRun('kubectl build, through kubectl', viaKubectl),
        oneRun('builtin', ours(builtin(build))),
        oneRun('builtin, --image, tagged in the node', ours(builtin(referenceFile('localhost/known')))),
        oneRun('builtin, --image, by a second pass', ours(builtin(referenceFile('localhost/new')))),
        oneRun('builtin, bearer token', ours(builtin(build), token)),
      ],
    },
    {
      title: 'With a login plugin that takes half a second, against kubectl build',
      cases: [
        oneRun('kubectl build', program(kubectl, ['build', ...build], plugin)),
        oneRun('kubectl-tiltbuild', ours(build, plugin)),
        oneRun('kubectl-tiltbuild, through a proxy and kubectl', ours(build, {...plugin, ...PROXY})),
      ],
      rounds: 10,
    },
    {
      title: 'Diagnosis, against a whole run',
      cases: [
        oneRun('kubectl-tiltbuild', ours(build)),
        oneRun('kubectl-tiltbuild --dry-run', ours(['--dry-run', ...build])),
        oneRun('kubectl-tiltbuild doctor', ours(['doctor'])),
      ],
    },
    {
      title: 'A reference file, against the same build without one',
      cases: [
        oneRun('-t NAME:TAG', ours(build)),
        oneRun('--image, tagged in the node', ours(referenceFile('localhost/known'))),
        oneRun('--image, by a second pass', ours(referenceFile('localhost/new'))),
      ],
    },
    {
      title: `A context of ${FILES.toLocaleString('en')} files, against all of it`,
      cases: [
        oneRun('all of it', {...ours(build), cwd: large}),
        oneRun('--only and --ignore', {
          ...ours(['--only', 'd0', '--only', 'd1', '--ignore', '**/*.md', ...build]),
          cwd: large,
        }),
      ],
    },
    {
      title: `${AT_ONCE} builds at once on ${cpus().length} cores, against as many delegates`,
      cases: [
        runsAtOnce('kubectl-build', alone, AT_ONCE),
        runsAtOnce('kubectl-tiltbuild', ours(build), AT_ONCE),
      ],
      rounds: 10,
    },
  ];

  say('');
  const results: Result[] = [];
  const report = (result: Result) => {
    results.push(result);
    say(formatResult(result));
  };
  for (const comparison of comparisons)
    if (comparison.title.includes(ONLY)) report(await compare(comparison, ROUNDS));
  const memory: {name: string; megabytes: number}[] = [];
  const measured = [
    ['--version', start],
    ['a whole run', ours(build)],
    ['a whole run, through kubectl', ours(build, proxied)],
  ] as const;
  for (const [name, of] of ONLY === '' ? measured : []) {
    const megabytes = await measureMemory(of);
    if (megabytes !== undefined) memory.push({name, megabytes});
  }
  if (memory.length > 0) say(formatMemory(memory));
  const link = ONLY === '' || LINK.includes(ONLY) ? await measureLink() : [];
  if (link.length > 0) say(formatLink(link));

  const {BENCH_KUBECONFIG, BENCH_BASE_IMAGE = 'busybox:1.37'} = process.env;
  if (BENCH_KUBECONFIG) {
    // Ctrl-C ends the running programs. The namespace must be deleted after that.
    process.on('SIGINT', () => undefined);
    // Not in the sandbox: kubectl build fails in a directory whose name is not ASCII.
    const directory = mkdtempSync(join(tmpdir(), 'kubectl-tiltbuild-bench-'));
    const cluster = {
      tiltbuild: binary,
      kubectl,
      // A login plugin may need any variable.
      env: {...(process.env as Program['env']), KUBECONFIG: resolve(BENCH_KUBECONFIG)},
      directory,
      baseImage: BENCH_BASE_IMAGE,
      rounds: ROUNDS,
      atOnce: AT_ONCE,
    };
    try {
      await benchCluster(cluster, report);
    } finally {
      rmSync(directory, {recursive: true});
    }
  }
  if (process.argv.includes('--save') && ONLY === '') save({about: describeMachine(), results, memory, link});
} finally {
  sandbox.remove();
  await api.close();
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
  const page = join(ROOT, 'docs', 'benchmarks.md');
  writeFileSync(page, fillPart(readFileSync(page, 'utf8'), 'results', formatMarkdown(report)));
  writeFileSync(join(ROOT, 'docs', 'benchmarks.svg'), formatPlot(report));
}
