/** Owns why a file of the build context did not reach the builder: it is not there, or a rule leaves it out. */
import {TiltbuildError} from '../../errors.ts';
import {findIgnoreRule} from '../inputs/ignore/find-ignore-rule.ts';
import {type IgnorePattern, parseIgnoreFile, parseIgnorePattern} from '../inputs/ignore/ignore-file.ts';
import {onlyPatterns} from '../inputs/ignore/only-paths.ts';
import {findDockerfile, readIgnoreFile} from '../inputs/stage-inputs.ts';
import type {FailureScene, Hint} from './failure-scene.ts';

/** `path` as BuildKit tells it, from the root of the context on: `/src/app.js`. */
export async function explainMissingFile(path: string, scene: FailureScene): Promise<Hint> {
  const {files, asked} = scene;
  const name = path.replace(/^\/+/, '');
  const context = asked.context;
  if (context === '-' || files.kindOf(context) !== 'directory') {
    return {
      message: `The build context has no "${name}".`,
      remedy: ['Paths in COPY and ADD are relative to the root of the build context.'],
    };
  }
  if (/[*?[]/.test(name)) {
    return {
      message: `Nothing in the build context "${context}" matches "${name}", or the ignore rules leave it all out.`,
      remedy: [`${RELATIVE} A .dockerignore, --ignore and --only each leave out what they name.`],
    };
  }
  if (files.kindOf(files.join(context, name)) === 'missing') {
    return {message: `There is no "${name}" in the build context "${context}".`, remedy: [RELATIVE]};
  }
  const rule = await findRule(name, scene);
  if (rule === undefined) {
    return {
      message: `"${name}" is in the build context "${context}", but it was not sent as it is.`,
      remedy: [
        'Look for a symbolic link that leads out of the context, for upper and lower case, and for ignore rules that leave out all that a directory holds.',
      ],
    };
  }
  return {
    message: `"${name}" is in the build context "${context}", but it was not sent: ${describe(rule)}.`,
    remedy: [cure(rule, name)],
  };
}

const RELATIVE = 'Paths in COPY and ADD are relative to the build context, not to the Dockerfile.';

/** Undefined where none of the lists tells. What they cannot be read for was told before the build. */
async function findRule(name: string, scene: FailureScene): Promise<IgnorePattern | undefined> {
  const {asked, platform} = scene;
  try {
    const file = await readRules(scene);
    const ignored = asked.ignore.flatMap((text) => parseIgnorePattern(text, '--ignore', platform) ?? []);
    for (const list of [file, ignored, onlyPatterns(asked.only, platform)]) {
      const rule = findIgnoreRule(name, list, platform);
      if (rule !== undefined) return rule;
    }
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
  }
  return undefined;
}

async function readRules({asked, platform, files}: FailureScene): Promise<readonly IgnorePattern[]> {
  const {context, file, fileVariable} = asked;
  const dockerfile =
    fileVariable !== undefined || file === '-' ? undefined : (file ?? findDockerfile(context, files));
  const found = await readIgnoreFile(context, dockerfile, files);
  return found === undefined ? [] : parseIgnoreFile(found.text, found.source, platform);
}

function describe({origin, text}: IgnorePattern): string {
  if (origin === '--only') return 'it is not among what --only names';
  return `the rule "${text}" (${origin}) leaves it out`;
}

function cure({origin}: IgnorePattern, name: string): string {
  if (origin === '--only') return `Add it: --only ${name}`;
  if (origin === '--ignore') return 'Take it out of what --ignore matches.';
  return `Take the rule out, or bring the file back behind it with a line !${name}`;
}
