/** Owns the names that a request has for the registry of its cluster, besides its tags: in caches and outputs. */
import {isInRegistry, type LocalRegistry, nameInCluster} from '../../builder/model/local-registry.ts';
import type {BuildRequest} from '../build-request.ts';

const CACHE = /^--cache-(?:from|to)$/;

/** Whether it writes to a registry a cache of its own. */
export function writesCache({passedFlags}: Pick<BuildRequest, 'passedFlags'>): boolean {
  return passedFlags.some(([name]) => name === '--cache-to');
}

/** Whether one of its outputs or caches is in the registry. */
export function namesRegistry({passedFlags, output}: BuildRequest, registry: LocalRegistry): boolean {
  const caches = passedFlags.filter(([name = '']) => CACHE.test(name)).flat();
  const references = caches.map((word) => /(?:^|,"?)ref=([^,"]+)/.exec(word)?.[1] ?? word);
  return [...references, ...namesOf(output)].some((name) => isInRegistry(registry, name));
}

/** The same request, with the names that pods know. */
export function localizeRequest(request: BuildRequest, registry: LocalRegistry | undefined): BuildRequest {
  if (registry === undefined) return request;
  const {passedFlags, output} = request;
  const rename = (word: string) =>
    nameInCluster(word, registry).replace(`ref=${registry.host}/`, `ref=${registry.inCluster}/`);
  const names = namesOf(output).map((name) => nameInCluster(name, registry));
  return {
    ...request,
    passedFlags: passedFlags.map((words) => (CACHE.test(words[0] ?? '') ? words.map(rename) : words)),
    ...(output !== undefined &&
      names.length > 0 && {
        output: {...output, attributes: new Map([...output.attributes, ['name', names.join(',')]])},
      }),
  };
}

function namesOf(output: BuildRequest['output']): readonly string[] {
  return output?.attributes.get('name')?.split(',') ?? [];
}
