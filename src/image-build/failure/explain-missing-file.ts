/** Owns why a file did not reach the builder: the build context lacks it, or an ignore rule excludes it. */
import {TiltbuildError} from '../../errors.ts';
import {type Advice, advise, flag} from '../../text/advice.ts';
import {findIgnoreRule} from '../inputs/ignore/find-ignore-rule.ts';
import {type IgnorePattern, parseIgnoreFile, parseIgnorePattern} from '../inputs/ignore/ignore-file.ts';
import {onlyPatterns} from '../inputs/ignore/only-paths.ts';
import {findDockerfile, readIgnoreFile} from '../inputs/stage-inputs.ts';
import type {FailureScene, Hint} from './failure-scene.ts';

/** `path` is absolute, from the root of the build context, as BuildKit prints it: `/src/app.js`. */
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
      message: `Nothing in the build context "${context}" matches "${name}", or ignore rules exclude everything that does.`,
      remedy: [RELATIVE, advise`Check .dockerignore, ${flag('ignore')} and ${flag('only')}.`],
    };
  }
  if (files.kindOf(files.join(context, name)) === 'missing') {
    return {message: `There is no "${name}" in the build context "${context}".`, remedy: [RELATIVE]};
  }
  const rule = await findRule(name, scene);
  if (rule === undefined) {
    return {
      message: `"${name}" is in the build context "${context}", but did not reach the builder.`,
      remedy: [
        'Check for a symbolic link that leads out of the build context, for upper and lower case, and for ignore rules that exclude everything in a directory.',
      ],
    };
  }
  return {
    message: `"${name}" is in the build context "${context}", but was not sent: ${describe(rule)}.`,
    remedy: [fix(rule, name)],
  };
}

const RELATIVE = 'Paths in COPY and ADD are relative to the build context, not to the Dockerfile.';

/** Undefined if no rule excludes the file. A list that cannot be read was an error before the build. */
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
  if (origin === '--only') return '--only does not include it';
  return `the rule "${text}" (${origin}) excludes it`;
}

function fix({origin}: IgnorePattern, name: string): Advice {
  if (origin === '--only') return advise`Add it: ${flag('only', name)}`;
  if (origin === '--ignore') return advise`Do not match it with ${flag('ignore')}.`;
  return `Remove the rule, or add a line !${name} after it.`;
}
