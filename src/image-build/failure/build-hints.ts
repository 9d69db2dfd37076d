/**
 * Owns explaining known failures of a build: what the delegate's error means here, and what to do. `builder-faults.ts`
 * has the faults of the builder. A new row is a pattern and a function.
 */
import {createCommand} from '../../builder/model/builder.ts';
import {type Advice, advise, command, flag} from '../../text/advice.ts';
import {findDockerfile} from '../inputs/local-context.ts';
import {type FailureWords, SOLVE} from './builder-faults.ts';
import {explainMissingFile} from './explain-missing-file.ts';
import type {FailureScene, Hint} from './failure-scene.ts';
import {explainNetwork} from './network-hints.ts';
import {explainRegistry} from './registry-hints.ts';
import {explainLineEndings, explainResolution} from './step-hints.ts';

interface HintRule {
  /** Matches the whole error; `found` holds its groups. */
  readonly pattern: RegExp;
  readonly explain: (
    found: readonly (string | undefined)[],
    scene: FailureScene,
    words: FailureWords,
  ) => Hint | undefined | Promise<Hint | undefined>;
}

/** What BuildKit puts before its own errors, and never before the output of a step. */
const START = `^(?:${SOLVE})?(?:failed to solve with frontend dockerfile\\.v0: )?`;
/** Go's %q. */
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`;

/**
 * The first match counts. Each pattern starts at the beginning of the error, or skips no text that a Dockerfile could
 * contain, other than in quotes or without spaces.
 */
const RULES: readonly HintRule[] = [
  {
    // recordings/dockerfile-syntax.yaml
    pattern: new RegExp(`${START}(?:dockerfile|Dockerfile) parse error (?:on )?line (\\d+): (.*)$`),
    explain: async ([line = '', reason], scene) => ({
      message: `${nameDockerfile(scene)}, line ${line}: ${reason}`,
      detail: await quoteLine(Number(line), scene),
      remedy: [],
    }),
  },
  {
    // recordings/dockerfile-missing.yaml
    pattern: new RegExp(
      `${START}failed to read dockerfile: (?:failed to resolve dockerfile: )?open (.+): no such file or directory$`,
    ),
    explain: (_, {asked}) => ({
      message: asked.file
        ? `There is no Dockerfile "${asked.file}".`
        : `There is no Dockerfile in the build context "${asked.context}".`,
      remedy: [advise`Set its path with ${flag('file')}, relative to the current directory.`],
    }),
  },
  {
    pattern: new RegExp(
      `${START}(?:target stage (\\S+) could not be found|failed to reach build target (\\S+) in Dockerfile)$`,
    ),
    explain: ([name, older], scene) => ({
      message: `${nameDockerfile(scene)} has no stage ${(name ?? older ?? '').replace(/^"?/, '"').replace(/"?$/, '"')}.`,
      remedy: [advise`FROM … AS NAME names a stage, and ${flag('target')} selects one.`],
    }),
  },
  {
    // recordings/copy-missing.yaml
    pattern: new RegExp(
      `${START}(?:failed to compute cache key: )?failed to calculate checksum of ref \\S+: ${QUOTED}: not found$`,
    ),
    explain: async ([path = ''], scene, {step = ''}) => {
      const from = /^\[[^\]]*\] (?:COPY|ADD|RUN) .*?(?:--from=|,from=)([^\s,]+)/.exec(step)?.[1];
      if (from === undefined) return await explainMissingFile(unquote(path), scene);
      return {
        message: `There is no "${unquote(path)}" in "${from}", the stage or image that it is copied from.`,
        remedy: ['Check which files it has, and where.'],
      };
    },
  },
  {
    pattern: new RegExp(
      `${START}process "((?:[^"\\\\]|\\\\.)*)" did not complete successfully: (?:exit code: (?:1|255)|[^"]*: exec: "[^"\\s]*": exec format error|[^"]*: exec [^\\s"]+: exec format error)(?:: unknown)?$`,
    ),
    explain: ([process = ''], scene, {error, output}) => {
      const program = process.split(' ')[0] as string;
      // runc reports it as the only line of the step's output if the step had already begun.
      const isOnlyWord = output.length === 1 && output[0] === `exec ${program}: exec format error`;
      if (!isOnlyWord && !/exec format error(?:: unknown)?$/.test(error)) return undefined;
      const platforms = scene.asked.platforms.flatMap((list) => list.split(','));
      return {
        message: `${program} cannot run on the builder's node: it is built for another processor architecture${platforms.length > 0 ? ` (${platforms.join(', ')})` : ''}, and the node has no emulator for it.`,
        remedy:
          platforms.length > 1
            ? buildEachPlatform(platforms, scene)
            : [
                advise`List the architectures of the nodes: ${command('kubectl', 'get', 'nodes', '--label-columns', 'kubernetes.io/arch')}`,
                platforms.length > 0
                  ? advise`Build for one of these with ${flag('platform', 'linux/ARCH')}, or use a builder on a node of the other architecture.`
                  : advise`Use a base image for one of these, with ${flag('platform', 'linux/ARCH')}. A platform in FROM takes precedence.`,
              ],
      };
    },
  },
  {
    // A shell's 126 and 127, or runc's own words, which are the only line of the output if the step had already begun.
    pattern: new RegExp(
      `${START}process "((?:[^"\\\\]|\\\\.)*)" did not complete successfully: (?:exit code: (?:1|126|127|255)|[^"]*: exec(?:: "[^"\\s]*": stat)? [^\\s"]+: no such file or directory)(?:: unknown)?$`,
    ),
    explain: async ([process = ''], scene, {error, output}) => {
      const isOnlyWord = output.length === 1 && /^exec \S+: no such file or directory$/.test(output[0] ?? '');
      if (!isOnlyWord && /exit code: (?:1|255)$/.test(error)) return undefined;
      return await explainLineEndings(unquote(process), scene);
    },
  },
  {
    // 128 and SIGKILL. Where BuildKit itself stopped the step, it adds why.
    pattern: new RegExp(`${START}process ${QUOTED} did not complete successfully: exit code: 137$`),
    explain: async (_, {asked, namespace, describeMemory}, {step}) => ({
      message: `${step ?? 'A step'} was killed (exit code 137), most likely because the node ran out of memory.`,
      detail: await describeMemory(),
      remedy: [
        'Let the step use less memory, for example with fewer jobs at once, or stop other programs on the node.',
        advise`To run fewer steps at once: ${createCommand({name: asked.builder.name, namespace}, '--replace', '--max-parallelism', '1')}`,
      ],
    }),
  },
  {
    // Go's form of a failed system call, at the end of an error that is not a step's.
    pattern:
      /^(?:failed to solve: )?[^"]*\b(?:write|mkdir|mkdirat|open|openat|rename|link|symlink|fsync|sync|fallocate|copy_file_range|truncate|mknod) \/\S+(?: \/\S+)?: no space left on device(?:: unknown)?$/,
    explain: (_, {asked, namespace}) => ({
      message: `The disk of the builder's node is full.`,
      remedy: [
        advise`Remove unused cache: ${command('kubectl', 'tiltbuild', 'builder', 'prune', asked.builder.name, '--namespace', namespace)}`,
        'If that is not enough, images or logs on the node use the space.',
      ],
    }),
  },
];

/** Undefined if we have nothing to add to the delegate's error. */
export async function explainFailure(words: FailureWords, scene: FailureScene): Promise<Hint | undefined> {
  for (const {pattern, explain} of RULES) {
    const found = pattern.exec(words.error);
    if (found === null) continue;
    const hint = await explain(found.slice(1), scene, words);
    if (hint !== undefined || !isStepFailure(words)) return hint;
  }
  if (isStepFailure(words)) return explainResolution(words.output, words.step, scene);
  return explainRegistry(words.error, scene) ?? explainNetwork(words.error, scene);
}

/** Whether a command in the Dockerfile failed, so its output says it all. */
export function isStepFailure({error}: FailureWords): boolean {
  return new RegExp(`${START}process ${QUOTED} did not complete successfully: exit code: \\d+$`).test(error);
}

/** One build runs on one node, whichever nodes the builder has. */
function buildEachPlatform(platforms: readonly string[], {asked}: FailureScene): readonly Advice[] {
  const name = asked.tags[0]?.given ?? 'NAME:TAG';
  const builds = platforms.map((platform) => ({
    platform,
    tag: `${name}-${platform.split('/').slice(1).join('-')}`,
  }));
  return [
    'A build of several platforms runs on one node. Build each by itself, with the other flags of this build; it runs on a node of that platform if the builder has one:',
    ...builds.map(({platform, tag}) =>
      command('kubectl', 'tiltbuild', '--platform', platform, '--push', '--tag', tag, asked.context),
    ),
    'Then join them in the registry:',
    command('docker', 'buildx', 'imagetools', 'create', '--tag', name, ...builds.map(({tag}) => tag)),
    'Stages that only compile can run on the node as it is, with FROM --platform=$BUILDPLATFORM.',
  ];
}

function nameDockerfile({asked, files}: FailureScene): string {
  const {file, fileVariable, context} = asked;
  if (fileVariable !== undefined) return `The Dockerfile in ${fileVariable}`;
  if (file === '-') return 'The Dockerfile on standard input';
  const isLocal = file !== undefined || (context !== '-' && files.kindOf(context) === 'directory');
  return (isLocal && findDockerfile(asked, files)) || 'The Dockerfile';
}

/** The line of the Dockerfile, if that is a file we can read again. */
async function quoteLine(line: number, {asked, files}: FailureScene): Promise<readonly string[]> {
  const {context} = asked;
  const path = context === '-' ? undefined : findDockerfile(asked, files);
  if (path === undefined || (asked.file === undefined && files.kindOf(context) !== 'directory')) return [];
  const text = await files.readText(path).catch(() => undefined);
  const quoted = text?.split('\n')[line - 1]?.trimEnd();
  return quoted ? [`${line} | ${quoted}`] : [];
}

/** Undoes what Go's %q does to a path. */
function unquote(text: string): string {
  return text.replaceAll(/\\(["\\])/g, '$1');
}
