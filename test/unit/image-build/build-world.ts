/** Owns a build that is prepared, for the tests of the steps after that. */
import {PodList} from '../../../src/builder/ensure/pod-list.ts';
import type {BuildRequest} from '../../../src/image-build/build-request.ts';
import {destinationOf, readOutput} from '../../../src/image-build/inputs/outputs.ts';
import type {PreparedBuild} from '../../../src/image-build/prepare-build.ts';
import {makeSurroundings} from '../../helpers/surroundings.ts';
import {builderRequest, buildRequest, scriptCluster} from '../builder/builder-world.ts';

/** What a request has for `--output`. */
export function outputTo(spec: string, push = false): Pick<BuildRequest, 'output' | 'destination'> {
  const output = readOutput([spec]);
  return {output, destination: destinationOf(output, push)};
}

export const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Private files are in `/private`. */
export function preparedBuild(changes: Partial<PreparedBuild> = {}): PreparedBuild {
  const {cluster = scriptCluster()} = changes;
  const request = builderRequest();
  const pods = new PodList(request.settings, cluster);
  return {
    request: buildRequest(),
    secrets: [],
    inputs: {},
    engine: {name: 'kubectl-build', reason: 'found at /bin/kubectl-build'},
    chooseWithout: (flaw) => ({name: 'builtin', reason: `/bin/kubectl-build ${flaw}`}),
    target: {
      context: 'kind-demo',
      namespace: 'default',
      cluster: {name: 'kind-demo', server: 'https://127.0.0.1:6443'},
      user: {name: 'kind-demo'},
    },
    byNames: {product: 'kind', reason: 'the cluster is called "kind-demo"'},
    product: {product: 'kind', reason: 'the cluster is called "kind-demo"'},
    cluster,
    pinArgs: ['--context', 'kind-demo'],
    privatePath: (name) => (name === '' ? '/private' : `/private/${name}`),
    spoolPath: (name) => (name === '' ? '/private' : `/private/${name}`),
    surroundings: makeSurroundings(),
    program: '/bin/kubectl-build',
    tags: [],
    pullSecret: {reason: 'none'},
    builder: {request, product: 'kind', facts: {}, cluster, pods, toolVersion: '1'},
    numbers: new Map(),
    notes: [],
    ...changes,
  };
}
