/** Owns base images that are built as well: which of them a Dockerfile names, and a Dockerfile that names what was built. */
import {TiltbuildError} from '../../errors.ts';
import {canonicalName, type ImageReference, parseReference} from '../../image/reference.ts';
import type {Files} from '../../ports.ts';
import type {Surroundings} from '../../surroundings.ts';
import {splitKeyValue} from '../../text/key-value.ts';
import {hideSecret} from '../../text/mask-secrets.ts';
import type {BuildRequest} from '../build-request.ts';
import {valuesOf} from '../engines/builtin/frontend.ts';
import {findImages, type NamedImage} from './dockerfile-images.ts';
import {readNamedContext} from './flag-values.ts';
import {findDockerfile} from './local-context.ts';
import {readDockerfileVariable} from './stage-inputs.ts';

type Env = Surroundings['env'];

/** `--find-base-image`: those of the images that the Dockerfile names, in their order. Throws `usage`. */
export async function listBaseImages(
  request: BuildRequest,
  env: Env,
  files: Pick<Files, 'join' | 'kindOf' | 'readText'>,
): Promise<readonly string[]> {
  const path = findDockerfile(request, files);
  const text =
    request.fileVariable === undefined
      ? ((path && (await files.readText(path))) ?? '')
      : readDockerfileVariable(request.fileVariable, env);
  const found = new Set(findUses(text, request, env, request.findBaseImages).map(({known}) => known));
  return request.findBaseImages.filter((name) => found.has(name));
}

/** `--base-image`: the Dockerfile with the images that the environment names instead. Throws `usage`. */
export function replaceBaseImages(dockerfile: string, request: BuildRequest, env: Env): string {
  const images = new Map(request.baseImages.map(({name, variable}) => [name, readImage(variable, env)]));
  let text = '';
  let end = 0;
  for (const {image, known} of findUses(dockerfile, request, env, [...images.keys()])) {
    text += dockerfile.slice(end, image.start) + image.write(images.get(known) ?? known);
    end = image.end;
  }
  return text + dockerfile.slice(end);
}

interface Use {
  readonly image: NamedImage;
  /** Which of the names it matches. */
  readonly known: string;
}

/** As Tilt chooses: a name without a tag stands for every tag, unless there is one with the same tag. */
function findUses(
  dockerfile: string,
  request: BuildRequest,
  env: Env,
  names: readonly string[],
): readonly Use[] {
  const contexts = new Set(
    valuesOf(request, '--build-context').map((text) => readNamedContext(text).name.toLowerCase()),
  );
  const given = valuesOf(request, '--build-arg').flatMap((text): [string, string][] => {
    const {key, value = env[key]} = splitKeyValue(text);
    return value === undefined ? [] : [[key, value]];
  });
  const references = names.map((name) => ({name, reference: parseReference(name)}));
  return findImages(dockerfile, new Map(given)).flatMap((image) => {
    const named = parseLeniently(image.name);
    if (named === undefined || contexts.has(image.name.toLowerCase())) return [];
    const same = references.filter(({reference}) => canonicalName(reference) === canonicalName(named));
    const match =
      same.find(({reference}) => reference.tag === named.tag) ?? same.find(({reference}) => !reference.tag);
    return match === undefined ? [] : [{image, known: match.name}];
  });
}

/** BuildKit says what is wrong with a name that is none. */
function parseLeniently(text: string): ImageReference | undefined {
  try {
    return parseReference(text);
  } catch {
    return undefined;
  }
}

function readImage(variable: string, env: Env): string {
  const image = env[variable];
  if (image) return image;
  throw new TiltbuildError(
    'usage',
    `--base-image: the environment variable ${hideSecret(variable)} is ${image === undefined ? 'not set' : 'empty'}.`,
    {remedy: [`Set ${hideSecret(variable)} to the reference of the image.`]},
  );
}
