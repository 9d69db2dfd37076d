/** Owns what docker build knows and has no meaning here: flags, each with the reason, and values, with what to use. */
import {type Advice, advise, flag} from '../../text/advice.ts';

const IGNORED = 'has no effect: kubectl build accepts it, but BuildKit has no such setting. Leave it out.';

const NOT_SUPPORTED = 'is not supported. Leave it out.';

/** By the flag as typed. kubectl build silently ignores those of the first group. */
export const REFUSED_FLAGS: Readonly<Record<string, string>> = {
  '--cgroup-parent': IGNORED,
  '--compress': 'has no effect: BuildKit chooses how to send the build context. Leave it out.',
  '--cpu-period': IGNORED,
  '--cpu-quota': IGNORED,
  '--cpu-shares': IGNORED,
  '-c': IGNORED,
  '--cpuset-cpus': IGNORED,
  '--cpuset-mems': IGNORED,
  '--force-rm': 'has no effect: BuildKit leaves no intermediate containers behind. Leave it out.',
  '--isolation': IGNORED,
  '--memory': IGNORED,
  '-m': IGNORED,
  '--memory-swap': IGNORED,
  '--rm': 'has no effect: BuildKit leaves no intermediate containers behind. Leave it out.',
  '--security-opt': IGNORED,
  '--squash': 'is not supported by kubectl build. Join RUN steps, or use a multi-stage Dockerfile.',

  '--load':
    "is not needed: without --push or --output, the image goes into the node's container runtime anyway. Leave it out.",
  '--annotation': NOT_SUPPORTED,
  '--attest': NOT_SUPPORTED,
  '--call': 'is not supported. To check the Dockerfile, use --check.',
  '--no-cache-filter': NOT_SUPPORTED,
  '--provenance': NOT_SUPPORTED,
  '--sbom': NOT_SUPPORTED,
  '--disable-content-trust': IGNORED,
};

const QUIET = advise`To show the progress only if the build fails, use ${flag('quiet')}.`;

/** By the flag as typed, and its value. */
export const REFUSED_VALUES: Readonly<Record<string, Readonly<Record<string, Advice>>>> = {
  '--progress': {quiet: QUIET, none: QUIET},
};
