/** Owns the flags that docker has and that cannot be honoured here, each with the reason that the user is told. */

const IGNORED =
  'would have no effect: kubectl build accepts it and then ignores it, since BuildKit has no such setting. Leave it out.';

const NOT_KNOWN = 'is not known to kubectl build, whose BuildKit client is from before it. Leave it out.';

/** By the flag as typed. kubectl build takes the first group without a word and does nothing with it. */
export const REFUSED_FLAGS: Readonly<Record<string, string>> = {
  '--cgroup-parent': IGNORED,
  '--compress': 'would have no effect: BuildKit decides itself how the build context travels. Leave it out.',
  '--cpu-period': IGNORED,
  '--cpu-quota': IGNORED,
  '--cpu-shares': IGNORED,
  '-c': IGNORED,
  '--cpuset-cpus': IGNORED,
  '--cpuset-mems': IGNORED,
  '--force-rm': 'would have no effect: BuildKit leaves no intermediate containers. Leave it out.',
  '--isolation': IGNORED,
  '--memory': IGNORED,
  '-m': IGNORED,
  '--memory-swap': IGNORED,
  '--rm': 'would have no effect: BuildKit leaves no intermediate containers. Leave it out.',
  '--security-opt': IGNORED,
  '--shm-size': IGNORED,
  '--ulimit': IGNORED,
  '--squash': 'is not implemented by kubectl build. Join RUN steps, or use a multi-stage Dockerfile.',

  '--load':
    "is not needed: without --push or --output the image is in the node's own runtime already. Leave it out.",
  '--annotation': NOT_KNOWN,
  '--attest': NOT_KNOWN,
  '--build-context': NOT_KNOWN,
  '--call': NOT_KNOWN,
  '--check': NOT_KNOWN,
  '--no-cache-filter': NOT_KNOWN,
  '--provenance': NOT_KNOWN,
  '--sbom': NOT_KNOWN,
  '--disable-content-trust': IGNORED,
};
