/** Owns the definitions of the builder commands: their arguments, flags and help. */
import {allowK3d, connectionFlags, help, yes} from './common-flags.ts';
import {type CommandDefinition, choice, list, text, toggle} from './definition.ts';

const common = {help, ...connectionFlags};
const existing = {
  name: 'NAME',
  summary: 'Name of the builder (default: BUILDX_BUILDER, else buildkit)',
  offer: {live: 'builders'},
} as const;

export const builder = {
  summary: 'Create, list, inspect and remove builders',
  usage: 'builder COMMAND',
  flags: common,
} as const satisfies CommandDefinition;

export const ls = {
  summary: 'List the builders of a namespace and their state',
  usage: 'builder ls [flags]',
  flags: {
    output: choice('FORM', ['table', 'json'], 'Output format: table or json (default: table)', {char: 'o'}),
    ...common,
  },
} as const satisfies CommandDefinition;

export const create = {
  summary: 'Create a builder and wait until it is ready',
  usage: 'builder create [NAME] [flags]',
  examples: [
    {
      description: 'Save the manifest, e.g. to commit it:',
      command: 'kubectl tiltbuild builder create --dry-run > builder.yaml',
    },
    {
      description: 'Recreate the builder, and let builds use the network of the node:',
      command: 'kubectl tiltbuild builder create --replace --allow network.host',
    },
  ],
  // Builders that exist are no names to offer for a new one.
  argument: {name: existing.name, summary: existing.summary},
  flags: {
    'dry-run': toggle('Print the manifest without creating anything'),
    'print-rbac': toggle('Print the roles and bindings that users need to build and to create builders'),
    replace: toggle('Recreate the builder if it exists, with its settings and those that you give'),
    reset: toggle('With --replace, recreate it without the settings that it has'),
    force: toggle('Recreate it even while a build is running on it'),
    image: text('IMAGE', 'BuildKit image, e.g. from a mirror (default: the tested version)'),
    replicas: text(
      'N|nodes',
      'Number of pods, or nodes for one on every node (default: nodes on a local cluster, else 1)',
      {
        offer: {usual: ['1', 'nodes']},
      },
    ),
    rootless: toggle(
      "Run without privileges and without the nodes' container runtime; builds then need --push",
    ),
    'allow-k3d': allowK3d,
    allow: choice('ENTITLEMENT', ['network.host'], 'Entitlement that builds may use: network.host'),
    'request-cpu': text('CPU', 'CPU request of a pod, e.g. 500m'),
    'request-memory': text('MEMORY', 'Memory request of a pod, e.g. 2Gi'),
    'limit-cpu': text('CPU', 'CPU limit of a pod, e.g. 4'),
    'limit-memory': text('MEMORY', 'Memory limit of a pod, e.g. 4Gi'),
    'max-parallelism': text('N', 'Number of build steps that run at once in a pod (default: no limit)'),
    'service-account': text('NAME', 'Service account of the pods'),
    'priority-class': text('NAME', 'Priority class of the pods'),
    'image-pull-secret': list('NAME', "Secret with which nodes pull the builder's image"),
    label: list('KEY=VALUE', 'Label of the Deployment, its ConfigMap and its pods'),
    annotation: list('KEY=VALUE', 'Annotation of the Deployment and its ConfigMap'),
    'pod-annotation': list(
      'KEY=VALUE',
      'Annotation of the pods; the default ones keep sidecars out, and autoscalers from removing the node',
    ),
    'node-selector': text('KEY=VALUE,…', 'Labels of the nodes to run on'),
    toleration: list('KEY=VALUE:EFFECT', 'Taint to tolerate'),
    env: list(
      'NAME=VALUE',
      'Environment variable of BuildKit, e.g. for a proxy; none is taken from your machine',
    ),
    'registry-http': list('HOST', 'Registry that has no TLS'),
    'registry-insecure': list('HOST', 'Registry whose certificate is not checked'),
    'registry-ca': list('HOST=FILE', 'Certificates (PEM) of the authority of a registry', {offer: 'files'}),
    'registry-mirror': list('HOST=MIRROR', 'Registry to pull from instead, e.g. docker.io=mirror.example'),
    'registry-mirrors-from-node': toggle(
      "Use the mirrors and certificates that the nodes' containerd has for registries",
    ),
    'registry-reset': toggle('Drop the registry settings that the builder has so far'),
    config: text('FILE', 'buildkitd.toml with further settings of BuildKit', {offer: 'files'}),
    'containerd-socket': text(
      'PATH',
      "containerd's socket on the nodes (default: that of the Kubernetes distribution)",
    ),
    'containerd-root': text('PATH', "containerd's root directory on the nodes"),
    'containerd-state': text('PATH', "containerd's state directory on the nodes"),
    'containerd-snapshotter': text('NAME', "Snapshotter of the nodes' containerd (default: overlayfs)"),
    timeout: text('TIME', 'How long to wait for the builder (default: 2m)'),
    ...common,
  },
} as const satisfies CommandDefinition;

export const rm = {
  summary: 'Remove a builder, its configuration and its cache',
  usage: 'builder rm NAME [flags]',
  argument: {...existing, summary: 'Name of the builder', required: true},
  flags: {
    yes,
    force: toggle('Remove it even while a build is running on it'),
    purge: toggle('Also remove the cache of a builder that is gone, by creating it again for a moment'),
    ...common,
  },
} as const satisfies CommandDefinition;

export const logs = {
  summary: 'Print the logs of BuildKit',
  usage: 'builder logs [NAME] [flags]',
  argument: existing,
  flags: {follow: toggle('Keep printing new lines', {char: 'f'}), ...common},
} as const satisfies CommandDefinition;

export const du = {
  summary: 'Show the disk usage of the build cache and of images',
  usage: 'builder du [NAME] [flags]',
  argument: existing,
  flags: common,
} as const satisfies CommandDefinition;

const select = text('NAME', 'Builder to use (default: BUILDX_BUILDER, else buildkit)', {
  offer: {live: 'builders'},
});

export const images = {
  summary: 'List images that were built with --image, and what uses them',
  usage: 'builder images [NAME] [flags]',
  argument: existing,
  flags: {output: ls.flags.output, ...common},
} as const satisfies CommandDefinition;

/** The same under the name of `builder ls`. */
export const listImages = {
  ...images,
  usage: 'builder images ls [NAME] [flags]',
} as const satisfies CommandDefinition;

export const removeImages = {
  summary: 'Remove images that were built with --image from the nodes',
  usage: 'builder images rm IMAGE... [flags]',
  argument: {name: 'IMAGE', summary: 'Name with tag, or digest', required: true, several: true},
  flags: {builder: select, force: toggle('Also remove images that pods use'), ...common},
} as const satisfies CommandDefinition;

export const pruneImages = {
  summary: 'Remove old images that were built with --image and that no pod uses',
  description:
    'Of each image name and build context the newest images stay. Only build contexts in the current directory count, unless you use --all-projects.',
  usage: 'builder images prune [NAME] [flags]',
  argument: existing,
  flags: {
    keep: text('N', 'Number of images of each name and build context that stay, 0 for none (default: 10)'),
    'older-than': text('TIME', 'Only remove images that were last built before this time, e.g. 24h or 7d'),
    'all-projects': toggle('Also remove images of other build contexts, users and machines'),
    'dry-run': toggle('List the images that would be removed'),
    ...common,
  },
} as const satisfies CommandDefinition;

export const prune = {
  summary: 'Remove unused build cache',
  usage: 'builder prune [NAME] [flags]',
  argument: existing,
  flags: {all: toggle('Also remove internal and frontend records', {char: 'a'}), ...common},
} as const satisfies CommandDefinition;
