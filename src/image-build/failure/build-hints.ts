/**
 * Owns what we add to the delegate's own words where a build failed of something that is known: what it means here, and
 * what to do. The builder's own faults are in `builder-faults.ts`. A new row is a pattern and a function.
 */
import {maskUrlPassword} from '../../text/mask-secrets.ts';
import {findDockerfile} from '../inputs/stage-inputs.ts';
import {type FailureWords, SOLVE} from './builder-faults.ts';
import {explainMissingFile} from './explain-missing-file.ts';
import type {FailureScene, Hint} from './failure-scene.ts';
import {explainNetwork} from './network-hints.ts';
import {explainRegistry} from './registry-hints.ts';

interface HintRule {
  /** Matches the whole error; its groups are `found`. */
  readonly pattern: RegExp;
  readonly explain: (
    found: readonly (string | undefined)[],
    scene: FailureScene,
    words: FailureWords,
  ) => Hint | undefined | Promise<Hint | undefined>;
}

/** What BuildKit puts before its errors; all that a step says of itself lacks it. */
const START = `^(?:${SOLVE})?(?:failed to solve with frontend dockerfile\\.v0: )?`;
/** Go's %q. */
const QUOTED = String.raw`"((?:[^"\\]|\\.)*)"`;

/**
 * The first that matches counts. Each goes from the beginning of the error on, or over nothing that a Dockerfile could
 * have written but what stands in quotes or has no spaces.
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
      remedy: ['Name it with --file; a relative path is looked up from the current directory.'],
    }),
  },
  {
    pattern: new RegExp(
      `${START}(?:target stage (\\S+) could not be found|failed to reach build target (\\S+) in Dockerfile)$`,
    ),
    explain: ([name, older], scene) => ({
      message: `${nameDockerfile(scene)} has no stage ${(name ?? older ?? '').replace(/^"?/, '"').replace(/"?$/, '"')}.`,
      remedy: ['A stage has its name from FROM … AS NAME; --target names the one to build.'],
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
        message: `There is no "${unquote(path)}" in "${from}", which it is to be taken from.`,
        remedy: ['Look at what that stage or image really has, and where.'],
      };
    },
  },
  {
    pattern: new RegExp(
      `${START}process "((?:[^"\\\\]|\\\\.)*)" did not complete successfully: (?:exit code: (?:1|255)|[^"]*: exec: "[^"\\s]*": exec format error|[^"]*: exec [^\\s"]+: exec format error)(?:: unknown)?$`,
    ),
    explain: ([process = ''], scene, {error, output}) => {
      const program = process.split(' ')[0] as string;
      // runc starts the program only after the step began, and then tells of it as the step's one line.
      const isOnlyWord = output.length === 1 && output[0] === `exec ${program}: exec format error`;
      if (!isOnlyWord && !/exec format error(?:: unknown)?$/.test(error)) return undefined;
      const {platforms} = scene.asked;
      return {
        message: `${program} cannot run on the builder's node: it is made for another processor architecture${platforms.length > 0 ? ` (${platforms.join(', ')})` : ''}, and the node has no emulator for it.`,
        remedy: [
          'To see what the nodes are: kubectl get nodes --label-columns kubernetes.io/arch',
          platforms.length > 0
            ? 'Build for theirs with --platform linux/ARCH, or on a builder whose node has the other one.'
            : 'Take a base image that is made for theirs, with --platform linux/ARCH. What FROM itself names as its platform goes before that.',
        ],
      };
    },
  },
  {
    // Go's form of a system call that failed, at the end of what is no step's failure.
    pattern:
      /^(?:failed to solve: )?[^"]*\b(?:write|mkdir|mkdirat|open|openat|rename|link|symlink|fsync|sync|fallocate|copy_file_range|truncate|mknod) \/\S+(?: \/\S+)?: no space left on device(?:: unknown)?$/,
    explain: (_, {asked, namespace}) => ({
      message: `The disk of the builder's node is full.`,
      remedy: [
        `To make room in its cache: kubectl tiltbuild builder prune ${asked.builder.name} --namespace ${namespace}`,
        'If that is not enough, images and logs on the node take the room.',
      ],
    }),
  },
];

/** What we know of the failure; undefined where the delegate's words are all there is to say. */
export async function explainFailure(words: FailureWords, scene: FailureScene): Promise<Hint | undefined> {
  for (const {pattern, explain} of RULES) {
    const found = pattern.exec(words.error);
    if (found === null) continue;
    return await explain(found.slice(1), scene, words);
  }
  return explainRegistry(words.error, scene) ?? explainNetwork(words.error, scene);
}

/** Whether a command of the Dockerfile failed, of which everything has been said. */
export function isStepFailure({error}: FailureWords): boolean {
  return new RegExp(`${START}process ${QUOTED} did not complete successfully: exit code: \\d+$`).test(error);
}

function nameDockerfile({asked: {file, fileVariable, context}, files}: FailureScene): string {
  if (fileVariable !== undefined) return `The Dockerfile in ${fileVariable}`;
  if (file === '-') return 'The Dockerfile on standard input';
  if (file !== undefined) return file;
  return context !== '-' && files.kindOf(context) === 'directory'
    ? findDockerfile(context, files)
    : 'The Dockerfile';
}

/** The line as it stands in the file, where that is one that we can read again. */
async function quoteLine(
  line: number,
  {asked: {file, fileVariable, context}, files}: FailureScene,
): Promise<readonly string[]> {
  if (fileVariable !== undefined || file === '-' || context === '-') return [];
  if (file === undefined && files.kindOf(context) !== 'directory') return [];
  const text = await files.readText(file ?? findDockerfile(context, files)).catch(() => undefined);
  const quoted = text?.split('\n')[line - 1]?.trimEnd();
  return quoted ? [`${line} | ${maskUrlPassword(quoted)}`] : [];
}

/** As far as a path in a Dockerfile needs it. */
function unquote(text: string): string {
  return text.replaceAll(/\\(["\\])/g, '$1');
}
