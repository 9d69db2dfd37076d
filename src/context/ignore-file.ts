/** Owns reading a .dockerignore file, by the rules of moby/patternmatcher's ignorefile. */
import {cleanPath, trimSpace} from './patterns.ts';

export interface IgnoreRule {
  /** Cleaned; an exception keeps its `!`. */
  readonly text: string;
  /** Counts from 1. */
  readonly line: number;
}

export function readIgnoreRules(file: string): readonly IgnoreRule[] {
  return file
    .replace(/^\uFEFF/, '')
    .split('\n')
    .map((text, index) => ({text, line: index + 1}))
    .filter(({text}) => !text.startsWith('#'))
    .map(({text, line}) => ({text: cleanRule(trimSpace(text)), line}))
    .filter(({text}) => text !== '');
}

function cleanRule(rule: string): string {
  if (rule.startsWith('!')) return `!${cleanRooted(trimSpace(rule.slice(1)))}`;
  return cleanRooted(rule);
}

/** A path from the root is one from the context. */
function cleanRooted(path: string): string {
  if (path === '') return path;
  const clean = cleanPath(path);
  return clean.length > 1 && clean.startsWith('/') ? clean.slice(1) : clean;
}
