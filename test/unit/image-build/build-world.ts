/** Owns a build that is prepared and has its builder, for the tests of the steps after that. */
import type {ReadyBuild} from '../../../src/image-build/delegate/run-pass.ts';
import {makeSurroundings} from '../../helpers/surroundings.ts';
import {builderRequest, buildRequest, scriptCluster} from '../builder/builder-world.ts';

export const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Private files are in `/private`. What is `asked` is also the request for the delegate, unless that is given. */
export function readyBuild(changes: Partial<ReadyBuild> = {}): ReadyBuild {
  const {asked = buildRequest(), cluster = scriptCluster()} = changes;
  return {
    asked,
    request: asked,
    secretSpecs: [],
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
    surroundings: makeSurroundings(),
    program: '/bin/kubectl-build',
    tags: [],
    pullSecret: {reason: 'none'},
    builder: {request: builderRequest(), product: 'kind', facts: {}, cluster, toolVersion: '1'},
    runtime: 'containerd',
    resultFiles: [],
    notes: [],
    ...changes,
  };
}
