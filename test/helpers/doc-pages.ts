/** Owns reading the pages of the documentation: their blocks of code, the commands in them, their links and headings. */
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** By their paths from the root, with slashes. */
export const PAGES: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .sort()
    .map((name) => `docs/${name}`),
];

export interface ShownCommand {
  /** As it is typed, without the comment behind it. */
  readonly command: string;
  /** The lines below it. */
  readonly output: readonly string[];
}

export const readPage = (page: string) => readFileSync(join(root, page), 'utf8');

/** The blocks of a language, without what indents them. */
export function readBlocks(page: string, language: string): readonly string[] {
  const fence = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\``, 'gms');
  return [...readPage(page).matchAll(fence)].map(([, indent = '', text = '']) =>
    text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );
}

/** The commands of a page, a list for each block. In a console they stand behind a `$`, and what follows is output. */
export function readCommands(page: string): readonly (readonly ShownCommand[])[] {
  return [
    ...readBlocks(page, 'sh').map((text) =>
      text
        .replaceAll('\\\n', ' ')
        .split('\n')
        .map((line) => ({command: withoutComment(line), output: []}))
        .filter(({command}) => command !== ''),
    ),
    ...readBlocks(page, 'console').map((text) =>
      text
        .split(/^\$ /m)
        .slice(1)
        .map((part) => {
          const [command = '', ...output] = part.trimEnd().split('\n');
          return {command: withoutComment(command), output};
        }),
    ),
  ];
}

/** The links to other pages, to files and to headings. */
export function readLinks(page: string): readonly string[] {
  return [...readPage(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target));
}

/** What a link to a heading of the page has behind its `#`, as GitHub makes it. */
export function readAnchors(page: string): readonly string[] {
  return [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

function withoutComment(line: string): string {
  return line.replace(/(^|\s+)#.*$/, '').trim();
}
