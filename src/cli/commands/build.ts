/** Owns the definition of a build: its flags and its help. What they mean is read in `requests/build-request.ts`. */
import {allowK3d, connectionFlags, help} from './common-flags.ts';
import {type CommandDefinition, choice, group, list, text, toggle} from './definition.ts';

const asGiven = {passed: 'as-given'} as const;
const rewritten = {passed: 'rewritten'} as const;

/** docker build's flags, and a few for the same things. */
export const inputFlags = group('build', {
  tag: list('NAME[:TAG]', 'Name and optionally tag of the image', {
    char: 't',
    tilt: {kind: 'text', name: 'extra_tag'},
    ...rewritten,
  }),
  file: text('FILE', 'Dockerfile to use, - for standard input (default: PATH/Dockerfile)', {
    char: 'f',
    offer: 'files',
    tilt: {kind: 'text', name: 'dockerfile'},
    ...rewritten,
  }),
  'file-env': text('VARIABLE', 'Environment variable that holds the Dockerfile', {
    tilt: {kind: 'text', name: 'dockerfile_contents'},
  }),
  only: list('PATH', 'Send only this file or directory of the build context', {
    offer: 'files',
    tilt: {kind: 'list', name: 'only'},
  }),
  ignore: list('PATTERN', 'Also exclude files that match PATTERN (.dockerignore syntax)', {
    tilt: {kind: 'list', name: 'ignore'},
  }),
  'build-arg': list(
    'NAME[=VALUE]',
    'Set a build-time variable; without VALUE, take it from the environment',
    asGiven,
  ),
  target: text('STAGE', 'Stage of the Dockerfile to build', {
    tilt: {kind: 'text', name: 'target'},
    ...asGiven,
  }),
  label: list('NAME=VALUE', 'Set a label on the image', asGiven),
  platform: list('OS/ARCH', "Platform to build for (default: DOCKER_DEFAULT_PLATFORM, else the node's)", {
    offer: {usual: ['linux/amd64', 'linux/arm64']},
    tilt: {kind: 'text', name: 'platform'},
    ...rewritten,
  }),
  secret: list(
    'id=ID,src=FILE|env=VAR',
    'Secret for RUN --mount=type=secret, from a file or an environment variable',
    {tilt: {kind: 'text', name: 'secret'}, ...rewritten},
  ),
  ssh: list('ID[=SOCKET|KEY]', 'SSH agent socket or key for RUN --mount=type=ssh', {
    tilt: {kind: 'text', name: 'ssh'},
    ...asGiven,
  }),
  network: text('MODE', 'Network of RUN steps: default, host or none', {
    offer: {usual: ['default', 'host', 'none']},
    tilt: {kind: 'text', name: 'network'},
    ...asGiven,
  }),
  'add-host': list('HOST:IP', 'Add a host name for RUN steps', {
    tilt: {kind: 'list', name: 'extra_hosts'},
    ...asGiven,
  }),
  allow: list('ENTITLEMENT', 'Allow network.host or security.insecure', {
    offer: {usual: ['network.host', 'security.insecure']},
    ...asGiven,
  }),
  'cache-from': list('SOURCE', 'External cache to read, e.g. user/app:cache', {
    tilt: {kind: 'list', name: 'cache_from'},
    ...asGiven,
  }),
  'cache-to': list('DEST', 'External cache to write, e.g. type=registry,ref=user/app:cache', {
    tilt: {kind: 'list', name: 'cache_to'},
    ...asGiven,
  }),
  'no-cache': toggle('Do not use the build cache', {tilt: {kind: 'switch', name: 'no_cache'}, ...asGiven}),
  pull: toggle('Always check for newer base images', {tilt: {kind: 'switch', name: 'pull'}, ...asGiven}),
  'build-context': list(
    'NAME=PATH|URL',
    'Additional build context, for COPY --from=NAME or FROM NAME: a directory, URL or docker-image://IMAGE',
    asGiven,
  ),
  'shm-size': text('SIZE', 'Size of /dev/shm in RUN steps, e.g. 64m', {
    tilt: {kind: 'text', name: 'shm_size'},
    ...asGiven,
  }),
  ulimit: list('NAME=SOFT[:HARD]', 'Resource limit of RUN steps, e.g. nofile=1024', {
    tilt: {kind: 'list', name: 'ulimit'},
    ...asGiven,
  }),
  'base-image': list(
    'NAME=VARIABLE',
    'Use the image in an environment variable where the Dockerfile names NAME, in FROM or --from',
    {tilt: {kind: 'list', name: 'image_deps'}},
  ),
  'find-base-image': list(
    'NAME',
    'Print which of these images the Dockerfile names, and build nothing; for the Tilt extension',
  ),
  frontend: text('IMAGE', 'Image of the BuildKit frontend that reads the Dockerfile', asGiven),
});

const resultFlags = group('result', {
  image: text('NAME', 'Image name that gets a tag made from the digest: same content, same tag'),
  'ref-file': text('FILE', "Write NAME:TAG of --image to FILE, for Tilt's outputs_image_ref_to", {
    offer: 'files',
  }),
  'tag-prefix': text('TEXT', 'Prefix of the tag of --image (default: tilt-)'),
  'tag-length': text('N', 'Number of hex digits in the tag of --image (default: 16)'),
  'keep-images': text(
    'N',
    'Number of images with tags of --image that stay in the node; older ones that no pod uses are removed, 0 keeps all (default: 10)',
    {tilt: {kind: 'text', name: 'keep_images'}},
  ),
  spread: choice(
    'MODE',
    ['auto', 'strict', 'none'],
    "Copy the image to the nodes of the builder's other pods: auto reports a node that cannot get it, strict fails, none copies nothing (default: auto)",
    {tilt: {kind: 'text', name: 'spread'}},
  ),
  output: list('SPEC', 'Write the result elsewhere, e.g. type=local,dest=DIR', {char: 'o', ...rewritten}),
  push: toggle('Push the image to its registry instead of keeping it in the node', {
    tilt: {kind: 'switch', name: 'push'},
    ...rewritten,
  }),
  compression: choice(
    'KIND',
    ['uncompressed', 'gzip', 'zstd', 'estargz', 'default'],
    'Compression of layers in a containerd node: uncompressed (the default and fastest), gzip, zstd, estargz, or default for what BuildKit does by itself',
  ),
  print: choice(
    'FORM',
    ['digest', 'ref', 'json', 'none'],
    'What to print on standard output: digest, ref (every tag in full), json or none (default: digest)',
  ),
  iidfile: text('FILE', 'Write the digest to FILE', {offer: 'files', ...rewritten}),
  'metadata-file': text('FILE', 'Write what --print json prints to FILE', {offer: 'files'}),
  progress: choice(
    'FORM',
    ['auto', 'plain', 'tty', 'rawjson'],
    'Progress output: auto, plain, tty or rawjson',
    rewritten,
  ),
  check: toggle(
    'Check the Dockerfile for mistakes, as docker build --check does, without building the image',
  ),
  'dry-run': toggle('Show what would be done, including the exact command, without doing it'),
  quiet: toggle('Show the progress only if the build fails', {char: 'q', ...rewritten}),
  verbose: toggle(
    'Show the cluster, the builder and the command in use; -vv also shows the origin of an error',
    {char: 'v'},
  ),
});

export const clusterFlags = group('cluster', {
  qualify: toggle(
    'On kind, complete tags without a registry host (docker.io/library/…) instead of refusing them',
  ),
  engine: choice(
    'ENGINE',
    ['auto', 'kubectl-build', 'builtin'],
    'kubectl-build: the plugin; builtin: the BuildKit client in kubectl tiltbuild; auto: the plugin if it is installed and can do the build, else builtin (default: KUBECTL_TILTBUILD_ENGINE, else auto)',
    {tilt: {kind: 'text', name: 'engine'}},
  ),
  'allow-k3d': allowK3d,
  builder: text('NAME', 'Builder to use (default: BUILDX_BUILDER, else buildkit)', {
    offer: {live: 'builders'},
    tilt: {kind: 'text', name: 'builder'},
    ...rewritten,
  }),
  'builder-policy': choice(
    'POLICY',
    ['ensure', 'check', 'never'],
    'ensure: create a missing builder, repair a broken one; check: warn only; never: leave builders alone (default: ensure)',
  ),
  'builder-image': text('IMAGE', 'BuildKit image of a new builder (default: the tested version)'),
  'builder-replicas': text(
    'N|nodes',
    'Number of pods of a new builder, or nodes for one on every node (default: nodes on a local cluster, else 1)',
    {offer: {usual: ['1', 'nodes']}},
  ),
  'builder-timeout': text('TIME', 'How long to wait for a builder to start (default: 2m)'),
  timeout: text('TIME', 'Cancel the build after this time, e.g. 10m (default: no limit)'),
  'registry-secret': text(
    'NAME',
    'Pull secret for registries; empty for none (default: KUBECTL_BUILD_REGISTRY_SECRET, else docker-registry if it exists)',
    {offer: {live: 'pull-secrets'}, tilt: {kind: 'text', name: 'registry_secret'}, ...rewritten},
  ),
});

export const build = {
  summary: "Build an image inside the cluster, straight into its nodes' container runtime",
  description:
    'BuildKit builds the image in a pod of the cluster; no other plugin is needed. Before the build, kubectl tiltbuild checks the cluster, the image names, the pull secret and the builder; afterwards it prints the digest. To build a directory called "builder" or "doctor", pass ./builder or ./doctor.',
  usage: '[flags] PATH | URL | - [-- flags of kubectl build]',
  examples: [
    {description: 'Build the current directory:', command: 'kubectl tiltbuild -t localhost/web:dev .'},
    {
      description: 'Pass a secret from the environment, and print the full image name:',
      command: 'kubectl tiltbuild -t ghcr.io/me/web:dev --secret id=npm,env=NPM_TOKEN --print ref .',
    },
    {
      description: 'In a Tiltfile that loads the extension kubectl_build, instead of docker_build:',
      command: "kubectl_build('localhost/web', '.')",
    },
  ],
  argument: {
    name: 'PATH',
    summary:
      'Build context: a directory, a Git or HTTP URL, or - for an archive or a Dockerfile on standard input',
    required: true,
    offer: 'directories',
  },
  flags: {
    ...inputFlags,
    ...resultFlags,
    ...clusterFlags,
    ...connectionFlags,
    help,
    version: toggle('Show the version'),
  },
} as const satisfies CommandDefinition;
