/** Owns why a file did not reach the builder: the build context lacks it, or an ignore rule excludes it. */

import {posix} from 'node:path';
import {type FollowedLink, followLink} from '../../context/follow-links.ts';
import {Patterns} from '../../context/patterns.ts';
import {TiltbuildError} from '../../errors.ts';
import {type Advice, advise, flag} from '../../text/advice.ts';
import {contextFilters, findDockerfile, patternsOf, readIgnoreFile} from '../inputs/local-context.ts';
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
  const linked = await explainLink(name, scene);
  if (linked !== undefined) return linked;
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

/** Why BuildKit does not get to what a symbolic link on the way leads to; undefined if no link is the reason. */
async function explainLink(name: string, scene: FailureScene): Promise<Hint | undefined> {
  const {files, asked, local} = scene;
  const link = local && followLink(name, (path) => local.directory.readLink(path));
  if (link === undefined) return undefined;
  const what = `"${link.path}" in the build context "${asked.context}" is a symbolic link to "${link.target}"`;
  if (files.kindOf(files.join(asked.context, link.place)) === 'missing') {
    if (!link.leadsOut)
      return {
        message: `${what}, which does not exist.`,
        remedy: ['Correct the link, or create what it points to.'],
      };
    return {
      message: `${what}, which is outside the build context, so it was not sent.`,
      remedy: [
        'Copy it into the build context, or use a build context that has both.',
        advise`Or add its directory as another build context, ${flag('build-context', `other=${directoryOf(link, asked.context)}`)}, and copy it from there: COPY --from=other ${posix.basename(link.target)} …`,
      ],
    };
  }
  const rule = await findRule(link.place, scene);
  return (
    rule && {
      message: `${what}, and that was not sent: ${describe(rule)}.`,
      remedy: [fix(rule, link.place)],
    }
  );
}

/** Where the target of the link is, from the current directory. */
function directoryOf({path, target}: FollowedLink, context: string): string {
  const directory = posix.dirname(target);
  return posix.isAbsolute(target) ? directory : posix.join(context, posix.dirname(path), directory);
}

const RELATIVE = 'Paths in COPY and ADD are relative to the build context, not to the Dockerfile.';

/** A rule that excludes a file, and where it is: `--ignore`, or `.dockerignore, line 3`. */
interface ExcludingRule {
  readonly text: string;
  readonly origin: string;
}

/** Undefined if no rule excludes the file. A list that cannot be read was an error before the build. */
async function findRule(
  name: string,
  {asked, platform, files}: FailureScene,
): Promise<ExcludingRule | undefined> {
  try {
    const found = await readIgnoreFile(asked.context, findDockerfile(asked, files), files);
    const rule =
      found &&
      findExclusion(
        name,
        patternsOf(found),
        found.rules.map(({text}) => text),
      );
    if (rule !== undefined) {
      const {line} = found?.rules[rule] ?? {};
      return {text: found?.rules[rule]?.text ?? '', origin: `${found?.source}, line ${line}`};
    }
    const given = findExclusion(name, new Patterns(asked.ignore, '--ignore'), asked.ignore);
    if (given !== undefined) return {text: asked.ignore[given] ?? '', origin: '--ignore'};
    const isSent = contextFilters({ignore: [], only: asked.only}, platform).every(
      (filter) => filter.judge(name, []).passes,
    );
    return isSent ? undefined : {text: '', origin: '--only'};
  } catch (error) {
    if (!(error instanceof TiltbuildError)) throw error;
  }
  return undefined;
}

/** The index of the rule that decides, if it excludes the file. */
function findExclusion(name: string, patterns: Patterns, texts: readonly string[]): number | undefined {
  const index = patterns.findDeciding(name);
  return index === undefined || texts[index]?.trim().startsWith('!') ? undefined : index;
}

function describe({origin, text}: ExcludingRule): string {
  if (origin === '--only') return '--only does not include it';
  return `the rule "${text}" (${origin}) excludes it`;
}

function fix({origin}: ExcludingRule, name: string): Advice {
  if (origin === '--only') return advise`Add it: ${flag('only', name)}`;
  if (origin === '--ignore') return advise`Do not match it with ${flag('ignore')}.`;
  return `Remove the rule, or add a line !${name} after it.`;
}
