/** Owns the index of an OCI layout, `index.json`: which manifest has which tag, as BuildKit's client/ociindex has it. */

/** Other fields are kept as they are. */
export interface Descriptor {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests?: readonly Descriptor[];
}

const REFERENCE = 'org.opencontainers.image.ref.name';
const NAME = 'io.containerd.image.name';

/** How a manifest is called: by a tag alone, or by an image's full name, whose tag it has as well. */
export interface ManifestName {
  readonly tag: string;
  readonly name?: string;
}

/** The digest of the manifest with this tag; undefined where there is none. Throws SyntaxError. */
export function findManifest(index: string, tag: string): string | undefined {
  const {manifests = []} = JSON.parse(index) as Index;
  const called = (annotation: string) => manifests.find(({annotations}) => annotations?.[annotation] === tag);
  return (called(NAME) ?? called(REFERENCE))?.digest;
}

/** The index with the manifest under its names, which others lose. Throws SyntaxError. */
export function nameManifest(
  index: string | undefined,
  descriptor: Descriptor,
  names: readonly ManifestName[],
): string {
  const {manifests = [], ...rest} = JSON.parse(index || '{}') as Index;
  const named = names.map(({tag, name}) => ({
    ...descriptor,
    annotations: {...descriptor.annotations, ...(name !== undefined && {[NAME]: name}), [REFERENCE]: tag},
  }));
  const others = manifests.filter(({annotations}) =>
    names.every(({tag, name}) => annotations?.[REFERENCE] !== tag || annotations?.[NAME] !== name),
  );
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    ...rest,
    manifests: [...others, ...named],
  });
}
