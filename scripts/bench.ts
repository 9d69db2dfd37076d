/**
 * Owns the benchmark: each case beside its peer, in turns, in one run. It prints times and ratios and asserts
 * nothing, as times depend on the machine and ratios little.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {startApiServer} from '../test/helpers/api-server.ts';
import {runCommand} from '../test/helpers/programs.ts';
import {makeSandbox, type Sandbox} from '../test/helpers/sandbox.ts';
import {furnish, KIND_NAMES, PLAIN_NAMES} from '../test/helpers/world.ts';
import {ROOT} from './generated-file.ts';

interface Case {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

interface Comparison {
  readonly title: string;
  readonly peer: Case;
  readonly cases: readonly Case[];
}

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 25);
const binary = join(
  ROOT,
  'dist',
  process.platform === 'win32' ? 'kubectl-tiltbuild.exe' : 'kubectl-tiltbuild',
);
const say = (text = '') => process.stdout.write(`${text}\n`);

async function compare({title, peer, cases}: Comparison, sandbox: Sandbox): Promise<void> {
  const all = [peer, ...cases];
  const times = new Map(all.map(({name}) => [name, [] as number[]]));
  for (let round = -2; round < ROUNDS; round += 1) {
    for (const {name, command, args, env} of all) {
      const ended = await runCommand(command, args, {cwd: sandbox.work, env: {...sandbox.env, ...env}});
      if (ended.exitCode !== 0) throw new Error(`${name} ended with ${ended.exitCode}:\n${ended.stderr}`);
      // The first two rounds warm the caches up.
      if (round >= 0) times.get(name)?.push(ended.durationMs);
    }
  }
  say(`\n${title} (${ROUNDS} rounds, in turns)`);
  say(`${''.padEnd(44)}${['min', 'median', 'max'].map((word) => word.padStart(9)).join('')}   to its peer`);
  const peerMedian = median(times.get(peer.name) ?? []);
  for (const {name} of all) {
    const measured = times.get(name) ?? [];
    const figures = [Math.min(...measured), median(measured), Math.max(...measured)];
    const cells = figures.map((ms) => `${ms.toFixed(1)} ms`.padStart(9)).join('');
    const over = median(measured) - peerMedian;
    const ratio =
      name === peer.name
        ? ''
        : `   ${(median(measured) / peerMedian).toFixed(2)} ×, ${over >= 0 ? '+' : ''}${over.toFixed(1)} ms`;
    say(`${name.padEnd(44)}${cells}${ratio}`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function sayMemory(cases: readonly Case[], sandbox: Sandbox): Promise<void> {
  if (process.platform !== 'linux') return;
  say('\nMemory (peak resident, of the process itself)');
  for (const {name, command, args, env} of cases) {
    const {maxRssKb} = await runCommand(command, args, {
      cwd: sandbox.work,
      env: {...sandbox.env, ...env},
      measureMemory: true,
    });
    say(`${name.padEnd(44)}${`${((maxRssKb ?? 0) / 1024).toFixed(0)} MB`.padStart(9)}`);
  }
}

const [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
try {
  furnish(api);
  const connect = (file: string, auth: 'certificate' | 'token' | 'exec', names: typeof KIND_NAMES) => {
    const path = join(sandbox.root, file);
    const directory = join(sandbox.root, `${file}-files`);
    mkdirSync(directory);
    writeFileSync(path, api.kubeconfig({auth, names, directory}), {mode: 0o600});
    return {KUBECONFIG: path};
  };
  const certificate = connect('certificate', 'certificate', KIND_NAMES);
  const build = ['-t', 'localhost/web:dev', '.'];
  const delegate = join(sandbox.bin, 'kubectl-build');
  const empty = join(sandbox.root, 'empty.js');
  writeFileSync(empty, '');

  const start: Case = {name: 'kubectl-tiltbuild --version', command: binary, args: ['--version']};
  const whole: Case = {
    name: 'kubectl-tiltbuild, client certificate',
    command: binary,
    args: build,
    env: certificate,
  };
  await compare(
    {
      title: `Start, against an empty script in Node ${process.versions.node}`,
      peer: {name: 'node empty.js', command: process.execPath, args: [empty]},
      cases: [start, {name: 'kubectl-tiltbuild --help', command: binary, args: ['--help']}],
    },
    sandbox,
  );
  await compare(
    {
      title: 'A whole run with every check, against its delegate (a stand-in) alone',
      peer: {name: 'kubectl-build alone', command: delegate, args: build, env: certificate},
      cases: [
        whole,
        {...whole, name: 'kubectl-tiltbuild, bearer token', env: connect('token', 'token', KIND_NAMES)},
        {
          ...whole,
          name: 'kubectl-tiltbuild, names that tell nothing',
          env: connect('plain', 'token', PLAIN_NAMES),
        },
        {
          ...whole,
          name: 'kubectl-tiltbuild, exec plugin (kubectl asks)',
          env: connect('exec', 'exec', KIND_NAMES),
        },
      ],
    },
    sandbox,
  );
  await sayMemory([start, whole], sandbox);
} finally {
  sandbox.remove();
  await api.close();
}
