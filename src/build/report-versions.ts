/** Owns what `--version` says: ours with its commit, and of what it works with, which is what a report needs. */
import type {Ports} from './ports.ts';

export interface OwnVersion {
  readonly version: string;
  /** The commit that it was built from, or in words where it was not built from one. */
  readonly commit: string;
  /** What runs it, with its version and platform. */
  readonly runtime: string;
}

interface Question {
  readonly program: string;
  /** The program that knows. */
  readonly asked: string;
  readonly args: readonly string[];
  readonly read: (stdout: string) => string | undefined;
}

const QUESTIONS: readonly Question[] = [
  {
    program: 'kubectl-build',
    // It has no way to tell itself; the other program of its package does.
    asked: 'kubectl-buildkit',
    args: ['version'],
    // A second line tells the builder's, from the cluster; it may be an error there.
    read: (stdout) => /^Client:\s+(\S+)/m.exec(stdout)?.[1],
  },
  {
    program: 'kubectl',
    asked: 'kubectl',
    args: ['version', '--client', '--output=json'],
    read: (stdout) => /"gitVersion":\s*"([^"\s]+)"/.exec(stdout)?.[1],
  },
];

/** How long another program may take to say its version, in milliseconds. */
const LONGEST_ANSWER = 1000;

type VersionPorts = Pick<Ports, 'programs' | 'sleep'>;

/** The first line begins with our name and version whatever the others say: programs read that one. */
export async function reportVersions(own: OwnVersion, ports: VersionPorts): Promise<string> {
  const others = await Promise.all(QUESTIONS.map((question) => ask(question, ports)));
  const lines = [...QUESTIONS.map(({program}, index) => [program, others[index]]), ['runtime', own.runtime]];
  return [
    `kubectl-tiltbuild ${own.version} (${own.commit})`,
    ...lines.map(([name = '', text = '']) => `${name.padEnd(17)} ${text}`),
    '',
  ].join('\n');
}

async function ask({program, asked, args, read}: Question, ports: VersionPorts): Promise<string> {
  const {programs} = ports;
  const path = await programs.find(program);
  if (path === undefined) return 'not found';
  const teller = program === asked ? path : await programs.find(asked);
  const version = teller === undefined ? undefined : read(await askWithin(teller, args, ports));
  return `${version ?? 'did not tell its version'} (${path})`;
}

/** What it printed; nothing where it takes too long, even if it cannot be ended. */
async function askWithin(
  program: string,
  args: readonly string[],
  {programs, sleep}: VersionPorts,
): Promise<string> {
  const answer = programs.run(program, args, {timeout: LONGEST_ANSWER}).then(({stdout}) => stdout);
  return await Promise.race([answer, sleep(LONGEST_ANSWER).then(() => '')]);
}
