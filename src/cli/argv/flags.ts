/** Owns the flags: names, help and grouping. What they mean is read in `build-request.ts`. */
import type {Interfaces} from '@oclif/core';
import {unprotect} from './pflag-argv.ts';

type Help = {readonly summary: string; readonly helpValue?: string; readonly char?: 'f' | 'n' | 's'};
type ListHelp = {readonly summary: string; readonly helpValue: string; readonly char?: 't' | 'o'};
type ChoiceHelp<Option extends string> = {
  readonly options: readonly Option[];
  readonly helpValue: string;
  readonly summary: string;
};
type SwitchHelp = {readonly summary: string; readonly char?: 'q' | 'v' | 'h'};

// The same values as oclif's own `Flags` make. A build reads its flags by them without loading oclif, which takes as
// long as all of the cluster's answers (docs/benchmarks.md).
const OPTION = {type: 'option', input: [], multiple: false, parse: async (value: string) => unprotect(value)};

export const text = (help: Help) =>
  ({...OPTION, helpValue: 'VALUE', ...help}) as unknown as Interfaces.OptionFlag<string | undefined>;

/** One value for each time it is given; oclif's own `multiple` would swallow the PATH behind it. */
export const list = (help: ListHelp) =>
  ({...OPTION, ...help, multiple: true, multipleNonGreedy: true}) as unknown as Interfaces.OptionFlag<
    string[] | undefined
  >;

const choice = <Option extends string>(help: ChoiceHelp<Option>) =>
  ({...OPTION, ...help}) as unknown as Interfaces.OptionFlag<Option | undefined>;

const toggle = (help: SwitchHelp) =>
  ({
    type: 'boolean',
    allowNo: false,
    default: false,
    parse: async (value: boolean) => value,
    ...help,
  }) as unknown as Interfaces.BooleanFlag<boolean>;

const BUILD = 'build';
const RESULT = 'result';
const CLUSTER = 'cluster';
const KUBECTL = 'kubectl';

function group<T extends Record<string, object>>(helpGroup: string, flags: T): T {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, {...flag, helpGroup}])) as T;
}

/** docker build's flags, which kubectl build takes as well. */
const buildFlags = group(BUILD, {
  tag: list({
    char: 't',
    helpValue: 'NAME[:TAG]',
    summary: 'Name of the image, and optionally its tag; repeatable',
  }),
  file: text({
    char: 'f',
    helpValue: 'FILE',
    summary: 'The Dockerfile, - for standard input (default: PATH/Dockerfile)',
  }),
  'file-env': text({helpValue: 'VARIABLE', summary: 'Take the text of the Dockerfile from the environment'}),
  only: list({
    helpValue: 'PATH',
    summary: 'Send nothing of the build context but this file or directory; repeatable',
  }),
  ignore: list({
    helpValue: 'PATTERN',
    summary: 'Leave out what matches, as .dockerignore does, and besides what that leaves out; repeatable',
  }),
  'build-arg': list({
    helpValue: 'NAME[=VALUE]',
    summary: 'Set a build-time variable; without a value, from the environment; repeatable',
  }),
  target: text({helpValue: 'STAGE', summary: 'The stage of the Dockerfile to build'}),
  label: list({helpValue: 'NAME=VALUE', summary: 'Set metadata of the image; repeatable'}),
  platform: list({
    helpValue: 'OS/ARCH',
    summary: "Platform to build for (default: DOCKER_DEFAULT_PLATFORM, else the node's); repeatable",
  }),
  secret: list({
    helpValue: 'id=ID,src=FILE|env=VAR',
    summary: 'Secret for RUN --mount=type=secret, from a file or an environment variable; repeatable',
  }),
  ssh: list({
    helpValue: 'ID[=SOCKET|KEY]',
    summary: 'SSH agent socket or key for RUN --mount=type=ssh; repeatable',
  }),
  network: text({helpValue: 'MODE', summary: 'Network of the RUN steps: default, host or none'}),
  'add-host': list({helpValue: 'HOST:IP', summary: 'Add a host name to the RUN steps; repeatable'}),
  allow: list({helpValue: 'ENTITLEMENT', summary: 'Grant network.host or security.insecure; repeatable'}),
  'cache-from': list({
    helpValue: 'SOURCE',
    summary: 'External cache to read, e.g. user/app:cache; repeatable',
  }),
  'cache-to': list({helpValue: 'DEST', summary: 'External cache to write; repeatable'}),
  'no-cache': toggle({summary: 'Do not use the cache'}),
  pull: toggle({summary: 'Look for newer base images'}),
  frontend: text({helpValue: 'IMAGE', summary: 'Image of the frontend that reads the Dockerfile'}),
});

const resultFlags = group(RESULT, {
  image: text({
    helpValue: 'NAME',
    summary: 'Name of an image that gets a tag made from its digest: the same content, the same name',
  }),
  'ref-file': text({
    helpValue: 'FILE',
    summary: "Write NAME:TAG of --image to FILE, for Tilt's outputs_image_ref_to",
  }),
  'tag-prefix': text({helpValue: 'TEXT', summary: 'What the tag of --image begins with (default: tilt-)'}),
  'tag-length': text({
    helpValue: 'N',
    summary: 'How many hex digits of the digest the tag of --image has (default: 16)',
  }),
  output: list({char: 'o', helpValue: 'SPEC', summary: 'Put the result elsewhere, e.g. type=local,dest=DIR'}),
  push: toggle({
    summary: 'Push to the registry in the tag instead of keeping the image in the node',
  }),
  compression: choice({
    options: ['uncompressed', 'gzip', 'zstd', 'estargz', 'default'],
    helpValue: 'KIND',
    summary:
      'How layers are stored in a containerd node: uncompressed, gzip, zstd or estargz; default leaves it to kubectl build (default: uncompressed, which is fastest)',
  }),
  print: choice({
    options: ['digest', 'ref', 'json', 'none'],
    helpValue: 'FORM',
    summary: 'What goes to standard output: digest, ref (each tag in full), json or none (default: digest)',
  }),
  iidfile: text({helpValue: 'FILE', summary: 'Write the digest to FILE'}),
  'metadata-file': text({helpValue: 'FILE', summary: 'Write what --print json prints to FILE'}),
  progress: choice({
    options: ['auto', 'plain', 'tty'],
    helpValue: 'FORM',
    summary: 'How progress is shown: auto, plain or tty; always plain with --platform',
  }),
  'dry-run': toggle({
    summary:
      'Find out and decide everything, change nothing, and print what would be done with the exact command (with --print json as JSON)',
  }),
  quiet: toggle({char: 'q', summary: 'Show the progress only if the build fails'}),
  verbose: toggle({
    char: 'v',
    summary:
      'Say what was found out, and the command that is run; -vv shows where an error comes from as well',
  }),
});

const clusterFlags = group(CLUSTER, {
  qualify: toggle({
    summary: 'On kind, accept tags without a registry host and complete them (docker.io/library/…)',
  }),
  builder: text({helpValue: 'NAME', summary: 'The builder to use (default: BUILDX_BUILDER, else buildkit)'}),
  'builder-policy': choice({
    options: ['ensure', 'check', 'never'],
    helpValue: 'POLICY',
    summary:
      'ensure makes a builder where there is none and mends one that is broken, check only warns, never leaves all to kubectl build (default: ensure)',
  }),
  'builder-image': text({
    helpValue: 'IMAGE',
    summary: 'BuildKit image of a builder that is made (default: the tried version)',
  }),
  'builder-replicas': text({
    helpValue: 'N|nodes',
    summary: 'Pods of a builder that is made; nodes for one on every node (default: 1)',
  }),
  'builder-timeout': text({helpValue: 'TIME', summary: 'How long a builder may take to start (default: 2m)'}),
  timeout: text({
    helpValue: 'TIME',
    summary: 'How long all of it may take, e.g. 10m; then it is cancelled (default: no limit)',
  }),
  'registry-secret': text({
    helpValue: 'NAME',
    summary:
      'Pull secret for registries; empty for none (default: KUBECTL_BUILD_REGISTRY_SECRET, else docker-registry if it exists)',
  }),
});

/** kubectl's flags for reaching a cluster, with kubectl's meanings. */
export const connectionFlags = group(KUBECTL, {
  namespace: text({
    char: 'n',
    helpValue: 'NAME',
    summary: 'The namespace of the builder and of the pull secret',
  }),
  kubeconfig: text({helpValue: 'FILE', summary: 'The kubeconfig file'}),
  context: text({helpValue: 'NAME', summary: 'The context to use'}),
  cluster: text({helpValue: 'NAME', summary: 'The cluster to use'}),
  user: text({helpValue: 'NAME', summary: 'The user to use'}),
  server: text({char: 's', helpValue: 'URL', summary: 'Address of the API server'}),
  token: text({
    helpValue: 'TOKEN',
    summary: 'Bearer token; it is handed on in a private file, never as an argument',
  }),
  as: text({helpValue: 'USER', summary: 'User to impersonate'}),
  'as-group': list({helpValue: 'GROUP', summary: 'Group to impersonate; repeatable'}),
  'as-uid': text({helpValue: 'UID', summary: 'UID to impersonate'}),
  'certificate-authority': text({helpValue: 'FILE', summary: 'Certificate authority of the API server'}),
  'client-certificate': text({helpValue: 'FILE', summary: 'Client certificate'}),
  'client-key': text({helpValue: 'FILE', summary: 'Key of the client certificate'}),
  'insecure-skip-tls-verify': toggle({
    summary: "Do not check the API server's certificate",
  }),
  'tls-server-name': text({helpValue: 'NAME', summary: "Name that the API server's certificate has to bear"}),
  'request-timeout': text({helpValue: 'TIME', summary: 'Longest time for one request, e.g. 10s'}),
  'cache-dir': text({helpValue: 'DIR', summary: "kubectl's cache directory"}),
});

export const flags = {
  ...buildFlags,
  ...resultFlags,
  ...clusterFlags,
  ...connectionFlags,
  help: toggle({char: 'h', summary: 'Show this help'}),
  version: toggle({summary: 'Show the version'}),
};

/** Build flags that the delegate gets as they were given. */
export const PASSED_BUILD_FLAGS = [
  'build-arg',
  'target',
  'label',
  'ssh',
  'network',
  'add-host',
  'allow',
  'cache-from',
  'cache-to',
  'no-cache',
  'pull',
  'frontend',
] as const satisfies readonly (keyof typeof flags)[];

/** Connection flags that children get as they were given; the others pin the target, or are a secret. */
export const PASSED_KUBECTL_FLAGS = [
  'cluster',
  'user',
  'server',
  'as',
  'as-group',
  'as-uid',
  'certificate-authority',
  'client-certificate',
  'client-key',
  'insecure-skip-tls-verify',
  'tls-server-name',
  'request-timeout',
  'cache-dir',
] as const satisfies readonly (keyof typeof flags)[];
