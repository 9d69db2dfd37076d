/** Owns the manifest that krew installs from: https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/ */
import {stringify} from 'yaml';

export interface Archive {
  readonly os: string;
  readonly arch: string;
  /** File name of the archive. */
  readonly name: string;
  /** File name of the program in it. */
  readonly program: string;
  /** File name of the program that kubectl asks for completion. */
  readonly completion: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
}

export interface Package {
  readonly version: string;
  readonly homepage: string;
}

const DESCRIPTION = `Builds container images inside the cluster, straight into the runtime of its
nodes, through the BuildKit plugin \`kubectl build\`: no registry, no transfer.
Made for Tilt's inner loop. It refuses what cannot work, makes sure that a
builder is there that does, and prints the image's digest.
`;

const CAVEATS = `It needs the plugin \`kubectl build\` on PATH:
https://github.com/vmware-archive/buildkit-cli-for-kubectl/releases
The builder that it makes is privileged; who may use it has its node in hand.
For completion put kubectl_complete-tiltbuild, which lies beside the program in
krew's store, on PATH as well: krew itself links one program only.
`;

export function formatKrewManifest(
  {version, homepage}: Package,
  archives: readonly Omit<Archive, 'size'>[],
): string {
  const manifest = {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: {name: 'tiltbuild'},
    spec: {
      version: `v${version}`,
      homepage,
      shortDescription: 'Build images inside the cluster, from Tilt or a terminal',
      description: DESCRIPTION,
      caveats: CAVEATS,
      platforms: archives.map(({os, arch, name, program, completion, sha256}) => ({
        selector: {matchLabels: {os, arch}},
        uri: `${homepage}/releases/download/v${version}/${name}`,
        sha256,
        files: [program, completion, 'LICENSE', 'LICENSES/third-party.txt'].map((from) => ({from, to: '.'})),
        bin: program,
      })),
    },
  };
  return `# Made by \`npm run release\`.\n${stringify(manifest, {blockQuote: 'literal'})}`;
}
