/** Owns what a whole-command test stands in: a cluster, a place to run, and the program under test. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {expect} from 'chai';
import {parseAllDocuments} from 'yaml';
import type {KubeconfigOptions} from './api-kubeconfig.ts';
import type {ApiObject} from './api-samples.ts';
import {type ApiServer, addBuilder, node, startApiServer} from './api-server.ts';
import type {Invocation} from './delegate.ts';
import {type Ended, type Program, program, type RunOptions, run} from './programs.ts';
import {makeSandbox, type Sandbox} from './sandbox.ts';

export interface World {
  readonly program: Program;
  readonly api: ApiServer;
  readonly sandbox: Sandbox;
  /**
   * Writes the kubeconfig that leads to the cluster; by default a kind cluster, by client certificate, which is asked
   * directly. `through` has it asked by kubectl.
   */
  connect(options?: Partial<KubeconfigOptions> & {readonly through?: Way}): void;
  /** Runs `kubectl-tiltbuild` in the build context. `env` is added to the sandbox's; undefined takes away. */
  tiltbuild(
    args: readonly string[],
    options?: Partial<Omit<RunOptions, 'args' | 'env'>> & {
      readonly env?: Readonly<Record<string, string | undefined>>;
    },
  ): Promise<Ended>;
  /** The one run of the delegate; fails unless there was exactly one. */
  delegated(): Invocation;
}

/** The digest in the recordings of a build that has no RUN step. */
export const DIGEST = 'sha256:24cda528986e03d36fbe92c7fec9d42e88b9800459a6e72ebec1507173d8f183';
export const KIND_NAMES = {context: 'kind-demo', cluster: 'kind-demo', user: 'kind-demo'};
/** Names that tell nothing, so that the nodes are asked. */
export const PLAIN_NAMES = {context: 'work', cluster: 'work-cluster', user: 'me'};

/** The plainest build, and how it is exported on containerd. */
export const BUILD = ['-t', 'localhost/web:dev', '.'];
export const EXPORT = ['--output', 'type=image,unpack=true,compression=uncompressed'];

/** Who asks the cluster. */
export const WAYS = ['directly', 'kubectl'] as const;
export type Way = (typeof WAYS)[number];
/** With a proxy set kubectl has to ask. Nothing is sent to this one: Go takes no proxy to a loopback address. */
export const PROXY = {HTTPS_PROXY: 'http://127.0.0.1:1'};

/** Gives it a node, a builder of ours that works, and the pull secret that is looked for by default. */
export function furnish({state}: ApiServer): void {
  state.nodes.push(node());
  addBuilder(state, {kind: 'ours'});
  state.secrets.push({namespace: 'default', name: 'docker-registry', type: 'kubernetes.io/dockerconfigjson'});
}

/**
 * Declares a suite with a new world for each test: a namespace `default` with a builder on
 * containerd and the pull secret `docker-registry`. After each test nothing may be left in the temporary directory.
 */
export function describeCommand(title: string, declare: (world: World) => void): void {
  describe(title, () => {
    let api: ApiServer;
    let sandbox: Sandbox;
    let through: Way;
    beforeEach(async () => {
      [api, sandbox] = await Promise.all([startApiServer(), makeSandbox()]);
      furnish(api);
      world.connect();
    });
    afterEach(async () => {
      const leftovers = sandbox.leftovers();
      sandbox.remove();
      await api.close();
      expect(leftovers, 'left in the temporary directory').to.deep.equal([]);
    });
    const world: World = {
      program,
      get api() {
        return api;
      },
      get sandbox() {
        return sandbox;
      },
      connect: ({through: way = 'directly', ...options} = {}) => {
        through = way;
        sandbox.writeKubeconfig(
          api.kubeconfig({auth: 'certificate', names: KIND_NAMES, directory: sandbox.root, ...options}),
        );
      },
      tiltbuild: (args, {env = {}, ...options} = {}) =>
        run(program, {
          args,
          cwd: sandbox.work,
          ...options,
          env: withoutUndefined({...sandbox.env, ...(through === 'kubectl' && PROXY), ...env}),
        }),
      delegated: () => {
        const invocations = sandbox.invocations();
        expect(invocations, 'runs of kubectl-build').to.have.length(1);
        return invocations[0] as Invocation;
      },
    };
    declare(world);
  });
}

export function removeBuilders({api}: World): void {
  Object.assign(api.state, {deployments: [], configmaps: [], pods: []});
}

/** Gives it these nodes instead of its one, and its builder a pod on each. */
export function spreadBuilder({api}: Pick<World, 'api'>, nodes: readonly ApiObject[]): void {
  Object.assign(api.state, {nodes, deployments: [], configmaps: [], pods: []});
  addBuilder(api.state, {kind: 'ours', replicas: nodes.length});
}

/** The requests that changed the cluster. */
export function changes({api}: World) {
  return api.requests.filter(({method, path}) => method !== 'GET' && !/\/(selfsubject\w+|exec)$/.test(path));
}

export const changedPaths = (world: World) => changes(world).map(({method, path}) => `${method} ${path}`);

/** The objects of a file in test/fixtures/builder. */
export function readBuilderFixture(name: string): readonly unknown[] {
  const file = join(import.meta.dirname, '..', 'fixtures', 'builder', `${name}.yaml`);
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());
}

export function expectBuilt(ended: Ended): void {
  expect(ended, ended.stderr).to.include({exitCode: 0, stdout: `${DIGEST}\n`});
}

/** It ended with this exit code and these words, printed no result, and did not start kubectl-build. */
export function expectRefused(
  {sandbox}: World,
  ended: Ended,
  exitCode: number,
  ...words: readonly (string | RegExp)[]
): void {
  expect(ended, ended.stderr).to.include({exitCode, stdout: ''});
  for (const word of words) {
    if (typeof word === 'string') expect(ended.stderr).to.contain(word);
    else expect(ended.stderr).to.match(word);
  }
  expect(ended.stderr).not.to.contain('This is a bug');
  expect(sandbox.invocations(), 'runs of kubectl-build').to.deep.equal([]);
}

/** The delegate's arguments that pin the target of the sandbox's kubeconfig. */
export function pinArgs(
  {kubeconfig}: Sandbox,
  {context, namespace = 'default'}: {readonly context: string; readonly namespace?: string},
): readonly string[] {
  return ['--kubeconfig', kubeconfig, '--context', context, '--namespace', namespace];
}

/** The delegate's arguments without those whose values are this run's own paths, which it checks. */
export function withoutOwnPaths(argv: readonly string[], sandbox: Sandbox): readonly string[] {
  const index = argv.indexOf('--iidfile');
  if (index < 0) return argv;
  expect(argv[index + 1]).to.match(/kubectl-tiltbuild-\w+[/\\]image-id$/);
  expect(argv[index + 1]?.startsWith(sandbox.tmp)).to.equal(true);
  return [...argv.slice(0, index), ...argv.slice(index + 2)];
}

function withoutUndefined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
