/** Owns reading a whole list from an API server that gives it in pages. */
import {TiltbuildError} from '../../errors.ts';
import type {Answer, ClusterFacts} from './facts.ts';
import {asList, asObject, asText} from './json-values.ts';
import {mapAnswer, readItems} from './objects.ts';
import {NODES_PATH, SOME_NODES_PATH} from './paths.ts';

/** With 500 objects a page, more than any cluster holds; a server that never comes to an end must not be followed. */
const MOST_PAGES = 200;

export interface Pages {
  readonly ask: (path: string) => Promise<Answer<unknown>>;
  /** Whether the error is a 410: the token for the next page is too old. */
  readonly isExpired: (error: unknown) => boolean;
}

/** Whatever is not a list, or is whole, costs the one request that it takes anyway. Throws `cluster-unreachable`. */
export async function readAllPages(path: string, {ask, isExpired}: Pages): Promise<Answer<unknown>> {
  let restarted = false;
  let start = path;
  let pages: unknown[] = [];
  let next: string | undefined = path;
  for (let count = 0; next !== undefined; count += 1) {
    if (count === MOST_PAGES) throw endless(path);
    try {
      const answer = await ask(next);
      if (answer.kind !== 'found') return answer;
      pages.push(answer.value);
      const token = nextToken(answer.value);
      next = token === '' ? undefined : withQuery(start, {continue: token});
    } catch (error) {
      if (restarted || pages.length === 0 || !isExpired(error)) throw error;
      restarted = true;
      pages = [];
      // Asked for as one, it needs no token, as client-go's pager does it.
      start = withQuery(path, {limit: undefined});
      next = start;
    }
  }
  return {kind: 'found', value: join(pages)};
}

/** All nodes, or the first page of them. */
export async function readNodes(
  which: 'some' | 'all',
  pages: Pages,
): Promise<Pick<ClusterFacts, 'nodes' | 'moreNodes'>> {
  if (which === 'all') return {nodes: mapAnswer(await readAllPages(NODES_PATH, pages), readItems)};
  const page = await pages.ask(SOME_NODES_PATH);
  return {
    nodes: mapAnswer(page, readItems),
    moreNodes: (page.kind === 'found' && nextToken(page.value) !== '') || undefined,
  };
}

/** The token for the page after this one; empty if this is the last one, or no page at all. */
function nextToken(body: unknown): string {
  return asText(asObject(asObject(body).metadata).continue);
}

function join(pages: readonly unknown[]): unknown {
  const [first] = pages;
  if (pages.length === 1) return first;
  // A Table has rows.
  const field = 'rows' in asObject(first) ? 'rows' : 'items';
  return {...asObject(first), [field]: pages.flatMap((page) => asList(asObject(page)[field]))};
}

function withQuery(path: string, changes: Readonly<Record<string, string | undefined>>): string {
  const [before = '', query] = path.split('?');
  const params = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) params.delete(name);
    else params.set(name, value);
  }
  return params.size === 0 ? before : `${before}?${params}`;
}

function endless(path: string): TiltbuildError {
  return new TiltbuildError(
    'cluster-unreachable',
    `The API server gave more than ${MOST_PAGES} pages of ${path.replace(/\?.*/, '')}, and no last one.`,
  );
}
