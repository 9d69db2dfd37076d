/**
 * Owns what a file of ignore patterns leaves out, by the matchers of Docker: github.com/moby/patternmatcher v0.6,
 * and the docker/docker v20.10 that `kubectl build` has. Written from their rules alone, to judge our own reading.
 */

export type Verdict = (path: string) => boolean;
interface Rule {
  readonly negated: boolean;
  readonly text: string;
  readonly matches: Verdict;
}

/** The lines that BuildKit's frontend makes of the file, cleaned. */
export function readLines(file: string): readonly string[] {
  return file
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map(trimSpace)
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('!') ? `!${clean(trimSpace(line.slice(1)))}` : clean(line)));
}

/** As Go has it: U+0085 is space, the BOM is none. */
function trimSpace(text: string): string {
  return text.replace(/^(?:(?!\ufeff)[\s\x85])+|(?:(?!\ufeff)[\s\x85])+$/g, '');
}

function clean(text: string): string {
  const names: string[] = [];
  for (const name of text.split('/')) {
    if (name === '..' && names.length > 0 && names.at(-1) !== '..') names.pop();
    else if (name === '..' && text.startsWith('/')) continue;
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names.join('/') || (text.startsWith('/') ? '/' : '.');
}

/** `old` is docker's pkg/fileutils, which has no comparisons of texts and escapes less. */
function compile(text: string, old: boolean): Verdict {
  let source = '^';
  let kind: 'exact' | 'prefix' | 'suffix' | 'expression' = old ? 'expression' : 'exact';
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '*' && text[i + 1] === '*') {
      const first = i === 0;
      i += text[i + 2] === '/' ? 2 : 1;
      const last = i === text.length - 1;
      source += last ? '.*' : '(.*/)?';
      if (!old) kind = first ? 'suffix' : last && kind === 'exact' ? 'prefix' : 'expression';
    } else if (char === '*' || char === '?') {
      source += char === '*' ? '[^/]*' : '[^/]';
      kind = 'expression';
    } else if ((old ? '.$' : '.+()|{}$').includes(char)) {
      source += `\\${char}`;
    } else {
      source += char === '\\' ? char + text.charAt(++i) : char;
      if ('[]\\'.includes(char)) kind = 'expression';
    }
  }
  const expression =
    kind === 'expression' ? new RegExp(`${source.replaceAll('\u{10ffff}', '\uffff')}$`) : undefined;
  return (path) => {
    if (kind === 'exact') return path === text;
    if (kind === 'prefix') return path.startsWith(text.slice(0, -2));
    if (kind === 'suffix') return path.endsWith(text.slice(2)) || `/${path}` === text.slice(2);
    return expression?.test(path) ?? false;
  };
}

function readRules(file: string, old: boolean): readonly Rule[] {
  return readLines(file).map((line) => {
    const negated = line.startsWith('!');
    const text = negated ? line.slice(1) : line;
    return {negated, text, matches: compile(text, old)};
  });
}

/** MatchesOrParentMatches. */
export function leavesOut(file: string, {old = false} = {}): Verdict {
  const rules = readRules(file, old);
  return (path) => {
    const paths = withFolders(path);
    return rules.reduce((out, {negated, matches}) => (paths.some(matches) ? !negated : out), false);
  };
}

export function withFolders(path: string): readonly string[] {
  const names = path.split('/');
  return names.map((_, i) => names.slice(0, i + 1).join('/'));
}

/** The files that the walk of fsutil of June 2021 would not send: it looks among the folders at one depth only. */
export function leavesOutIn2021(file: string): Verdict {
  const rules = readRules(file, true);
  const out: Verdict = (path) => {
    const names = path.split('/');
    return rules.reduce((left, {negated, text, matches}) => {
      const depth = text.split('/').length;
      const above = depth < names.length && matches(names.slice(0, depth).join('/'));
      return matches(path) || above ? !negated : left;
    }, false);
  };
  const enters = (folder: string) =>
    rules.some(({negated, text}) => negated && `${text}/`.startsWith(`${folder}/`));
  return (path) =>
    out(path) ||
    withFolders(path)
      .slice(0, -1)
      .some((folder) => out(folder) && !enters(folder));
}
